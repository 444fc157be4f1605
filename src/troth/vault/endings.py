"""How rows of objects end: marked, handed to an erasure, freed of keys, emptied. Every statement can be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, exists, func, or_, select, true, update

from troth.vault import prints
from troth.vault.fences import erasure_of
from troth.vault.ground import subject_digest
from troth.vault.store import CLOSED, DROPPING, ERASED, LIVE, Row, batches, closure, concerns, objects, rows_of

PAGE = 5_000  # rows in one transaction: other writers get their turn in between
MOVED = "moved"  # why bytes went whose object moved to a key of its own
Rule = tuple[str, str, str]  # tenant, data class, purpose ("": whatever the purpose)


def taken_by(erasure: str) -> ColumnElement[bool]:
    """The rows that one erasure took."""
    return objects.c.erasure == erasure


def left_under(units: Sequence[str]) -> ColumnElement[bool]:
    """The rows of what was erased while its unit, one of at most 500 of these, still served others."""
    return and_(objects.c.unit.in_(units), objects.c.state == ERASED)


def page_of(
    connection: Connection, which: ColumnElement[bool], *, after: int = 0, limit: int | None = None
) -> list[Row]:
    """The next of those rows in order of keeping, beyond the one numbered `after`."""
    return rows_of(
        connection, select(objects).where(which, objects.c.seq > after).order_by(objects.c.seq).limit(limit or PAGE)
    )


def units_of(connection: Connection, which: ColumnElement[bool], limit: int | None = None) -> list[str]:
    """The units of those rows, sorted."""
    found = select(objects.c.unit).where(which).distinct().limit(limit)
    return sorted(connection.execute(found).scalars())


def more_than(connection: Connection, which: ColumnElement[bool], count: int) -> bool:
    """True when there are more of those rows than `count`."""
    return connection.execute(select(objects.c.seq).where(which).offset(count).limit(1)).first() is not None


def owned_by(tenant: str, subject: str | None) -> ColumnElement[bool]:
    """A person's rows before they are handed over, or (None) a tenant's."""
    mine = objects.c.tenant == tenant
    return mine if subject is None else and_(mine, objects.c.subject == subject)


def under(tenant: str, digest: str | None) -> ColumnElement[bool]:
    """What lies in the key tree under a person whose rows are handed over, or (None) anywhere under a tenant."""
    whole = objects.c.tenant == tenant
    return whole if digest is None else and_(whole, objects.c.subject == digest, objects.c.shared.is_(False))


def earlier_copies(connection: Connection, rows: Sequence[Row]) -> dict[str, str]:
    """Of those shared objects that moved away from a key which still stands: their ids, each with that key's last day.

    Whoever has a backup from before the move opens them with it. Row and earlier copy have class and moment in common.
    """
    shared = [row for row in rows if row.shared]
    left: dict[tuple[str, str, int], str] = {}
    for tenant in {row.tenant for row in shared}:
        standing = objects.c.reason == MOVED, objects.c.unit_destroyed.is_(False)
        for one in rows_of(connection, select(objects).where(objects.c.tenant == tenant, *standing)):
            left[tenant, one.data_class, one.created_at] = one.period or ""
    found = {row.id: left.get((row.tenant, row.data_class, row.created_at)) for row in shared}
    return {identifier: period for identifier, period in found.items() if period is not None}


def erasures_after_move(connection: Connection, rows: Sequence[Row]) -> set[str]:
    """The erasures of the objects of which these rows were earlier copies."""
    found: set[str] = set()
    for batch in batches(str(row.created_at) for row in rows if row.reason == MOVED):
        same = objects.c.tenant == rows[0].tenant, objects.c.created_at.in_([int(one) for one in batch])
        taken = select(objects.c.erasure).where(*same, objects.c.shared, objects.c.erasure.is_not(None))
        found.update(connection.execute(taken).scalars())
    return found


def mark_under(connection: Connection, which: ColumnElement[bool]) -> None:
    """The units of what lies under somebody are destroyed."""
    connection.execute(update(objects).where(which, objects.c.unit_destroyed.is_(False)).values(unit_destroyed=True))


def mark_closure(connection: Connection, roots: Iterable[str], reason: str, erasure: str | None) -> list[str]:
    """Take live objects and everything derived from them out of service; returns their ids. Keys and bytes follow.

    Marking locks the rows, so a copy that was being derived meanwhile either shows up in the next look or is refused.
    """
    ids: list[str] = []
    while (found := closure(connection, ids or roots)) != ids:
        ids = found
        for batch in batches(ids):
            change = update(objects).where(objects.c.id.in_(batch), objects.c.state.in_((LIVE, CLOSED)))
            connection.execute(change.values(state=DROPPING, reason=reason, erasure=erasure))
    prints.drop(connection, ids)
    return ids


def take_page(connection: Connection, tenant: str, subject: str, *, destroyed: bool) -> tuple[list[str], bool]:
    """Hand some rows of a person to their erasure and put the digest in the place of the id; call until it says so.

    `destroyed`: the keys that lie under the person are. Returns the ids of the rows that had not ended, and whether
    there may be more. Idempotent.
    """
    mine = and_(objects.c.tenant == tenant, objects.c.subject == subject)
    page = select(objects.c.seq, objects.c.id, objects.c.state).where(mine).order_by(objects.c.seq).limit(PAGE)
    rows = connection.execute(page).all()
    if not rows:
        return [], False
    free = and_(objects.c.state != ERASED, or_(objects.c.erasure.is_(None), objects.c.state == CLOSED))
    taken = {"state": DROPPING, "reason": "subject-erased", "erasure": erasure_of(connection, tenant, subject)}
    values: dict[str, Any] = {name: case((free, one), else_=objects.c[name]) for name, one in taken.items()}
    if destroyed:
        values["unit_destroyed"] = case((objects.c.shared.is_(False), true()), else_=objects.c.unit_destroyed)
    values |= {"subject": subject_digest(tenant, subject), "kind_index": None, "facts": None}
    connection.execute(update(objects).where(mine, objects.c.seq <= rows[-1].seq).values(values))
    prints.drop(connection, [row.id for row in rows])
    return [row.id for row in rows if row.state != ERASED], len(rows) == PAGE


def drop_concerns(connection: Connection, tenant: str, subject: str) -> None:
    """A person has no part in anything any more."""
    connection.execute(delete(concerns).where(concerns.c.tenant == tenant, concerns.c.subject == subject))


def dropping(connection: Connection, limit: int) -> list[Row]:
    """Rows on their way out that no erasure owns."""
    query = select(objects).where(objects.c.state == DROPPING, objects.c.erasure.is_(None))
    return rows_of(connection, query.order_by(objects.c.seq).limit(limit))


def late(
    connection: Connection, now: int, limits: Sequence[tuple[Rule, int]], *, after: int = 0, limit: int = 1000
) -> list[Row]:
    """Live rows past their deadline in order of keeping, one page beyond the row numbered `after`.

    `limits` are rules, each with the latest creation that is too old.
    """
    reasons = [objects.c.expires_at <= now]
    for (tenant, data_class, purpose), oldest in limits:
        old = and_(objects.c.data_class == data_class, objects.c.created_at <= oldest)
        meant = objects.c.purpose == purpose if purpose else true()
        reasons.append(and_(objects.c.tenant == tenant, old, meant))
    query = select(objects).where(objects.c.state == LIVE, objects.c.seq > after, or_(*reasons))
    return rows_of(connection, query.order_by(objects.c.seq).limit(limit))


def end_by(connection: Connection, owner: tuple[str, str], data_class: str, deadline: int) -> None:
    """Give what a person (tenant, subject) has of a class a deadline; an earlier one stays."""
    mine = (objects.c.tenant == owner[0], objects.c.subject == owner[1], objects.c.data_class == data_class)
    later = or_(objects.c.expires_at.is_(None), objects.c.expires_at > deadline)
    connection.execute(update(objects).where(*mine, objects.c.state == LIVE, later).values(expires_at=deadline))


def idle(connection: Connection, units: Iterable[str], today: str) -> list[str]:
    """Those units whose every object is on its way out and which can take no new one: own units and past periods."""
    found: set[str] = set()
    for batch in batches(units):
        query = select(objects.c.unit).where(objects.c.unit.in_(batch), _unneeded(today))
        found.update(connection.execute(query).scalars())
    return sorted(found)


def leftover_units(connection: Connection, today: str, limit: int) -> list[tuple[str, str]]:
    """Tenants and idle units of erased objects that were still in use when those went."""
    left = objects.c.state == ERASED, objects.c.unit_destroyed.is_(False), _unneeded(today)
    query = select(objects.c.tenant, objects.c.unit).where(*left).distinct()
    return [(row.tenant, row.unit) for row in connection.execute(query.limit(limit))]


def _unneeded(today: str) -> ColumnElement[bool]:
    """True for a row whose unit nothing needs that still stands, or that may be opened again."""
    used = objects.alias("used")
    still_used = exists().where(used.c.unit == objects.c.unit, used.c.state.in_((LIVE, CLOSED)))
    return and_(or_(objects.c.period.is_(None), objects.c.period < today), ~still_used)


def finish(connection: Connection, ids: Sequence[str], now: int) -> None:
    """The bytes are deleted: nothing but ids, class and times stays."""
    for batch in batches(ids):
        gone = {"state": ERASED, "blob": None, "facts": None, "kind_index": None, "erased_at": now}
        connection.execute(update(objects).where(objects.c.id.in_(batch)).values(**gone))


def mark_units(connection: Connection, units: Iterable[str], *, ended: bool) -> None:
    """These units are destroyed. What was erased before is told of by a certificate of its own; `ended` is that one."""
    for batch in batches(units):
        which = objects.c.unit.in_(batch) if ended else and_(objects.c.unit.in_(batch), objects.c.state != ERASED)
        connection.execute(update(objects).where(which).values(unit_destroyed=True))


def kept_before(tenant: str, data_class: str, before: int) -> ColumnElement[bool]:
    """What a tenant has of a class that was kept before a moment."""
    mine = and_(objects.c.tenant == tenant, objects.c.data_class == data_class, objects.c.created_at < before)
    return and_(mine, objects.c.state.in_((LIVE, CLOSED)))


def matching(connection: Connection, which: ColumnElement[bool]) -> list[Row]:
    """Rows that fulfil a condition, in order of keeping."""
    return rows_of(connection, select(objects).where(which).order_by(objects.c.seq))


def people_of(connection: Connection, which: ColumnElement[bool]) -> int:
    """How many people have kept something that fulfils a condition."""
    return int(connection.execute(select(func.count(objects.c.subject.distinct())).where(which)).scalar_one())


def close(connection: Connection, ids: Iterable[str], erasure: str) -> None:
    """Shut live objects so that they can be opened again."""
    for batch in batches(ids):
        shut = update(objects).where(objects.c.id.in_(batch), objects.c.state == LIVE)
        connection.execute(shut.values(state=CLOSED, erasure=erasure))


def reopen(connection: Connection, erasure: str) -> None:
    """What an erasure shut and has not taken is live again."""
    shut = update(objects).where(objects.c.erasure == erasure, objects.c.state == CLOSED)
    connection.execute(shut.values(state=LIVE, erasure=None))


def end_consent(connection: Connection, consent: str, now: int) -> None:
    """What lives by a consent, and what derives from it, is over from this moment."""
    bound = connection.execute(select(objects.c.id).where(objects.c.consent == consent, objects.c.state == LIVE))
    for batch in batches(closure(connection, bound.scalars())):
        later = or_(objects.c.expires_at.is_(None), objects.c.expires_at > now)
        ended = update(objects).where(objects.c.id.in_(batch), objects.c.state == LIVE, later)
        connection.execute(ended.values(expires_at=now))


def move_consent(connection: Connection, old: str, new: str) -> None:
    """What lived by one consent lives by the one that replaces it."""
    connection.execute(update(objects).where(objects.c.consent == old, objects.c.state == LIVE).values(consent=new))


def subjects_of(connection: Connection, tenant: str) -> list[str]:
    """The people of a tenant who have objects, or whom objects concern; sorted, without those who are forgotten."""
    have = select(objects.c.subject).where(objects.c.tenant == tenant, objects.c.state != ERASED).distinct()
    meant = select(concerns.c.subject).where(concerns.c.tenant == tenant).distinct()
    found = {*connection.execute(have).scalars(), *connection.execute(meant).scalars()}
    return sorted(one for one in found if "_" in one)  # ids have an underscore, digests none
