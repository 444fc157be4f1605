"""Looks at the server's own door, added up by the hour: at most a row for each target and hour of ninety days."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Index, Integer, String, Table, delete, insert, select, update

from troth.storage.database import Big, metadata

HOUR_MS = 3_600_000
HOURS = 24  # of a day
DAY_MS = HOURS * HOUR_MS
KEPT_DAYS = 90
EDGES_MS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Upper ends of the classes of latency, in milliseconds; what is slower is in the last one."""

hours = Table(
    "probe_hour",
    metadata,
    Column("target", String(32), primary_key=True),
    Column("hour", Big, primary_key=True),  # its beginning
    Column("due", Integer, nullable=False),  # looks in a whole hour at the pace of that time
    Column("looks", Integer, nullable=False),
    Column("available", Integer, nullable=False),
    Column("latency", String(200), nullable=False),  # JSON: how many of the available fell into each class
)
outages = Table(
    "probe_outage",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("target", String(32), nullable=False),
    Column("began", Big, nullable=False),  # the first look that failed
    Column("last", Big, nullable=False),  # the last one
    Column("ended", Big),  # the first one that did not
    Column("looks", Integer, nullable=False),
    Index("ix_probe_outage_target", "target", "ended"),
)
days = Table(
    "status_day",
    metadata,
    Column("day", String(10), primary_key=True),  # 2026-11-22, in UTC
    Column("request", String(64), nullable=False),  # of the log's entry
    Column("at", Big, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Look:
    """One look: what at, when (epoch ms), whether it was as it should be, and after how many milliseconds."""

    target: str
    at: int
    available: bool
    ms: int


@dataclass(frozen=True, slots=True)
class Hour:
    """What was seen of one target in one hour."""

    target: str
    hour: int
    due: int
    looks: int
    available: int
    latency: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """Looks that failed one after the other. `ended` is None while it lasts, and when nobody looked afterwards."""

    target: str
    began: int
    last: int
    ended: int | None
    looks: int


def add(connection: Connection, look: Look, due: int) -> None:
    """Add one look to its hour, and to the outage that it begins, prolongs or ends."""
    start = look.at - look.at % HOUR_MS
    here = (hours.c.target == look.target) & (hours.c.hour == start)
    row = connection.execute(select(hours).where(here)).first()
    counts = list(json.loads(row.latency)) if row else [0] * (len(EDGES_MS) + 1)
    if look.available:
        counts[sum(look.ms > edge for edge in EDGES_MS)] += 1
    values = {"due": due, "latency": json.dumps(counts)}
    if row is None:
        fresh = {"target": look.target, "hour": start, "looks": 1, "available": int(look.available)}
        connection.execute(insert(hours).values(fresh | values))
    else:
        values |= {"looks": row.looks + 1, "available": row.available + int(look.available)}
        connection.execute(update(hours).where(here).values(values))
    _outage(connection, look)


def _outage(connection: Connection, look: Look) -> None:
    lasting = (outages.c.target == look.target) & outages.c.ended.is_(None)
    if look.available:
        connection.execute(update(outages).where(lasting).values(ended=look.at))
        return
    longer = update(outages).where(lasting).values(last=look.at, looks=outages.c.looks + 1)
    if not connection.execute(longer).rowcount:
        connection.execute(insert(outages).values(target=look.target, began=look.at, last=look.at, looks=1))


def forget(connection: Connection, now: int) -> None:
    """Drop what is older than ninety days; the entries in the log stay."""
    before = now - KEPT_DAYS * DAY_MS
    connection.execute(delete(hours).where(hours.c.hour < before - before % HOUR_MS))
    connection.execute(delete(outages).where(outages.c.last < before))


def recorded(connection: Connection, since: int) -> list[Hour]:
    """All hours from `since` on, oldest first."""
    rows = connection.execute(select(hours).where(hours.c.hour >= since).order_by(hours.c.hour, hours.c.target))
    return [
        Hour(one.target, one.hour, one.due, one.looks, one.available, tuple(json.loads(one.latency))) for one in rows
    ]


def troubles(connection: Connection, most: int) -> list[Outage]:
    """The newest outages, newest first."""
    columns = [outages.c[name] for name in Outage.__dataclass_fields__]
    rows = connection.execute(select(*columns).order_by(outages.c.id.desc()).limit(most))
    return [Outage(*row) for row in rows]


def signed_days(connection: Connection) -> dict[str, str]:
    """The days whose figures stand in the log: day -> request of the entry."""
    return {str(day): str(request) for day, request in connection.execute(select(days.c.day, days.c.request))}


def mark_signed(connection: Connection, day: str, request: str, at: int) -> None:
    """Remember the entry of a day. Raises the database's refusal when it has one already."""
    connection.execute(insert(days).values(day=day, request=request, at=at))


def totals(rows: Sequence[Hour]) -> dict[str, tuple[int, int, int]]:
    """(looks, available, looks due in a whole day) of each target, of the hours of one day.

    In an hour of which nothing is known as many were due as in the busiest one.
    """
    found: dict[str, tuple[int, int, int]] = {}
    for one in rows:
        looks, available, due = found.get(one.target, (0, 0, 0))
        found[one.target] = (looks + one.looks, available + one.available, max(due, one.due * HOURS))
    return found
