"""What the authorization server takes and gives. All times are epoch milliseconds, but in answers of OAuth, which count
seconds. Tokens and codes are shown once and not kept.

OAuth's own messages pass over members that they do not know, as RFC 6749 section 3.2 wants it; all others refuse them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.identity.messages import Identifier

Text = Annotated[str, StringConstraints(max_length=256)]
Token = Annotated[str, StringConstraints(max_length=256)]
Signed = Annotated[str, StringConstraints(max_length=4096)]
ServiceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
ServiceScope = Literal["generate", "own-data", "own-data:write"]
UserCode = Annotated[str, StringConstraints(min_length=8, max_length=32, strip_whitespace=True)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class _Standard(BaseModel):
    """A message whose form a standard gives."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class DeviceAuthorization(_Standard):
    """RFC 8628 section 3.1. The codes belong to the key that the request shows."""

    client_id: Text = ""
    scope: Text = ""


class DeviceAuthorized(_Message):
    """RFC 8628 section 3.2, without a link that carries the code."""

    device_code: str = Field(repr=False)
    user_code: str = Field(repr=False)
    verification_uri: str
    expires_in: int
    interval: int


class TokenAsked(_Standard):
    """RFC 6749 section 4.4.2 and 6, RFC 8628 section 3.4, RFC 7523 section 2.2."""

    grant_type: Text = ""
    client_id: Text | None = None
    client_assertion_type: Text | None = None
    client_assertion: Signed | None = Field(None, repr=False)
    device_code: Token | None = Field(None, repr=False)
    refresh_token: Token | None = Field(None, repr=False)
    scope: Text | None = None


class TokenGiven(_Message):
    """RFC 6749 section 5.1, RFC 9449 section 5."""

    access_token: str = Field(repr=False)
    token_type: str
    expires_in: int
    refresh_token: str | None = Field(None, repr=False)
    scope: str | None = None


class TokenRevoke(_Standard):
    """RFC 7009 section 2.1; the client proves itself as at the token endpoint."""

    token: Token = Field("", repr=False)
    client_id: Text | None = None
    client_assertion_type: Text | None = None
    client_assertion: Signed | None = Field(None, repr=False)


class Revoked(_Message):
    """An answer without content: whether there was such a token is not told."""


class Metadata(_Message):
    """RFC 8414 section 2."""

    issuer: str
    token_endpoint: str
    device_authorization_endpoint: str
    revocation_endpoint: str
    response_types_supported: tuple[str, ...] = ()
    grant_types_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    revocation_endpoint_auth_methods_supported: tuple[str, ...]
    revocation_endpoint_auth_signing_alg_values_supported: tuple[str, ...]
    dpop_signing_alg_values_supported: tuple[str, ...]
    tls_client_certificate_bound_access_tokens: bool = True


class DeviceCodeTyped(_Message):
    """The code that a device shows, in any case and with or without its dash."""

    user_code: UserCode = Field(repr=False)


class DeviceWaiting(_Message):
    """A device that waits to be signed in. `zone`: where in the network it asked from; `key`: how its key begins."""

    id: str
    client: str = "troth-cli"
    zone: str
    key: str
    created_at: int
    expires_at: int


class ServiceCreate(_Message):
    """A service account. `jwk`: the public half of a P-256 or Ed25519 key; without one it comes by a certificate."""

    name: ServiceName
    scopes: frozenset[ServiceScope] = Field(min_length=1)
    days: int = Field(90, ge=1, le=365)
    owner_id: Identifier | None = Field(None, description="The person who answers for it; you, when left out.")
    jwk: dict[str, Any] | None = Field(None, description="Public key as JWK: a JSON object, or @FILE with one.")


class ServiceNamed(_Message):
    """One service account."""

    service_id: Identifier


class ServiceRotate(_Message):
    """A new public key. Unless `exposed`, the former one signs for a day more."""

    service_id: Identifier
    jwk: dict[str, Any] = Field(description="Public key as JWK: a JSON object, or @FILE with one.")
    exposed: bool = Field(False, description="Somebody else may have the former key: it and its tokens end at once.")


class ServiceAssign(_Message):
    """The person who answers for a service account from now on."""

    service_id: Identifier
    owner_id: Identifier


class ServiceShown(_Message):
    """One service account; `method` as in RFC 8414; `owner` is None once that person was erased."""

    id: str
    name: str
    owner: str | None
    scopes: tuple[str, ...]
    method: str
    in_force: bool
    created_at: int
    expires_at: int
    disabled_at: int | None
    used_at: int | None


class ServiceList(_Message):
    """The tenant's service accounts, newest first."""

    services: tuple[ServiceShown, ...]
