"""Finding and adding rows of objects. Nothing here can read content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, insert, or_, select

from troth.storage.prepared import PreparedInsert
from troth.vault.fences import fence
from troth.vault.ground import subject_digest
from troth.vault.tables import (
    CLOSED,
    DROPPING,
    ERASED,
    LIVE,
    OWNER,
    SHOWN,
    Row,
    batches,
    concerns,
    edges,
    insert_missing,
    objects,
    orphans,
    row_of,
    rows_of,
    subjects,
)

__all__ = [
    "CLOSED",
    "DROPPING",
    "ERASED",
    "LIVE",
    "OWNER",
    "SHOWN",
    "Row",
    "batches",
    "concerns",
    "edges",
    "fence",
    "insert_missing",
    "objects",
    "orphans",
    "row_of",
    "rows_of",
    "subjects",
]
_PAGE = 500

# Statements of the way of every object are built once: building them costs more than running them.
_WRITTEN = tuple(name for name in Row.__slots__ if name != "seq")
_ADD = PreparedInsert(objects, *_WRITTEN)
_FIND = select(objects).where(
    objects.c.id == bindparam("object"),
    objects.c.tenant == bindparam("of"),
    or_(objects.c.subject == bindparam("person"), objects.c.subject == bindparam("digest")),
)


def insert_object(connection: Connection, row: Row, parents: Sequence[str]) -> None:
    """One live row, numbered by the database, and its derivation edges."""
    _ADD.run(connection, [{name: getattr(row, name) for name in _WRITTEN}])
    add_edges(connection, row.id, parents)


def add_edges(connection: Connection, child: str, parents: Sequence[str]) -> None:
    """`child` goes when one of `parents` goes."""
    if parents:
        connection.execute(insert(edges), [{"parent": parent, "child": child} for parent in parents])


def add_concerns(connection: Connection, row: Row, roles: Mapping[str, str]) -> None:
    """Whom a shared object concerns: role by person."""
    values = [{"object": row.id, "tenant": row.tenant, "subject": one, "role": role} for one, role in roles.items()]
    if values:
        connection.execute(insert(concerns), values)


def find(
    connection: Connection, tenant: str, subject: str, object_id: str, *, roles: tuple[str, ...] = (OWNER,)
) -> Row | None:
    """The row of an object that belongs, or belonged before its erasure, to this person, alone or with others."""
    names = {"person": subject, "digest": subject_digest(tenant, subject)}
    mapping = connection.execute(_FIND, {"object": object_id, "of": tenant} | names).mappings().first()
    if mapping is None:
        mine = concerned(tenant, subject, roles)
        query = select(objects).where(objects.c.id == object_id, objects.c.tenant == tenant, objects.c.id.in_(mine))
        mapping = connection.execute(query).mappings().first()
    return row_of(mapping) if mapping else None


def concerned(tenant: str, subject: str, roles: tuple[str, ...] = (OWNER,)) -> Select[Any]:
    """The ids of shared objects that concern a person in one of these roles."""
    mine = concerns.c.tenant == tenant, concerns.c.subject == subject, concerns.c.role.in_(roles)
    return select(concerns.c.object).where(*mine)


def shown(connection: Connection, row: Row) -> list[str]:
    """The people whom a shared object shows."""
    meant = select(concerns.c.subject).where(concerns.c.object == row.id, concerns.c.role == SHOWN)
    return list(connection.execute(meant).scalars())


def shown_in(connection: Connection, ids: Iterable[str]) -> set[str]:
    """The people whom any of these objects shows."""
    found: set[str] = set()
    for batch in batches(ids):
        meant = select(concerns.c.subject).where(concerns.c.object.in_(batch), concerns.c.role == SHOWN)
        found.update(connection.execute(meant).scalars())
    return found


def lock_parents(connection: Connection, tenant: str, subject: str, ids: Sequence[str]) -> list[Row]:
    """Live parents, kept from changing state until this transaction ends."""
    if not ids:
        return []
    query = select(objects).where(
        objects.c.id.in_(ids), objects.c.tenant == tenant, _of(connection, tenant, subject), objects.c.state == LIVE
    )
    return [row_of(mapping) for mapping in connection.execute(query.with_for_update(read=True)).mappings()]


def page(
    connection: Connection,
    tenant: str,
    subject: str,
    now: int,
    *,
    before: Row | None = None,
    kinds: tuple[bytes | None, bytes | None] = (None, None),
    limit: int = _PAGE,
    over: bool = False,
) -> list[Row]:
    """Live rows of a person, newest first, older than `before`; `over`: with those past their end.

    `kinds`: the index of the only kind that is wanted, and of one that is not.
    """
    mine = _of(connection, tenant, subject)
    query = select(objects).where(objects.c.tenant == tenant, mine, objects.c.state == LIVE)
    if not over:
        query = query.where(or_(objects.c.expires_at.is_(None), objects.c.expires_at > now))
    if before is not None:
        query = query.where(objects.c.seq < before.seq)
    only, besides = kinds
    if only is not None:
        query = query.where(objects.c.kind_index == only)
    if besides is not None:
        query = query.where(objects.c.kind_index != besides)
    return rows_of(connection, query.order_by(objects.c.seq.desc()).limit(limit))


def parents_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[str]]:
    """What each object was derived from."""
    found: dict[str, list[str]] = {}
    for batch in batches(ids):
        for parent, child in connection.execute(select(edges).where(edges.c.child.in_(batch)).order_by(edges.c.parent)):
            found.setdefault(child, []).append(parent)
    return found


def closure(connection: Connection, roots: Iterable[str]) -> list[str]:
    """The roots and everything derived from them, to any depth; sorted."""
    seen = set(roots)
    frontier = list(seen)
    while frontier:
        children: set[str] = set()
        for batch in batches(frontier):
            children.update(connection.execute(select(edges.c.child).where(edges.c.parent.in_(batch))).scalars())
        frontier = sorted(children - seen)
        seen |= children
    return sorted(seen)


def by_ids(connection: Connection, ids: Iterable[str]) -> list[Row]:
    """The rows of these objects, sorted by id."""
    found: list[Row] = []
    for batch in batches(ids):
        found += rows_of(connection, select(objects).where(objects.c.id.in_(batch)))
    return sorted(found, key=lambda row: row.id)


def blobs_with_rows(connection: Connection, names: Iterable[str]) -> set[str]:
    """Those of the blobs that a row speaks of."""
    found: set[str] = set()
    for batch in batches(names):
        found.update(connection.execute(select(objects.c.blob).where(objects.c.blob.in_(batch))).scalars())
    return found


def units_with_rows(connection: Connection, units: Sequence[str]) -> set[str]:
    """Those of at most 500 units (hex) that a row speaks of."""
    return set(connection.execute(select(objects.c.unit).where(objects.c.unit.in_(units))).scalars())


def _of(connection: Connection, tenant: str, subject: str) -> ColumnElement[bool]:
    """What belongs to a person. Who shares nothing, as nearly everybody, is found by the plain index."""
    ids = concerned(tenant, subject)
    mine = objects.c.subject == subject
    return mine if connection.execute(ids.limit(1)).first() is None else or_(mine, objects.c.id.in_(ids))
