"""What governed access keeps about a person: shown in their copy, dropped when they are forgotten. The log stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection as Sql
from sqlalchemy import delete, select

from troth.identity.governing.reasons import ELEVATION, Reasons
from troth.identity.governing.store import break_glass, elevations, items
from troth.identity.store import grants
from troth.storage.database import Database

_TIMES = ("asked_at", "expires_at", "ended_at")


def holdings(database: Database, reasons: Reasons, tenant: str, user: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(kind, id, content) of all of it."""
    with database.read() as connection:
        given = connection.execute(select(grants).where(grants.c.user == user, grants.c.reason.is_not(None))).all()
        lent = connection.execute(select(elevations).where(elevations.c.user == user)).all()
        trusted = connection.execute(select(break_glass).where(break_glass.c.user == user)).all()
        reviewed = connection.execute(select(items).where(items.c.user == user)).all()
    for one in given:
        why = reasons.opened(tenant, user, one.reason)
        yield "role-reason", one.role, {"role": one.role, "reason": why, "granted_at": one.granted_at}
    for one in lent:
        content = {"kind": one.kind, "role": one.role, "state": one.state} | {at: getattr(one, at) for at in _TIMES}
        yield "elevation", one.id, content | {"reason": reasons.opened(tenant, user, one.reason, ELEVATION)}
    for one in trusted:
        yield "break-glass", user, {"role": one.role, "since": one.designated_at, "until": one.expires_at}
    for one in reviewed:
        content = {"role": one.role, "verdict": one.verdict, "outcome": one.outcome, "decided_at": one.decided_at}
        yield "access-review", one.campaign, content


def forget(connection: Sql, user: str) -> list[str]:
    """Drop it in the caller's transaction; the ids of what had one."""
    gone = list(connection.execute(select(elevations.c.id).where(elevations.c.user == user)).scalars())
    for table in (elevations, break_glass, items):
        connection.execute(delete(table).where(table.c.user == user))
    return gone
