"""Playing today into restored rows before anybody may read them: erasures, deletions, holds, rights that ended.

Three witnesses, each enough: the ledger (by rows), the log (by entries) and the key tree (what is not in it is gone).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from troth.audit.leaf import read_leaf
from troth.backup import rows
from troth.backup.knowledge import Knowledge
from troth.backup.lost_ledger import NOTHING, Accepted, Amends, Lost, amend, lost
from troth.backup.standing import (
    GROUP,
    HOUSE_APPROVED,
    HOUSE_NAMED,
    POLICY_SET,
    make_sure,
    rows_of,
    tables,
    take_over,
)
from troth.backup.tails import DECISIONS
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM
from troth.keys import recovery
from troth.keys.lifecycle import ENDED, State
from troth.keys.roots.port import Root
from troth.keys.units import address
from troth.storage.database import Database, metadata
from troth.vault.ground import subject_digest

# What ended stays ended: table -> the state that has not ended. Rows are updated by primary key, `_ADDED` also added.
ENDINGS = {"key_scope": State.ACTIVE, "unit": State.ACTIVE, "vault_object": "live"}
_ADDED = frozenset({"key_scope"})
# Rights of people: as they are now, and gone when they are gone while their owner stays.
RIGHTS = ("users", "api_keys", "role_grants")
# As the backup has them: what only adds, what the key tree's recovery replaces, and what is set up again at will; of
# `installation` all but the house, which `take_over` brings.
AS_BACKED_UP = frozenset(
    """audit_details audit_witnessed budget_spent calendar_delivery calendar_reminder check_schedule check_tally
    installation tenants key_manifest key_page key_root key_tree probe_hour
    probe_outage receipts status_day tenant_arrival usage_day usage_row vault_edge video_jobs""".split()
)
_LETTER = "clo_"  # a last letter has a key of its own, which goes when it was sent: that is nobody's erasure
_WHOLE = frozenset({"subject", "tenant"})  # scopes of erasures that destroy every key
_GONE = "erased"
_AS_TODAY = "id subject facts shared unit version expires_at state reason erasure".split()


@dataclass(frozen=True, slots=True)
class Replayed:
    """How much of the backup did not survive today. `people` are forgotten owners (tenant, subject)."""

    people: tuple[tuple[str, str], ...]
    units: int
    objects: int
    amends: Amends = NOTHING


def replay(
    database: Database, today: Knowledge, roots: Iterable[Root], at: int, accepted: Accepted | None = None
) -> Replayed:
    """Bring restored rows up to today in one transaction; `at` in epoch milliseconds.

    Raises `IntegrityError`: `ledger-behind` when only the log knows of an erasure, unless `accepted`,
    `tree-behind` when the key tree is older than an erasure in the log, `live-unreadable` when it lacks a live key.
    """
    with database.write(SYSTEM) as connection:
        _decisions(today.ledger, connection)
        _endings(today.ledger, connection)
        _standing(today.ledger, connection)
        _rights(today.ledger, connection)
        leaves = [leaf for _, entries in today.logs.values() for leaf in entries]
        take_over(today.ledger, connection)
        if today.living:
            _require_keys(connection, today)
        else:
            houses = _leaves_of(leaves, HOUSE_NAMED, HOUSE_APPROVED)
            make_sure(connection, _leaves_of(leaves, POLICY_SET), houses, at)
        units = recovery.install(connection, today.tree, list(roots), at)
        objects = _deleted(connection, leaves) + _unreadable(connection, at)
        amends = amend(connection, _lost(connection, leaves), accepted, at)
        _require_tree(today, leaves)
        people = tuple(_erased_people(connection))
        rows.number_on(connection)
    return Replayed(people, units, objects, amends)


def _decisions(ledger: Database, connection: Connection) -> None:
    for table in tables(DECISIONS):
        connection.execute(delete(table))
        for some in rows_of(ledger, select(table)):
            connection.execute(insert(table), some)


def _endings(ledger: Database, connection: Connection) -> None:
    for table in tables(ENDINGS):
        ended = select(table).where(table.c.state != ENDINGS[table.name])
        for some in rows_of(ledger, ended):
            for row in some:
                row.pop("seq", None)
                same = [column == row[column.name] for column in _key(table)]
                changed = connection.execute(update(table).where(*same).values(row)).rowcount
                if not changed and table.name in _ADDED:
                    connection.execute(insert(table), row)


def _standing(ledger: Database, connection: Connection) -> None:
    """What stands in both as it stands today: whose it is, what it is called, how long, and whether it is closed."""
    objects = metadata.tables["vault_object"]
    both = [objects.c[name] for name in _AS_TODAY]
    standing = objects.c.state.in_(("live", "closed"))
    for some in rows_of(ledger, select(*both).where(standing)):
        now = {row["id"]: row for row in some}
        here = select(*both).where(standing, objects.c.id.in_(now))
        for row in connection.execute(here).mappings().all():
            if changes := _changes(dict(row), now[row["id"]]):
                connection.execute(update(objects).where(objects.c.id == row["id"]).values(changes))


def _changes(here: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    ends = [one["expires_at"] for one in (here, now) if one["expires_at"] is not None]
    if ends and min(ends) != here["expires_at"]:
        changes["expires_at"] = min(ends)
    if here["state"] != "live" and now["state"] == "live":  # the erasure that had closed it was called off
        changes |= {name: now[name] for name in ("state", "reason", "erasure")}
    same_seal = (here["unit"], here["version"]) == (now["unit"], now["version"])
    if now["shared"] and same_seal and (here["subject"], here["facts"]) != (now["subject"], now["facts"]):
        changes |= {"subject": now["subject"], "facts": now["facts"]}  # an owner left, others stayed
    return changes


def _rights(ledger: Database, connection: Connection) -> None:
    users = metadata.tables["users"]
    there = {row["id"] for some in rows_of(ledger, select(users.c.id)) for row in some}
    for table in tables(RIGHTS):
        now = {
            tuple(row[one.name] for one in _key(table)): row for some in rows_of(ledger, select(table)) for row in some
        }
        for found in connection.execute(select(table)).mappings().all():
            key = tuple(found[one.name] for one in _key(table))
            same = [column == value for column, value in zip(_key(table), key, strict=True)]
            if key in now:
                connection.execute(update(table).where(*same).values(now[key]))
            elif table is not users and found["user"] in there:
                connection.execute(delete(table).where(*same))


def _deleted(connection: Connection, leaves: list[bytes]) -> int:
    """Objects that the log says were deleted after the backup, with all that derives from them."""
    objects, edges = metadata.tables["vault_object"], metadata.tables["vault_edge"]
    frontier = {str(one) for one in _facts(leaves, "object.deleted", "object")}
    children: dict[str, set[str]] = {}
    for parent, child in connection.execute(select(edges.c.parent, edges.c.child)):
        children.setdefault(parent, set()).add(child)
    gone: set[str] = set()
    while frontier:
        gone |= frontier
        frontier = {child for one in frontier for child in children.get(one, ())} - gone
    count = 0
    for some in _groups(sorted(gone)):
        these = objects.c.id.in_(some) & (objects.c.state == "live")
        count += connection.execute(update(objects).where(these).values(state="dropping", reason="deleted")).rowcount
    return count


def _unreadable(connection: Connection, at: int) -> int:
    """Objects whose unit is not in the key tree any more: nothing but their id, class and times stays."""
    objects, unit = metadata.tables["vault_object"], metadata.tables["unit"]
    gone = select(unit.c.id).where(unit.c.state.in_(ENDED))
    these = objects.c.unit.in_(gone)
    connection.execute(update(objects).where(these).values(unit_destroyed=True))
    empty = {"state": _GONE, "blob": None, "facts": None, "kind_index": None, "erased_at": at}
    return connection.execute(update(objects).where(these, objects.c.state != _GONE).values(empty)).rowcount


def _require_keys(connection: Connection, today: Knowledge) -> None:
    """What the living ledger calls alive must be in the tree: a key that is missing without an erasure was lost."""
    unit, scope = metadata.tables["unit"], metadata.tables["key_scope"]
    owners = select(scope.c.tenant, scope.c.subject).where(scope.c.state != State.ACTIVE)
    ended = {tuple(row) for row in connection.execute(owners)}
    alive = select(unit.c.id, unit.c.tenant, unit.c.subject).where(unit.c.state == State.ACTIVE)
    for row in connection.execute(alive):
        there = address(row.tenant, row.subject, bytes.fromhex(row.id)) in today.tree.addresses
        if not there and not ended & {(row.tenant, row.subject), (row.tenant, "")}:
            raise IntegrityError(
                "The newest key tree lacks keys that nobody erased; use the copies of another key domain.",
                code="live-unreadable",
            )


def _lost(connection: Connection, leaves: list[bytes]) -> list[Lost]:
    """Erasures in the log that neither ledger nor key tree shows."""
    erasure = metadata.tables["erasure"]
    known = set(connection.scalars(select(erasure.c.id)))
    begun, sealed = _by_erasure(leaves, "erasure.tombstoned"), _by_erasure(leaves, "erasure.sealed")
    shown = {one for one in begun.keys() & sealed.keys() if _in_tree(begun[one]["facts"], sealed[one]["facts"])}
    return lost(begun, sealed, begun.keys() - known - shown)


def _by_erasure(leaves: list[bytes], operation: str) -> dict[str, dict[str, Any]]:
    found = (leaf for leaf in _leaves_of(leaves, operation) if "erasure" in leaf.get("facts", {}))
    return {leaf["facts"]["erasure"]: leaf for leaf in found}


def _in_tree(begun: dict[str, Any], sealed: dict[str, Any]) -> bool:
    """True when a sealed erasure left no key of what it took: its scope takes every key, or as many as objects went.

    Otherwise a key lives on, for other objects of the same day or month or for a copy of one that was shared later, and
    only the ledger says which of them ended.
    """
    if _WHOLE & begun.get("kinds", {}).keys():
        return True
    return not sealed.get("by_deletion") and sealed.get("units", 0) >= sealed.get("objects", 0) > 0


def _require_tree(today: Knowledge, leaves: list[bytes]) -> None:
    """The log names the epoch of every sealed erasure: an earlier tree is from before one of them."""
    epochs = [int(epoch) for epoch in _facts(leaves, "erasure.sealed", "epoch")]
    if max(epochs, default=0) > today.tree.manifest.epoch:
        raise IntegrityError(
            "The key tree that opens is older than an erasure in the log: the roots are an old copy.",
            code="tree-behind",
        )


def _erased_people(connection: Connection) -> Iterator[tuple[str, str]]:
    """Owners in the restored rows whose fence an erasure closed for good, or whose account key is gone."""
    subjects, unit, users = (metadata.tables[name] for name in ("vault_subject", "unit", "users"))
    closed = set(connection.scalars(select(subjects.c.digest).where(subjects.c.state == _GONE)))
    owners = {tuple(row) for row in connection.execute(select(users.c.tenant, users.c.id))}
    accounts: dict[tuple[str, str], bool] = {}
    for row in connection.execute(select(unit.c.tenant, unit.c.subject, unit.c.period, unit.c.state)):
        owner = (row.tenant, row.subject)
        owners.add(owner)
        if row.period == "account":
            accounts[owner] = accounts.get(owner, False) or row.state != State.DESTROYED
    for tenant, subject in sorted(owners):
        if subject.startswith(_LETTER):
            continue
        if subject_digest(tenant, subject) in closed or not accounts.get((tenant, subject), True):
            yield tenant, subject


def _facts(leaves: list[bytes], operation: str, fact: str) -> Iterator[Any]:
    facts = (leaf.get("facts", {}) for leaf in _leaves_of(leaves, operation))
    return (each[fact] for each in facts if fact in each)


def _leaves_of(leaves: list[bytes], *operations: str) -> Iterator[dict[str, Any]]:
    """Every entry of some operations."""
    signs = [f'"{one}"'.encode() for one in operations]
    for leaf in leaves:
        if any(sign in leaf for sign in signs):  # reading every leaf would cost more than all the rest
            members = read_leaf(leaf)
            if members.get("op") in operations:
                yield members


def _key(table: Table) -> list[Any]:
    """The columns by which a row is the same in both databases: ids rather than numbers."""
    return [table.c.id] if "id" in table.c else list(table.primary_key.columns)


def _groups(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), GROUP):
        yield values[start : start + GROUP]
