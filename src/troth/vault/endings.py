"""How rows of objects end: marked, handed to an erasure, freed of keys, emptied. Every statement can be repeated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, true, update

from troth.vault.fences import erasure_of
from troth.vault.ground import subject_digest
from troth.vault.store import CLOSED, DROPPING, ERASED, LIVE, Row, batches, closure, concerns, objects, rows_of

Rule = tuple[str, str, str]  # tenant, data class, purpose ("": whatever the purpose)


def of_erasure(connection: Connection, erasure: str) -> list[Row]:
    """All rows that one erasure took, sorted by id."""
    return rows_of(connection, select(objects).where(objects.c.erasure == erasure).order_by(objects.c.id))


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
    return ids


def take_subject(connection: Connection, tenant: str, subject: str) -> list[str]:
    """Hand every row of a person to their erasure and put the digest in the place of the id. Idempotent.

    Returns the ids of the rows that it found.
    """
    digest, erasure = subject_digest(tenant, subject), erasure_of(connection, tenant, subject)
    mine = and_(objects.c.tenant == tenant, objects.c.subject == subject)
    found = sorted(connection.execute(select(objects.c.id).where(mine, objects.c.state != ERASED)).scalars())
    connection.execute(
        update(objects)
        .where(mine, objects.c.state != ERASED, or_(objects.c.erasure.is_(None), objects.c.state == CLOSED))
        .values(state=DROPPING, reason="subject-erased", erasure=erasure)
    )
    connection.execute(update(objects).where(mine).values(subject=digest, kind_index=None, facts=None))
    connection.execute(delete(concerns).where(concerns.c.tenant == tenant, concerns.c.subject == subject))
    return found


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
    used = objects.alias("used")
    still_used = exists().where(used.c.unit == objects.c.unit, used.c.state == LIVE)
    closed = or_(objects.c.period.is_(None), objects.c.period < today)
    found: set[str] = set()
    for batch in batches(units):
        query = select(objects.c.unit).where(objects.c.unit.in_(batch), closed, ~still_used)
        found.update(connection.execute(query).scalars())
    return sorted(found)


def leftover_units(connection: Connection, limit: int) -> list[str]:
    """Units of erased objects that were still in use when those went."""
    query = select(objects.c.unit).where(objects.c.state == ERASED, objects.c.unit_destroyed.is_(False))
    return sorted(connection.execute(query.distinct().limit(limit)).scalars())


def finish(connection: Connection, ids: Sequence[str], now: int) -> None:
    """The bytes are deleted: nothing but ids, class and times stays."""
    for batch in batches(ids):
        gone = {"state": ERASED, "blob": None, "facts": None, "kind_index": None, "erased_at": now}
        connection.execute(update(objects).where(objects.c.id.in_(batch)).values(**gone))


def mark_units(connection: Connection, units: Iterable[str]) -> None:
    """These units are destroyed."""
    for batch in batches(units):
        connection.execute(update(objects).where(objects.c.unit.in_(batch)).values(unit_destroyed=True))


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
