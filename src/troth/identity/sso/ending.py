"""What ends: what a provider opened, what it opens for who decides, and every other way in where one is enforced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, func, select, update

from troth.identity.roles import decides_by
from troth.identity.sso.store import links, opened
from troth.identity.store import api_keys, passkeys, sessions, users
from troth.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class Concerned:
    """Whom an enforced provider leaves no other way in: how many people, how many of them no link of a provider knows,
    and how many sessions and API keys end."""

    people: int
    unlinked: int
    sessions: int
    keys: int


def end(sql: Sql, *which: Any) -> int:
    """End the sessions that these links opened, in the caller's transaction; how many there were."""
    ids: Sequence[str] = sql.execute(select(opened.c.session).where(*which)).scalars().all()
    sql.execute(delete(opened).where(opened.c.session.in_(ids)))
    return int(sql.execute(delete(sessions).where(sessions.c.id.in_(ids))).rowcount)


def promoted(sql: Sql, user: str) -> None:
    """Somebody is given a role that decides: no provider opens their account until they say so themselves, and their
    sessions end.

    Else whoever runs the provider would have the role. Raises `Conflict` (`own-way-missing`) for somebody whose only
    way in is a provider: they could not say so.
    """
    linked = sql.execute(select(links.c.id).where(links.c.user == user, links.c.confirmed.is_(True))).first()
    if linked is None:
        return
    if not own_way(sql, user):
        raise Conflict(
            "This person signs in through a provider only, and whoever runs it would decide. Let them add a passkey"
            " first.",
            code="own-way-missing",
        )
    sql.execute(update(links).where(links.c.user == user).values(confirmed=False))
    for table in (opened, sessions):  # all: one that a program was given may go back to one that the provider opened
        sql.execute(delete(table).where(table.c.user == user))


def own_way(sql: Sql, user: str) -> bool:
    """True when the person can come in without a provider: a passkey, or a password that somebody saw."""
    row = sql.execute(
        select(users.c.password_issued, users.c.password_at, users.c.created_at).where(users.c.id == user)
    ).one()
    if row.password_issued or row.password_at != row.created_at:
        return True
    return sql.execute(select(passkeys.c.id).where(passkeys.c.user == user).limit(1)).first() is not None


def concerned(sql: Sql, tenant: str, now: int) -> Concerned:
    """Whom enforcing a provider would concern now."""
    people = _concerned(tenant, now)
    linked = select(links.c.user).where(links.c.confirmed.is_(True), links.c.user.in_(people))

    def count(table: Any, *where: Any) -> int:
        return int(sql.execute(select(func.count()).select_from(table).where(*where)).scalar_one())

    return Concerned(
        people=count(users, users.c.id.in_(people)),
        unlinked=count(users, users.c.id.in_(people), users.c.id.not_in(linked)),
        sessions=count(sessions, *_of_other_ways(people)),
        keys=count(api_keys, api_keys.c.user.in_(people), api_keys.c.expires_at > now),
    )


def enforce(sql: Sql, tenant: str, now: int) -> Concerned:
    """A provider becomes the only way in: end what was opened in another way, and every API key of those concerned."""
    found, people = concerned(sql, tenant, now), _concerned(tenant, now)
    sql.execute(delete(sessions).where(*_of_other_ways(people)))
    sql.execute(delete(api_keys).where(api_keys.c.user.in_(people)))
    return found


def _concerned(tenant: str, now: int) -> Any:
    return select(users.c.id).where(users.c.tenant == tenant, users.c.active.is_(True), ~decides_by(users.c.id, now))


def _of_other_ways(people: Any) -> tuple[Any, ...]:
    return sessions.c.user.in_(people), sessions.c.id.not_in(select(opened.c.session))
