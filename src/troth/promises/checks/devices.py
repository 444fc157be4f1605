"""Promises about devices with certificates: a session of one is of no use elsewhere, and nobody else gets through."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from troth.identity.certificates.authorities import Certified
from troth.identity.certificates.devices import Enrolment
from troth.identity.certificates.issuing import authority_certificate, fresh_key, key_digest, leaf_certificate, pem_of
from troth.identity.certificates.names import SpiffeName
from troth.identity.certificates.parts import Certificates
from troth.identity.certificates.requesting import private_pem
from troth.identity.devices.shown import PLAIN
from troth.identity.sessions import Proof
from troth.kernel.caller import Caller, Connection
from troth.kernel.errors import Unauthenticated
from troth.promises.account import Account, account
from troth.promises.check import Check, Facts, counted
from troth.promises.system import PROBE_TENANT, Listener, System

_SECONDS = 5
_PLAIN = Connection("TLSv1.3", "loopback")
_Authenticate = Callable[[str, Connection], Caller]


@dataclass(frozen=True, slots=True)
class _Owner:
    """A synthetic person with a device, its private key (PEM) and its certificate."""

    person: Account
    device: str
    key: bytes
    certified: Certified

    @property
    def over(self) -> Connection:
        """A connection over which the device showed its certificate."""
        return replace(_PLAIN, mtls=True, certificate=self.certified.certificate)


@contextlib.contextmanager
def _owner(system: System) -> Iterator[_Owner]:
    tenant, parts = system.probe_tenant(PROBE_TENANT), system.identity.certificates
    made = account(system, tenant)
    try:
        key = fresh_key()
        wish = Enrolment(tenant, made.person.subject, "probe", key_digest(key.public_key()))
        device = parts.devices.add(wish)
        certified = parts.authorities.certify(tenant, "device", device, key.public_key())
        yield _Owner(made, device, private_pem(key), certified)
    finally:
        system.identity.holder.forget(tenant, made.person.subject)


def _bound(system: System, judging: _Authenticate) -> Facts:
    """A session used from a device, then by a thief of its token in every other way, then from the device revoked."""
    parts, sessions = system.identity.certificates, system.identity.sessions
    with _owner(system) as ada, _owner(system) as eve:
        proof = Proof("password+totp", 2)
        token = sessions.open(ada.person.person.subject, proof, "loopback").token
        judged = [_passes(judging, token, ada.over, "mtls")]
        for elsewhere in (_PLAIN, eve.over, replace(ada.over, certificate=_forged(parts, ada))):
            judged.append(not _passes(judging, token, elsewhere))
        fresh = sessions.open(ada.person.person.subject, proof, "loopback").token
        parts.devices.revoke(ada.person.person.tenant, ada.device)
        judged += [not _passes(judging, token, ada.over), not _passes(judging, fresh, ada.over)]
    return counted(judged)


def _forged(parts: Certificates, owner: _Owner) -> str:
    """A certificate with the device's own name, by an authority that nobody here knows."""
    key, now = fresh_key(), parts.devices.clock.now()
    name = SpiffeName(parts.authorities.domain, owner.person.person.tenant, "device", owner.device)
    return pem_of(
        leaf_certificate(name, key.public_key(), authority_certificate(key, name.trust_domain, now), key, now)
    )


def _passes(judging: _Authenticate, token: str, connection: Connection, bound: str | None = None) -> bool:
    try:
        caller = judging(token, connection)
    except Unauthenticated:
        return False
    return bound is None or caller.device.bound == bound


def _as_served(system: System) -> Facts:
    return _bound(system, system.identity.device_sessions.authenticate)


def _bearer(system: System) -> Facts:
    """The known-bad fixture: sessions as they are without devices, good for whoever has the token."""
    return _bound(system, lambda token, connection: system.identity.sessions.authenticate(token, connection, PLAIN))


def _handshakes(system: System, listener: Listener | None) -> Facts:
    """Handshakes at the port for certificates: with a device's, with none, with one of a stranger's authority."""
    if listener is None:
        return Facts(population=1, tested=0, broken=0)
    if listener.mtls_port is None:
        return Facts(0, 0, 0, configured=False)
    with _owner(system) as ada, tempfile.TemporaryDirectory() as folder:
        own = _files(Path(folder) / "own", ada.certified.certificate, ada.key)
        other = fresh_key()
        now = system.base.clock.now()
        name = SpiffeName("elsewhere", ada.person.person.tenant, "device", ada.device)
        issued = leaf_certificate(name, other.public_key(), authority_certificate(other, "elsewhere", now), other, now)
        foreign = _files(Path(folder) / "foreign", pem_of(issued), private_pem(other))
        return counted(
            [
                _answered(listener, own),
                not _answered(listener, None),
                not _answered(listener, foreign),
            ]
        )


def _files(place: Path, certificate: str, key: bytes) -> tuple[Path, Path]:
    pair = place.with_suffix(".pem"), place.with_suffix(".key")
    pair[0].write_text(certificate)
    pair[1].write_bytes(key)
    return pair


def _answered(listener: Listener, shown: tuple[Path, Path] | None) -> bool:
    """Whether a client with this certificate gets an answer. With TLS 1.3 it learns of a refusal when it reads."""
    context = ssl.create_default_context(cafile=str(listener.authority) if listener.authority else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if shown is not None:
        context.load_cert_chain(*shown)
    try:
        with (
            socket.create_connection((listener.host, listener.mtls_port or 0), _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=listener.name) as secured,
        ):
            secured.sendall(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            return secured.recv(64).startswith(b"HTTP/1.1")
    except OSError:
        return False


def _first_door(system: System) -> Facts:
    """The known-bad fixture: the door that asks nobody for a certificate."""
    listener = system.door.listener
    if listener is None or listener.mtls_port is None:
        return Facts(population=1, tested=1, broken=1)
    return _handshakes(system, replace(listener, mtls_port=listener.port))


CHECKS = (
    Check(
        "devices-sessions-stay-on-theirs",
        ("ACC-04", "ACC-05"),
        "A session that was used from a device with a certificate is tried without one, with another person's, with a "
        "forged one and after the device was revoked; only the device itself may pass.",
        _as_served,
        _bearer,
        scope="sessions of two synthetic people with certified devices",
        population="uses of a session, from its device and elsewhere",
    ),
    Check(
        "devices-handshake",
        ("CRY-06", "ACC-05"),
        "The port for certificates, if it is open, takes the handshake of an enrolled device and refuses clients "
        "without a certificate and with one of another authority.",
        lambda system: _handshakes(system, system.door.listener),
        _first_door,
        scope="the port for certificates of this server",
        population="handshakes at that port",
    ),
)
