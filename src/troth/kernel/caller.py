"""Who asks, with what evidence. Built by the doors, judged by `access`, named in every audit record."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Authentication:
    """How the caller showed who they are."""

    method: str = "none"  # none | password | password+totp | api-key | local-operator
    assurance: int = 0  # NIST SP 800-63B-4 authenticator assurance level: 0, 1, 2 or 3
    age_seconds: int = 0  # since the last full sign-in
    credential: str | None = None  # opaque id of the session or key


@dataclass(frozen=True, slots=True)
class Device:
    """What is known of the device; `bound` names the binding (dbsc, webcrypto, mtls) or is None."""

    bound: str | None = None
    thumbprint: str | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """The channel the request came over."""

    tls: str | None = None  # "TLSv1.3", or None for an in-process call
    zone: str = "unknown"  # loopback | private | public | in-process | unknown
    network: str = ""  # opaque keyed hash of the neighbourhood, to count attempts by; never recorded, never decided on


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's principal and evidence. All ids are opaque; no name or address is ever put here."""

    actor: str  # usr_… | key_… | svc_… | "anonymous"
    kind: str = "anonymous"  # user | api-key | operator | service | anonymous
    tenant: str | None = None
    subject: str | None = None  # the person acted for; a key acts for its owner
    roles: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    jurisdiction: str = "eu"
    authentication: Authentication = field(default_factory=Authentication)
    device: Device = field(default_factory=Device)
    connection: Connection = field(default_factory=Connection)

    @property
    def anonymous(self) -> bool:
        """True when nobody signed in."""
        return self.kind == "anonymous"


def anonymous(connection: Connection | None = None) -> Caller:
    """A caller that has shown nothing."""
    return Caller(actor="anonymous", connection=connection or Connection())
