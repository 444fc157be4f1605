"""Requests and answers of single sign-on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from troth.identity.messages import Email, Identifier, Label, SessionCreated
from troth.identity.sign_in import SignedIn
from troth.identity.sso.connections import Kind, SsoConnection, Wish
from troth.identity.sso.oidc import Settings
from troth.identity.sso.rules import Rules
from troth.identity.sso.subjects import NameFormat

_DOMAIN = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$"
DomainName = Annotated[str, StringConstraints(to_lower=True, max_length=253, pattern=_DOMAIN)]
Issuer = Annotated[str, StringConstraints(min_length=8, max_length=512, pattern=r"^https?://[\x21-\x7e]+$")]
_Client = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=r"^[\x20-\x7e]*$")]
_Secret = Annotated[str, StringConstraints(min_length=8, max_length=1024, pattern=r"^[\x20-\x7e]*$")]
Cookie = Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9_-]*$")]


class SsoMessage(BaseModel):
    """What every message here obeys."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class ConnectionWish(SsoMessage):
    """What every kind of connection shall be. `domains`: whose e-mail addresses may come through it; accounts are made
    `just_in_time` in those that an operator verified. `enforced`: nobody signs in by password or passkey any more but
    who decides about others (owners, privacy officers); when it begins, sessions by other ways and API keys end."""

    name: Label
    domains: Annotated[tuple[DomainName, ...], Field(min_length=1, max_length=32)]
    rules: Rules = Field(default_factory=Rules)
    just_in_time: bool = False
    enforced: bool = False
    enabled: bool = True


class SsoConnect(ConnectionWish):
    """An OpenID Connect provider for the caller's tenant.

    `client_secret` absent: a public client, or on a change the one there is, while the issuer stays; with the client
    authentication `private_key_jwt` a key pair of ours is made.
    """

    issuer: Issuer
    client_id: _Client
    client_secret: _Secret | None = Field(None, repr=False)
    settings: Settings = Field(default_factory=Settings)

    @field_validator("issuer")
    @classmethod
    def _plain(cls, issuer: str) -> str:
        if "?" in issuer or "#" in issuer:  # Discovery section 3
            raise ValueError("an issuer has neither query nor fragment")
        return issuer

    def wish(self) -> Wish:
        """What `Connections` makes of it."""
        return Wish(
            name=self.name,
            issuer=self.issuer,
            client_id=self.client_id,
            secret=self.client_secret,
            rules=self.rules,
            settings=self.settings.model_dump(mode="json"),
            domains=self.domains,
            just_in_time=self.just_in_time,
            enforced=self.enforced,
            enabled=self.enabled,
        )


class SsoChange(SsoConnect):
    """The whole connection as it shall be."""

    connection_id: Identifier


class SsoNamed(SsoMessage):
    """One connection."""

    connection_id: Identifier


class SsoDomainShown(SsoMessage):
    """A domain of e-mail addresses; `verified_at` once an operator saw that it is the tenant's."""

    name: str
    verified_at: int | None


class SsoShown(SsoMessage):
    """One connection; its secret is never shown. `redirect_uri` is to be registered at the provider."""

    id: str
    kind: Kind
    name: str
    issuer: str
    client_id: str | None
    secret: bool
    rules: Rules
    settings: dict[str, Any]
    domains: tuple[SsoDomainShown, ...]
    just_in_time: bool
    enforced: bool
    enabled: bool
    created_at: int
    changed_at: int
    redirect_uri: str | None = None
    logout_uri: str | None = None
    jwks_uri: str | None = None


class SsoList(SsoMessage):
    """The connections of the caller's tenant, oldest first."""

    connections: tuple[SsoShown, ...]


class SsoTested(SsoMessage):
    """What the provider says of itself now."""

    issuer: str
    keys: int
    pushed_requests: bool
    issuer_in_response: bool
    back_channel_logout: bool


class SsoConcerned(SsoMessage):
    """Whom an enforced provider would leave no other way in: all but owners and privacy officers. `unlinked`: those of
    them whom no provider knows yet. Their sessions by other ways and their API keys would end."""

    people: int
    unlinked: int
    sessions: int
    keys: int


