"""The tables of provisioning. What a provider writes about people and groups is sealed; what is looked up is hashed."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, LargeBinary, String, Table

from troth.storage.database import Big, metadata


def _id(name: str, *extra: object, **options: bool) -> Column[str]:
    return Column(name, String(64), *extra, **options)  # type: ignore[arg-type]


tokens = Table(
    "scim_tokens",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", nullable=False, index=True),
    _id("connection", nullable=False, index=True),  # whose domains and mapping of groups to roles count
    Column("digest", LargeBinary(32), nullable=False),  # SHA-256 of the token, which carries 256 random bits
    Column("name", LargeBinary, nullable=False),  # sealed: people write names into labels
    Column("networks", String(400), nullable=False),  # from where it works, separated by spaces; empty: from anywhere
    _id("created_by", nullable=False),
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big, nullable=False),
    Column("used_at", Big),
)

people = Table(
    "scim_people",
    metadata,
    _id("user", ForeignKey("users.id"), primary_key=True),
    _id("tenant", nullable=False, index=True),
    _id("connection", nullable=False),
    Column("external", LargeBinary(32), unique=True),  # keyed hash of connection and the provider's own id
    Column("profile", LargeBinary, nullable=False),  # sealed JSON: externalId and parts of the name
    Column("made", Boolean, nullable=False),  # by the provider: only then is the address its to change
    Column("off_at", Big),  # when the provider, and nobody else, disabled the account
    Column("gone", Boolean, nullable=False),  # deleted there: no resource any more
    Column("changed_at", Big, nullable=False),
)

groups = Table(
    "scim_groups",
    metadata,
    _id("id", primary_key=True),
    _id("tenant", nullable=False, index=True),
    _id("connection", nullable=False, index=True),
    Column("named", LargeBinary(32), nullable=False, index=True),  # keyed hash of the name, as the mapping has it
    Column("profile", LargeBinary, nullable=False),  # sealed JSON: displayName, externalId
    Column("created_at", Big, nullable=False),
    Column("changed_at", Big, nullable=False),
)

members = Table(
    "scim_members",
    metadata,
    _id("group", primary_key=True),
    _id("user", ForeignKey("users.id"), primary_key=True, index=True),
    _id("tenant", nullable=False),
)
