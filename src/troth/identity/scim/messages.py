"""What provisioning's operations take and give. All times are epoch milliseconds; `token` is shown once."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.identity.messages import Identifier, Label
from troth.identity.scim.tokens import DEFAULT_DAYS, MAXIMUM_DAYS, MOST_NETWORKS

_Network = Annotated[str, StringConstraints(min_length=3, max_length=43, pattern=r"^[0-9A-Fa-f:./]+$")]
_Days = Annotated[int, Field(ge=1, le=MAXIMUM_DAYS)]
_Text = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00]*$")]
_Header = Annotated[str, StringConstraints(max_length=256)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class TokenCreate(_Message):
    """A provisioning token for the provider of a connection; `networks`: from where it works, anywhere if none."""

    connection_id: Identifier
    name: Label
    days: _Days = DEFAULT_DAYS
    networks: Annotated[tuple[_Network, ...], Field(max_length=MOST_NETWORKS)] = ()


class TokenNamed(_Message):
    """One token."""

    token_id: Identifier


class TokenRotate(TokenNamed):
    """A new secret for a token, and its new life."""

    days: _Days = DEFAULT_DAYS


class TokenIssued(_Message):
    """A token, shown this once, and the address that the provider is to be given."""

    id: str
    token: str
    expires_at: int
    address: str


class TokenShown(_Message):
    """A token as owners see it."""

    id: str
    name: str
    connection: str
    networks: tuple[str, ...]
    created_by: str
    created_at: int
    expires_at: int
    used_at: int | None


class TokenList(_Message):
    """The tokens of a tenant, newest first."""

    address: str
    tokens: tuple[TokenShown, ...]


class ScimAsked(_Message):
    """A message of SCIM 2.0 as it came: query parameters, conditions (RFC 9110 section 13) and the unread body."""

    query: Annotated[dict[_Text, _Text], Field(max_length=16)] = Field(default_factory=dict)
    headers: Annotated[dict[_Text, _Header], Field(max_length=3)] = Field(default_factory=dict)
    body: Annotated[bytes, Field(max_length=1 << 20)] = b""


class ScimNamed(ScimAsked):
    """The same about one resource."""

    resource_id: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00/]*$")]
