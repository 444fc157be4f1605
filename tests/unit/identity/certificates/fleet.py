"""Devices of people, with their keys, on the world of identity."""

from __future__ import annotations

from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from troth.identity.certificates.authorities import Authorities, Certified
from troth.identity.certificates.devices import Devices
from troth.identity.certificates.enrolment import Enrolments
from troth.identity.certificates.holding import Holding, KeysOfDevices, SessionsOfDevices
from troth.identity.certificates.issuing import pem_of
from troth.identity.certificates.parts import Certificates
from troth.identity.certificates.requesting import PrivateKey, request_by
from troth.identity.certificates.services import ServiceCertificates
from troth.kernel.caller import Caller, Connection
from unit.identity.world import TLS, Person, World

DOMAIN = "troth.example.org"


def fresh_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def request_of(key: PrivateKey, name: str = "a device") -> str:
    return request_by(key, name)


def over(certificate: str) -> Connection:
    """A connection over which this certificate was shown."""
    return replace(TLS, mtls=True, certificate=certificate)


@dataclass
class Fleet:
    """What enrols, renews and judges."""

    world: World

    def __post_init__(self) -> None:
        world = self.world
        self.devices = Devices(database=world.database, fields=world.fields, clock=world.clock)
        self.authorities = Authorities(world.database, world.fields, world.clock, DOMAIN)
        self.holding = Holding(self.devices, DOMAIN, world.recorder)
        self.enrolments = Enrolments(
            devices=self.devices,
            authorities=self.authorities,
            holding=self.holding,
            own=world.own,
            recorder=world.recorder,
        )
        self.standing: dict[str, str] = {}  # service accounts that are in force, and their tenants
        self.services = ServiceCertificates(
            database=world.database,
            authorities=self.authorities,
            throttle=world.throttle,
            recorder=world.recorder,
            clock=world.clock,
            stands=self.standing.get,
        )
        self.parts = Certificates(self.devices, self.authorities, self.holding, self.enrolments, self.services)
        self.sessions = SessionsOfDevices(world.sessions, self.holding)
        self.keys = KeysOfDevices(world.keys, self.holding)
        self.acme = world.tenant()

    def person(self, *roles: str) -> Person:
        return self.world.settled(self.acme.id, *(roles or ("member",)))

    def token(self, person: Person) -> str:
        return self.world.sign_in(person).session.token

    def enrolled(self, person: Person, key: PrivateKey | None = None, name: str = "laptop") -> Certified:
        """A device of this person, enrolled in a session that was just opened."""
        caller = self.world.at_device(self.token(person))
        return self.enrolments.enrol(caller, name, request_of(key or fresh_key()))

    def caller(self, token: str, certificate: str = "") -> Caller:
        """Who asks with this token, over a connection with this certificate or with none."""
        return self.sessions.authenticate(token, over(certificate) if certificate else TLS)


def altered(fleet: Fleet, certified: Certified, **changes: object) -> str:
    """A certificate for the same key by the same authority, which would never be issued like this."""
    real = x509.load_pem_x509_certificate(certified.certificate.encode())
    authority = fleet.authorities.trusted()[-1]
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    names = changes.get("names", [one.value for one in _uris(real)])
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(issuer.subject)
    builder = builder.public_key(real.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(real.not_valid_before_utc).not_valid_after(real.not_valid_after_utc)
    for extension in real.extensions:
        value = changes.get(type(extension.value).__name__, extension.value)
        if isinstance(value, x509.SubjectAlternativeName):
            assert isinstance(names, list)
            value = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(one) for one in names])
            if not names:
                continue
        if isinstance(value, x509.ExtensionType):
            builder = builder.add_extension(value, critical=extension.critical)
    return pem_of(builder.sign(fleet.authorities._key(authority), hashes.SHA256()))


def _uris(certificate: x509.Certificate) -> list[x509.UniformResourceIdentifier]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [one for one in names if isinstance(one, x509.UniformResourceIdentifier)]
