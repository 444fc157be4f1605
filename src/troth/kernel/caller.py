"""Who asks, with what evidence. Built by the doors, judged by `access`, named in every audit record."""

from __future__ import annotations

from dataclasses import dataclass, field

PHISHING_RESISTANT = frozenset({"passkey", "mtls"})  # methods whose secret cannot be typed into a false page
PASSKEY_ELSEWHERE = "passkey+device-code"  # shown in a browser, to sign another device in (RFC 8628)


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the caller showed who they are."""

    method: str = "none"  # none | password | password+totp | password+recovery | passkey | api-key | …
    assurance: int = 0  # NIST SP 800-63B-4 authenticator assurance level: 0, 1, 2 or 3
    age_seconds: int = 0  # since the last full sign-in
    credential: str | None = None  # opaque id of the session or key

    @property
    def phishing_resistant(self) -> bool:
        """True when what was shown works for our own pages only (SP 800-63B-4 section 3.2.5)."""
        return self.method in PHISHING_RESISTANT

    @property
    def passkey_shown(self) -> bool:
        """True also for a command line that somebody signed in from a browser, by a passkey."""
        return self.phishing_resistant or self.method == PASSKEY_ELSEWHERE


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of the device. An unbound one may be anybody's: what it shows can be copied."""

    bound: str | None = None  # dbsc | webcrypto | dpop | mtls: whose key answered for this request, if any did
    thumbprint: str | None = None  # of that key: RFC 7638, for mtls RFC 8705 section 3.1
    age_seconds: int = 0  # since the key was bound
    posture: str = "unknown"  # managed where an administrator answers for the device, else unknown


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, in clear: read by the sealed details of the audit record, and the address by the
    networks that an API key is limited to."""

    door: str = ""  # api | portal
    address: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Connection:
    """The channel the request came over."""

    tls: str | None = None  # "TLSv1.3", or None for an in-process call
    zone: str = "unknown"  # loopback | private | public | in-process | unknown
    network: str = ""  # opaque keyed hash of the neighbourhood, to count attempts by; never recorded, never decided on
    origin: Origin = field(default=Origin(), repr=False, compare=False)  # no policy sees it; recorded sealed
    mtls: bool = False  # the client showed a certificate of ours in the handshake
    certificate: str = field(default="", repr=False, compare=False)  # that one, PEM; `identity.certificates` reads it


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's principal and evidence. All ids are opaque; but for `Origin`, no name or address is put here."""

    actor: str  # usr_… | key_… | svc_… | "anonymous"
    kind: str = "anonymous"  # user | api-key | operator | service | anonymous
    tenant: str | None = None
    subject: str | None = None  # the person acted for; a key acts for its owner
    roles: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    models: frozenset[str] | None = None  # the only models to generate with; None: all
    jurisdiction: str = "eu"
    authentication: Authentication = field(default_factory=Authentication)
    device: Device = field(default_factory=Device)
    connection: Connection = field(default_factory=Connection)
    privileged_since: int | None = None  # epoch ms: the oldest role that asks for a passkey; None: holds none
    lent: frozenset[str] = field(default_factory=frozenset)  # those of `roles` that are held for some hours only

    @property
    def anonymous(self) -> bool:
        """True when nobody signed in."""
        return self.kind == "anonymous"

    @property
    def given(self) -> frozenset[str]:
        """The roles that somebody was given, without those of an elevation or of emergency access."""
        return self.roles - self.lent

    def may_use(self, model: str) -> bool:
        """True for a model that the credential is not kept from."""
        return self.models is None or model in self.models


def anonymous(connection: Connection | None = None) -> Caller:
    """A caller that has shown nothing."""
    return Caller(actor="anonymous", connection=connection or Connection())
