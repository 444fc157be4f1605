"""The world of the identity tests: a real database, real AES-GCM, a clock that tests move, cheap argon2."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from troth.identity.blocklist import BlockList
from troth.identity.bootstrap import Bootstrap
from troth.identity.governing.reasons import Reasons
from troth.identity.holder import IdentityHolder
from troth.identity.keys import ApiKeys
from troth.identity.known_devices import KnownDevices
from troth.identity.mfa.challenges import Challenges
from troth.identity.mfa.passkeys import Passkeys
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.relying_party import RelyingParty
from troth.identity.mfa.totp import Totp
from troth.identity.own_account import OwnAccount
from troth.identity.own_passkeys import OwnPasskeys
from troth.identity.passkey_sign_in import PasskeySignIn
from troth.identity.passwords import Argon2Profile, Passwords
from troth.identity.privacy import PrivacySettings
from troth.identity.roles import Roles
from troth.identity.sessions import Sessions
from troth.identity.sign_in import Credentials, SignedIn, SignIn
from troth.identity.sso.ending import promoted
from troth.identity.sso.links import Links
from troth.identity.tenants import Tenant, Tenants
from troth.identity.throttle import Throttle
from troth.identity.users import IssuedUser, NewUser, Users
from troth.kernel.caller import Caller, Connection, Device
from troth.kernel.errors import Gone, IntegrityError
from troth.storage.database import Database
from worlds import ListRecorder, MovableClock, PlainSealer

DEVICE = Device("webcrypto", "thumbprint-a", 0)
CHEAP = Argon2Profile(memory_kib=8, passes=1, lanes=1)
TLS = Connection(tls="TLSv1.3", zone="public", network="network-a")
BLOCKED = BlockList.shipped()


class SealedInMemory:
    """PersonalFields with AES-256-GCM and a key per person that can be destroyed."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], bytes | None] = {}
        self._index = secrets.token_bytes(32)

    def seal(self, tenant: str, subject: str, label: str, plaintext: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher(tenant, subject).encrypt(nonce, plaintext, _bound(tenant, subject, label))

    def seal_all(self, tenant: str, label: str, several: Sequence[tuple[str, bytes]]) -> list[bytes]:
        return [self.seal(tenant, subject, label, plaintext) for subject, plaintext in several]

    def open(self, tenant: str, subject: str, label: str, sealed: bytes) -> bytes:
        try:
            return self._cipher(tenant, subject).decrypt(sealed[:12], sealed[12:], _bound(tenant, subject, label))
        except InvalidTag as error:
            raise IntegrityError("A sealed value does not fit its place.") from error

    def blind_index(self, label: str, value: str) -> bytes:
        return hmac.digest(self._index, f"{label}\0{value}".encode(), hashlib.sha256)

    def destroy(self, tenant: str, subject: str) -> None:
        self._keys[tenant, subject] = None

    def _cipher(self, tenant: str, subject: str) -> AESGCM:
        key = self._keys.setdefault((tenant, subject), secrets.token_bytes(32))
        if key is None:
            raise Gone("This person was erased.")
        return AESGCM(key)


def _bound(tenant: str, subject: str, label: str) -> bytes:
    return f"{tenant}\0{subject}\0{label}".encode()


@dataclass
class Person:
    """Somebody in the world, with all that they know."""

    id: str
    tenant: str
    email: str
    password: str
    secret: str | None = None
    recovery_codes: tuple[str, ...] = ()
    device: str | None = None


@dataclass
class World:
    """Everything of identity on one database."""

    database: Database
    clock: MovableClock = field(default_factory=MovableClock)
    fields: SealedInMemory = field(default_factory=SealedInMemory)

    def __post_init__(self) -> None:
        self.passwords = Passwords(CHEAP, BLOCKED)
        self.tenants = Tenants(self.database, self.clock)
        self.users = Users(self.database, self.fields, self.passwords, self.clock)
        self.roles = Roles(self.database, self.clock, promoted)
        self.totp = Totp(self.database, self.fields, self.clock)
        self.recovery = RecoveryCodes(self.database)
        self.sessions = Sessions(self.database, self.clock)
        self.keys = ApiKeys(self.database, self.fields, self.clock)
        self.reasons = Reasons(self.database, self.fields)
        self.links = Links(self.database, self.fields, self.clock)
        self.devices = KnownDevices(self.database, self.clock)
        self.throttle = Throttle(self.database, self.clock)
        self.privacy = PrivacySettings(self.database)
        self.recorder = ListRecorder()
        self.passkeys = Passkeys(
            database=self.database,
            fields=self.fields,
            clock=self.clock,
            challenges=Challenges(self.database, self.clock),
            party=RelyingParty("troth.example.org", ("https://troth.example.org",)),
        )
        self.signing_in = SignIn(
            users=self.users,
            passwords=self.passwords,
            totp=self.totp,
            recovery=self.recovery,
            passkeys=self.passkeys,
            devices=self.devices,
            throttle=self.throttle,
            sessions=self.sessions,
            recorder=self.recorder,
            details=PlainSealer(),
            clock=self.clock,
        )
        self.own = OwnAccount(
            users=self.users,
            totp=self.totp,
            recovery=self.recovery,
            passkeys=self.passkeys,
            sessions=self.sessions,
            throttle=self.throttle,
        )
        self.by_passkey = PasskeySignIn(sign_in=self.signing_in)
        self.own_passkeys = OwnPasskeys(own=self.own)
        self.bootstrap = Bootstrap(tenants=self.tenants, users=self.users, totp=self.totp, recovery=self.recovery)
        self.holder = IdentityHolder(
            self.database,
            self.users,
            self.roles,
            self.sessions,
            self.keys,
            links=self.links,
            passkeys=self.passkeys,
            reasons=self.reasons,
        )

    def tenant(self, name: str = "Acme", jurisdiction: str = "eu") -> Tenant:
        return self.tenants.create(name, jurisdiction)

    def person(self, tenant: str, *roles: str, email: str = "") -> Person:
        """A fresh person with the password that was issued."""
        address = email or f"{secrets.token_hex(4)}@example.org"
        made: IssuedUser = self.users.create(NewUser(tenant, address, "Ada Lovelace", frozenset(roles), "usr_admin"))
        return Person(made.id, tenant, address, made.password)

    def settled(self, tenant: str, *roles: str, email: str = "") -> Person:
        """A person who has changed the password and set up the second factor."""
        person = self.person(tenant, *roles, email=email)
        self.clock.forward(seconds=1)  # an own password is one that was written later than the account
        caller = self.caller(person)
        new = "violet harbour " + secrets.token_hex(4)
        token = self.own.change_password(caller, person.password, new).token
        caller = self.sessions.authenticate(token, TLS)
        person.password, person.secret = new, self.own.enrol(caller, None).secret
        person.recovery_codes = self.own.confirm(caller, self.code(person)).recovery_codes
        self.clock.forward(seconds=60)  # past the code just used
        return person

    def code(self, person: Person) -> str:
        """What the person's app shows now."""
        assert person.secret is not None
        return pyotp.TOTP(person.secret).at(self.clock.now())

    def sign_in(self, person: Person, **changes: str | None) -> SignedIn:
        """Sign in with everything the person knows and the next code; `changes` are members of `Credentials`."""
        if person.secret and "code" not in changes:
            self.clock.forward(seconds=30)
        given: dict[str, str | None] = {
            "email": person.email,
            "password": person.password,
            "code": self.code(person) if person.secret else None,
            "device": person.device,
        }
        return self.signing_in.sign_in(Credentials(**{**given, **changes}), TLS, "req_1")  # type: ignore[arg-type]

    def caller(self, person: Person) -> Caller:
        """The person as a caller, through a fresh session that their device answers for."""
        return self.at_device(self.sign_in(person).session.token)

    def at_device(self, token: str) -> Caller:
        """Who holds this session, as if its device had answered."""
        return replace(self.sessions.authenticate(token, TLS), device=DEVICE)
