"""The vault's tables and their SQL. Nothing here can read content: names, kinds and sizes are ciphertext."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    LargeBinary,
    RowMapping,
    String,
    Table,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from troth.kernel.errors import Gone
from troth.storage.database import Big, metadata
from troth.storage.prepared import PreparedInsert
from troth.vault.ground import subject_digest

LIVE, DROPPING, ERASED = "live", "dropping", "erased"
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
)

edges = Table(
    "vault_edge",
    metadata,
    Column("parent", String(64), primary_key=True),
    Column("child", String(64), primary_key=True, index=True),
)

# One row per person who ever kept something: the fence that uploads and erasures meet at.
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
    reason: str | None = None
    erasure: str | None = None
    erased_at: int | None = None


# Statements of the way of every object are built once: building them costs more than running them.
_WRITTEN = tuple(name for name in Row.__slots__ if name != "seq")
_ADD = PreparedInsert(objects, *_WRITTEN)
_FENCE = select(subjects.c.state).where(subjects.c.digest == bindparam("person")).with_for_update(read=True)
_ERASED = select(subjects.c.state).where(subjects.c.digest == bindparam("person"))
_FIND = select(objects).where(
    objects.c.id == bindparam("object"),
    objects.c.tenant == bindparam("of"),
    or_(objects.c.subject == bindparam("person"), objects.c.subject == bindparam("digest")),
)


def row_of(mapping: RowMapping) -> Row:
    """A typed row."""
    return Row(**dict(mapping))


def insert_missing(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert unless a row of that key exists; True when it was inserted."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(**values).on_conflict_do_nothing()
    return connection.execute(statement.returning(*table.primary_key.columns)).first() is not None


def fence(connection: Connection, tenant: str, subject: str) -> None:
    """Hold off an erasure of this person until this transaction ends. Raises `Gone` when one has begun.

    PostgreSQL: a shared row lock, which the erasure's update waits for. SQLite has one writer at a time anyway.
    """
    digest = subject_digest(tenant, subject)
    state = connection.execute(_FENCE, {"person": digest}).scalar()
    if state is None:  # their first object; somebody else may be putting the row there at the same time
        insert_missing(connection, subjects, {"digest": digest, "state": LIVE})
        state = connection.execute(_FENCE, {"person": digest}).scalar_one()
    if state != LIVE:
        raise Gone("This person was erased here; nothing more can be kept for them.", code="subject-erased")


def mark_subject(connection: Connection, digest: str, erasure: str, now: int) -> None:
    """Close the fence for good. Idempotent."""
    insert_missing(connection, subjects, {"digest": digest, "state": LIVE})
    connection.execute(
        update(subjects)
        .where(subjects.c.digest == digest, subjects.c.state == LIVE)
        .values(state=ERASED, erasure=erasure, marked_at=now)
    )


def subject_erased(connection: Connection, tenant: str, subject: str) -> bool:
    """True once an erasure of this person has begun."""
    found = connection.execute(_ERASED, {"person": subject_digest(tenant, subject)})
    return found.scalar() == ERASED


def insert_object(connection: Connection, row: Row, parents: Sequence[str]) -> None:
    """One live row, numbered by the database, and its derivation edges."""
    _ADD.run(connection, [{name: getattr(row, name) for name in _WRITTEN}])
    add_edges(connection, row.id, parents)


def add_edges(connection: Connection, child: str, parents: Sequence[str]) -> None:
    """`child` goes when one of `parents` goes."""
    if parents:
        connection.execute(insert(edges), [{"parent": parent, "child": child} for parent in parents])


def find(connection: Connection, tenant: str, subject: str, object_id: str) -> Row | None:
    """The row of an object that belongs, or belonged before its erasure, to this person."""
    names = {"person": subject, "digest": subject_digest(tenant, subject)}
    mapping = connection.execute(_FIND, {"object": object_id, "of": tenant} | names).mappings().first()
    return row_of(mapping) if mapping else None


def lock_parents(connection: Connection, tenant: str, subject: str, ids: Sequence[str]) -> list[Row]:
    """Live parents, kept from changing state until this transaction ends."""
    if not ids:
        return []
    query = select(objects).where(
        objects.c.id.in_(ids), objects.c.tenant == tenant, objects.c.subject == subject, objects.c.state == LIVE
    )
    return [row_of(mapping) for mapping in connection.execute(query.with_for_update(read=True)).mappings()]


def page(
    connection: Connection,
    tenant: str,
    subject: str,
    now: int,
    *,
    before: Row | None = None,
    kind: bytes | None = None,
    limit: int = _BATCH,
) -> list[Row]:
    """Live rows of a person, newest first, older than `before`, of one kind when given."""
    query = select(objects).where(objects.c.tenant == tenant, objects.c.subject == subject, objects.c.state == LIVE)
    query = query.where(or_(objects.c.expires_at.is_(None), objects.c.expires_at > now))
    if before is not None:
        query = query.where(objects.c.seq < before.seq)
    if kind is not None:
        query = query.where(objects.c.kind_index == kind)
    return _rows(connection, query.order_by(objects.c.seq.desc()).limit(limit))


def parents_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """What each object was derived from."""
    found: dict[str, list[str]] = {}
    for batch in _batches(ids):
        for parent, child in connection.execute(select(edges).where(edges.c.child.in_(batch)).order_by(edges.c.parent)):
            found.setdefault(child, []).append(parent)
    return found


def closure(connection: Connection, roots: Iterable[str]) -> list[str]:
    """The roots and everything derived from them, to any depth; sorted."""
    seen = set(roots)
    frontier = list(seen)
    while frontier:
        children: set[str] = set()
        for batch in _batches(frontier):
            children.update(connection.execute(select(edges.c.child).where(edges.c.parent.in_(batch))).scalars())
        frontier = sorted(children - seen)
        seen |= children
    return sorted(seen)


def by_ids(connection: Connection, ids: Iterable[str]) -> list[Row]:
    """The rows of these objects, sorted by id."""
    found: list[Row] = []
    for batch in _batches(ids):
        found += _rows(connection, select(objects).where(objects.c.id.in_(batch)))
    return sorted(found, key=lambda row: row.id)


def of_erasure(connection: Connection, erasure: str) -> list[Row]:
    """All rows that one erasure took, sorted by id."""
    return _rows(connection, select(objects).where(objects.c.erasure == erasure).order_by(objects.c.id))


def mark_closure(connection: Connection, roots: Iterable[str], reason: str, erasure: str | None) -> list[str]:
    """Take live objects and everything derived from them out of service; returns their ids. Keys and bytes follow.

    Marking locks the rows, so a copy that was being derived meanwhile either shows up in the next look or is refused.
    """
    ids: list[str] = []
    while (found := closure(connection, ids or roots)) != ids:
        ids = found
        for batch in _batches(ids):
            change = update(objects).where(objects.c.id.in_(batch), objects.c.state == LIVE)
            connection.execute(change.values(state=DROPPING, reason=reason, erasure=erasure))
    return ids


def take_subject(connection: Connection, tenant: str, subject: str) -> list[str]:
    """Hand every row of a person to their erasure and put the digest in the place of the id. Idempotent.

    Returns the ids of the rows that it found.
    """
    digest = subject_digest(tenant, subject)
    erasure = connection.execute(select(subjects.c.erasure).where(subjects.c.digest == digest)).scalar()
    mine = and_(objects.c.tenant == tenant, objects.c.subject == subject)
    found = sorted(connection.execute(select(objects.c.id).where(mine, objects.c.state != ERASED)).scalars())
    connection.execute(
        update(objects)
        .where(mine, objects.c.state != ERASED, objects.c.erasure.is_(None))
        .values(state=DROPPING, reason="subject-erased", erasure=erasure)
    )
    connection.execute(update(objects).where(mine).values(subject=digest, kind_index=None, facts=None))
    return found


def dropping(connection: Connection, limit: int) -> list[Row]:
    """Rows on their way out that no erasure owns."""
    query = select(objects).where(objects.c.state == DROPPING, objects.c.erasure.is_(None))
    return _rows(connection, query.order_by(objects.c.seq).limit(limit))


def late(
    connection: Connection, now: int, limits: Sequence[tuple[str, str, int]], *, after: int = 0, limit: int = 1000
) -> list[Row]:
    """Live rows past their deadline in order of keeping, one page beyond the row numbered `after`.

    `limits` are (tenant, class, latest creation that is too old).
    """
    reasons = [objects.c.expires_at <= now]
    for tenant, data_class, oldest in limits:
        old = and_(objects.c.data_class == data_class, objects.c.created_at <= oldest)
        reasons.append(and_(objects.c.tenant == tenant, old))
    query = select(objects).where(objects.c.state == LIVE, objects.c.seq > after, or_(*reasons))
    return _rows(connection, query.order_by(objects.c.seq).limit(limit))


def end_by(connection: Connection, owner: tuple[str, str], data_class: str, deadline: int) -> None:
    """Give what a person (tenant, subject) has of a class a deadline; an earlier one stays."""
    mine = (objects.c.tenant == owner[0], objects.c.subject == owner[1], objects.c.data_class == data_class)
    later = or_(objects.c.expires_at.is_(None), objects.c.expires_at > deadline)
    connection.execute(update(objects).where(*mine, objects.c.state == LIVE, later).values(expires_at=deadline))


def blobs_with_rows(connection: Connection, names: Iterable[str]) -> set[str]:
    """Those of the blobs that a row speaks of."""
    found: set[str] = set()
    for batch in _batches(names):
        found.update(connection.execute(select(objects.c.blob).where(objects.c.blob.in_(batch))).scalars())
    return found


def idle(connection: Connection, units: Iterable[str], today: str) -> list[str]:
    """Those units whose every object is on its way out and which can take no new one: own units and past periods."""
    used = objects.alias("used")
    still_used = exists().where(used.c.unit == objects.c.unit, used.c.state == LIVE)
    closed = or_(objects.c.period.is_(None), objects.c.period < today)
    found: set[str] = set()
    for batch in _batches(units):
        query = select(objects.c.unit).where(objects.c.unit.in_(batch), closed, ~still_used)
        found.update(connection.execute(query).scalars())
    return sorted(found)


def leftover_units(connection: Connection, limit: int) -> list[str]:
    """Units of erased objects that were still in use when those went."""
    query = select(objects.c.unit).where(objects.c.state == ERASED, objects.c.unit_destroyed.is_(False))
    return sorted(connection.execute(query.distinct().limit(limit)).scalars())


def finish(connection: Connection, ids: Sequence[str], now: int) -> None:
    """The bytes are deleted: nothing but ids, class and times stays."""
    for batch in _batches(ids):
        gone = {"state": ERASED, "blob": None, "facts": None, "kind_index": None, "erased_at": now}
        connection.execute(update(objects).where(objects.c.id.in_(batch)).values(**gone))


def mark_units(connection: Connection, units: Iterable[str]) -> None:
    """These units are destroyed."""
    for batch in _batches(units):
        connection.execute(update(objects).where(objects.c.unit.in_(batch)).values(unit_destroyed=True))


def _rows(connection: Connection, query: Any) -> list[Row]:
    return [row_of(mapping) for mapping in connection.execute(query).mappings()]


def _batches(values: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