class SsoEnforce(SsoMessage):
    """Make a connection the only way in for the `people` that `sso.concerned` counted, or (without) no longer."""

    connection_id: Identifier
    people: Annotated[int, Field(ge=0)] | None = None


class SsoKeys(SsoMessage):
    """Our public keys as a provider's client (a JWK set)."""

    keys: tuple[dict[str, str], ...]


class SsoDomainVerify(SsoMessage):
    """An operator saw that the domain belongs to the connection's tenant."""

    connection_id: Identifier
    domain: DomainName


class SsoLinkNamed(SsoMessage):
    """One link between a person and what a provider calls them."""

    link_id: Identifier


class SsoLink(SsoMessage):
    """A person of the tenant, and what the connection's provider calls them: `sub`, or by SAML the NameID, of which the
    format is needed, or the value of the connection's `subject_attribute`."""

    connection_id: Identifier
    user_id: Identifier
    subject: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]*$")]
    name_format: NameFormat | None = None


class SsoLinkShown(SsoMessage):
    """One link. An unconfirmed one opens nothing."""

    id: str
    user: str
    connection: str
    confirmed: bool
    created_at: int
    used_at: int | None


class SsoLinkList(SsoMessage):
    """The links of the tenant's people, newest first."""

    links: tuple[SsoLinkShown, ...]


class SsoOwnLink(SsoLinkShown):
    """A link of one's own account, with its provider."""

    name: str
    kind: Kind


class SsoOwnLinks(SsoMessage):
    """The links of one's own account, newest first."""

    links: tuple[SsoOwnLink, ...]


class SsoFind(SsoMessage):
    """An e-mail address, of which only the domain is looked at."""

    email: Email


class SsoFound(SsoMessage):
    """The connection that the domain leads to, if any."""

    connection_id: str | None
    kind: Kind | None
    name: str | None


class SsoBegin(SsoMessage):
    """Begin to sign in. `browser`: what an attempt that still runs left with this browser."""

    connection_id: Identifier
    browser: Cookie | None = Field(None, repr=False)
    fresh: bool = Field(False, description="The provider is to see the person anew, for a step-up.")


class SsoBegun(SsoMessage):
    """Send the browser to `location`, and keep `browser` in it."""

    location: str
    browser: str


class SsoFinish(SsoMessage):
    """What the browser brought back, with what it kept."""

    connection_id: Identifier
    state: Annotated[str, StringConstraints(min_length=1, max_length=128)] = Field(repr=False)
    browser: Cookie | None = Field(None, repr=False)
    code: Annotated[str, StringConstraints(max_length=2048)] | None = Field(None, repr=False)
    iss: Annotated[str, StringConstraints(max_length=512)] | None = None
    error: Annotated[str, StringConstraints(max_length=256)] | None = None
    device: Annotated[str, StringConstraints(max_length=128)] | None = Field(None, repr=False)


class SsoLogout(SsoMessage):
    """A logout token of the provider (OpenID Connect Back-Channel Logout 1.0)."""

    connection_id: Identifier
    logout_token: Annotated[str, StringConstraints(min_length=1, max_length=1 << 15)] = Field(repr=False)


def shown(connection: SsoConnection, addresses: Mapping[str, str]) -> SsoShown:
    """A connection as its owner sees it. `addresses`: what is to be registered at the provider."""
    known = (name for name in SsoShown.model_fields if hasattr(connection, name))
    plain: dict[str, Any] = {name: getattr(connection, name) for name in known}
    plain["domains"] = tuple(SsoDomainShown.model_validate(one) for one in connection.domains)
    plain["settings"] = dict(connection.settings) if connection.kind == "oidc" else {}
    return SsoShown(**{**plain, **addresses}, secret=connection.sealed_secret is not None)


def entered(done: SignedIn) -> SessionCreated:
    """The session of somebody who came in."""
    session = {name: getattr(done.session, name) for name in ("id", "token", "expires_at")}
    return SessionCreated(**session, assurance=done.proof.assurance, missing=done.missing, device=done.device)
