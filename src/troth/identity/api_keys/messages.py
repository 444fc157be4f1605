"""What the operations on API keys take and give. All times are epoch milliseconds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.identity.api_keys.limits import MOST_MODELS, MOST_NETWORKS
from troth.identity.messages import Identifier, Label

NetworkText = Annotated[str, StringConstraints(min_length=2, max_length=49)]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Days = Annotated[int, Field(ge=1, le=365)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class KeyCreate(_Message):
    """A wish for an API key."""

    name: Label
    scopes: Annotated[frozenset[Literal["generate", "own-data", "own-data:write"]], Field(min_length=1)]
    days: Days | None = Field(None, description="Its life: 30 days when left out, or the most this server allows.")
    networks: Annotated[tuple[NetworkText, ...], Field(min_length=1, max_length=MOST_NETWORKS)] | None = Field(
        None, description="The only networks it may be used from, such as 203.0.113.0/24 or 2001:db8::/32."
    )
    models: Annotated[frozenset[ModelName], Field(min_length=1, max_length=MOST_MODELS)] | None = Field(
        None, description="The only models it may generate with."
    )


class KeyCreated(_Message):
    """A fresh API key; `token` is shown this once."""

    id: str
    token: str
    expires_at: int


class KeyRotate(_Message):
    """The key to replace by one with a fresh secret, and how long the old one goes on beside it."""

    key_id: Identifier
    overlap_hours: Annotated[int, Field(ge=0, le=24)] = 1
    days: Days | None = Field(None, description="The life of the new key: as long as the old one's when left out.")


class KeyRotated(KeyCreated):
    """The new key; the old one, `replaced`, ends at `replaced_until`."""

    replaced: str
    replaced_until: int


class KeyShown(_Message):
    """One API key of the caller.

    `state`: active, ends-soon (within a week), replaced (ends at `expires_at`), ended, or lapsed (not used for long).
    `networks` and `models` are absent where it has no such limit. `refused_at`: last shown from another network.
    """

    id: str
    name: str
    scopes: tuple[str, ...]
    networks: tuple[str, ...] | None
    models: tuple[str, ...] | None
    created_at: int
    expires_at: int
    used_at: int | None
    lapses_at: int
    replaced_by: str | None
    refused_at: int | None
    state: str


class KeyList(_Message):
    """The caller's API keys, newest first."""

    keys: tuple[KeyShown, ...]


class KeyRevoke(_Message):
    """The key to end."""

    key_id: Identifier
