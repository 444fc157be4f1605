"""The vault's tables. Nothing in them can be read: names, kinds and sizes are ciphertext."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, LargeBinary, RowMapping, Select, String, Table

from troth.storage.database import Big, metadata

LIVE, CLOSED, DROPPING, ERASED = "live", "closed", "dropping", "erased"  # closed: shut, and can be opened again
OWNER, SHOWN = "owner", "shown"  # how an object concerns a person beside, or instead of, the one who kept it
_BATCH = 500  # values in one IN list; SQLite's own limit is higher

objects = Table(
    "vault_object",
    metadata,
    Column("seq", Big, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),  # after an erasure: its digest
    Column("data_class", String(16), nullable=False),
    Column("jurisdiction", String(8), nullable=False),
    Column("kind_index", LargeBinary),  # keyed hash of tenant and kind
    Column("unit", String(32), nullable=False),
    Column("period", String(16)),  # None: the unit is this object's own
    Column("shared", Boolean, nullable=False),  # concerns several people; its unit is nobody's own
    Column("purpose", String(64)),
    Column("consent", String(64)),  # the consent it lives by, and ends with
    Column("unit_destroyed", Boolean, nullable=False),
    Column("version", Big, nullable=False),
    Column("blob", String(128)),  # None once the ciphertext is deleted
    Column("facts", LargeBinary),  # sealed: name, kind, media type, size
    Column("created_at", Big, nullable=False),
    Column("expires_at", Big),
    Column("state", String(16), nullable=False),
    Column("reason", String(16)),
    Column("erasure", String(64)),
    Column("erased_at", Big),
    Index("ix_vault_object_owner", "tenant", "subject", "seq"),
    Index("ix_vault_object_expiry", "state", "expires_at"),
    Index("ix_vault_object_unit", "unit"),
    Index("ix_vault_object_erasure", "erasure"),
    Index("ix_vault_object_consent", "consent"),
)

# How far the scrub has come, and what it found that is not as it was kept.
scrub_rounds = Table(
    "scrub_round",
    metadata,
    Column("name", String(8), primary_key=True),  # always "this": there is one row
    Column("position", Big, nullable=False),  # the `seq` of the object looked at last
    Column("began_at", Big, nullable=False),
    Column("ended_at", Big),  # of the last whole round
    Column("examined", Big, nullable=False),  # in this round
    Column("closed", Big, nullable=False),  # of which their key is suspended: only their framing was looked at
)
scrub_findings = Table(
    "scrub_finding",
    metadata,
    Column("object", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("found_at", Big, nullable=False),
)

# Whom a shared object concerns; a row goes with its person.
concerns = Table(
    "vault_concern",
    metadata,
    Column("object", String(64), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("role", String(8), nullable=False),
    Index("ix_vault_concern_person", "tenant", "subject"),
)

edges = Table(
    "vault_edge",
    metadata,
    Column("parent", String(64), primary_key=True),
    Column("child", String(64), primary_key=True, index=True),
)

# One row per person, and per tenant, of whom something was ever kept: the fence that uploads and erasures meet at.
subjects = Table(
    "vault_subject",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("erasure", String(64)),
    Column("marked_at", Big),
)

# Ciphertext without a row, seen once; deleted when it is still without one later.
orphans = Table(
    "vault_orphan",
    metadata,
    Column("blob", String(128), primary_key=True),
    Column("seen_at", Big, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of vault_object."""

    seq: int
    id: str
    tenant: str
    subject: str
    data_class: str
    jurisdiction: str
    kind_index: bytes | None
    unit: str
    period: str | None
    unit_destroyed: bool
    version: int
    blob: str | None
    facts: bytes | None
    created_at: int
    expires_at: int | None
    state: str
    shared: bool = False
    purpose: str | None = None
    consent: str | None = None
    reason: str | None = None
    erasure: str | None = None
    erased_at: int | None = None


def row_of(mapping: RowMapping) -> Row:
    """A typed row."""
    return Row(**dict(mapping))


def insert_missing(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert unless a row of that key exists; True when it was inserted."""
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")  # the other is 2 MB for nothing
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(*table.primary_key.columns)).first() is not None


_IN_ORDER = tuple(objects.c[name] for name in Row.__slots__)


def rows_of(connection: Connection, query: Select[Any]) -> list[Row]:
    """Typed rows of a query over `objects`. A person may have a million: no mapping in between."""
    return [Row(*values) for values in connection.execute(query.with_only_columns(*_IN_ORDER))]


def batches(values: Iterable[str]) -> Iterable[list[str]]:
    """Sorted, in pieces that one statement can name."""
    ordered = sorted(values)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
