"""Runs of checks in their chains, versions of the schedule and tallies, kept beside the entries that prove them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    insert,
    select,
    update,
)

from troth.promises.check import Result
from troth.promises.runs import Run, as_text
from troth.storage.database import Big, metadata

AHEAD_MS = 60_000
"""How far the clocks of two servers may be apart."""

check_run = Table(
    "check_run",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("check_id", String(64), nullable=False, index=True),
    Column("at", Big, nullable=False),
    Column("result", String(16), nullable=False),
    Column("control", String(16), nullable=False),
    Column("population", Integer, nullable=False),
    Column("tested", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("request", String(64), nullable=False),
    Column("sequence", Big),  # empty in rows of before the chain, which count as nothing
    Column("slot", Big),  # empty for a run by hand
    Column("previous", String(64)),
    Column("link", String(64)),
    Column("details", Text),
    Column("schedule", Integer),
    Column("system", String(64)),
    Column("clock", String(8)),
    Column("signer", String(256)),
    Column("signature", LargeBinary),  # of the DSSE envelope of its statement
    UniqueConstraint("check_id", "sequence"),
    UniqueConstraint("check_id", "slot"),
)
check_head = Table(
    "check_head",
    metadata,
    Column("check_id", String(64), primary_key=True),
    Column("sequence", Big, nullable=False),
    Column("link", String(64), nullable=False),
    Column("slot", Big),  # the newest one that was filled
    Column("at", Big, nullable=False),
)
check_schedule = Table(
    "check_schedule",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("logged_at", Big, nullable=False),
    Column("effective_at", Big, nullable=False),
    Column("confirmed_by", String(64)),
    Column("request", String(64), nullable=False),
    Column("signer", String(256), nullable=False),
    Column("signature", LargeBinary, nullable=False),
)
check_tally = Table(
    "check_tally",
    metadata,
    Column("day", String(10), primary_key=True),  # 2026-11-22, in UTC
    Column("root", String(64), nullable=False),
    Column("counts", Text, nullable=False),  # JSON: check -> its newest sequence
    Column("request", String(64), nullable=False),
    Column("at", Big, nullable=False),
)
check_day = Table(  # what the runs of each day came to: a cache, made again where it does not hold (`summaries`)
    "check_day",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("text", Text, nullable=False),
    Column("envelope", Text, nullable=False),  # signer and signature of its statement, as DSSE
)

# What the reconciliation has counted: up to where in each log, and what came out of each time.
reconciled_place = Table(
    "reconciled_place",
    metadata,
    Column("log", String(64), primary_key=True),
    Column("position", Big, nullable=False),
)
reconciliation = Table(
    "reconciliation",
    metadata,
    Column("at", Big, primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("counted", Big, nullable=False),  # what the counter stands at
    Column("recorded", Big, nullable=False),  # what all entries together say, from where counting began
    Column("difference", Big, nullable=False),  # of the two, since the time before
)


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a row, and the 64 bytes."""

    signer: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as its row has it, with the link that the row states; `run.link` is the one that it should have."""

    run: Run
    link: str
    signed: Signed


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of a check stands. `slot` is the newest one that was filled."""

    sequence: int
    link: str
    slot: int | None
    at: int

    def fills(self, slot: int, now: int) -> bool:
        """True when that slot needs no run any more. A slot that is still to come was filled by a clock that was ahead
        (of two servers' clocks one may be by `AHEAD_MS`) and says nothing of those before it.
        """
        return self.slot is not None and slot <= self.slot <= now + AHEAD_MS


@dataclass(frozen=True, slots=True)
class KeptSchedule:
    """A version of the schedule as its row has it."""

    version: int
    text: str
    digest: str
    logged_at: int
    effective_at: int
    confirmed_by: str
    request: str
    signed: Signed


@dataclass(frozen=True, slots=True)
class Tally:
    """The tally of a day: the newest sequence of each check, and the root over sequences and links."""

    day: str
    root: str
    counts: dict[str, int]
    request: str
    at: int


def add(connection: Connection, run: Run, signed: Signed, head: Head | None, filled: int | None = None) -> None:
    """Append one run and move the head of its check, from `head` on; `filled` is the slot that it fills where another
    run stands in it. Raises the database's refusal when another process was first.
    """
    connection.execute(insert(check_run).values(row_of(run, signed)))
    moved = {"sequence": run.sequence, "link": run.link, "at": run.at}
    if (slot := run.slot if filled is None else filled) is not None:
        moved["slot"] = slot
    if head is None:
        connection.execute(insert(check_head).values(check_id=run.check, **moved))
    else:
        connection.execute(update(check_head).where(check_head.c.check_id == run.check).values(moved))


def head(connection: Connection, check: str, *, locked: bool = False) -> Head | None:
    """Where the chain of a check stands; locked until the transaction ends, where the database can."""
    query = select(check_head).where(check_head.c.check_id == check)
    row = connection.execute(query.with_for_update() if locked else query).first()
    return None if row is None else Head(row.sequence, row.link, row.slot, row.at)


def stands_in(connection: Connection, check: str, slot: int) -> bool:
    """True when a run of the check has that slot."""
    which = (check_run.c.check_id == check, check_run.c.slot == slot)
    return connection.scalar(select(check_run.c.id).where(*which)) is not None


def heads(connection: Connection) -> dict[str, Head]:
    """Where every chain stands."""
    rows = connection.execute(select(check_head).order_by(check_head.c.check_id))
    return {row.check_id: Head(row.sequence, row.link, row.slot, row.at) for row in rows}


def latest(connection: Connection) -> list[KeptRun]:
    """The newest run of each check, by its place in the chain: where its head says.

    No other row is read, for anybody may ask; only where that one is missing, the newest of those that are left is
    looked for in all of them.
    """
    at_head = (check_run.c.check_id == check_head.c.check_id) & (check_run.c.sequence == check_head.c.sequence)
    rows = connection.execute(select(check_run).select_from(check_head.outerjoin(check_run, at_head))).all()
    if all(row.check_id is not None for row in rows):
        return [_kept(row) for row in rows]
    newest = select(check_run.c.check_id, func.max(check_run.c.sequence).label("sequence"))
    last = newest.group_by(check_run.c.check_id).subquery()
    same = (check_run.c.check_id == last.c.check_id) & (check_run.c.sequence == last.c.sequence)
    return [_kept(row) for row in connection.execute(select(check_run).join(last, same))]


def between(connection: Connection, start: int, end: int) -> list[KeptRun]:
    """The runs of [start, end] in epoch milliseconds, those of each check in the order of its chain."""
    within = (check_run.c.at >= start, check_run.c.at <= end, check_run.c.sequence.is_not(None))
    query = select(check_run).where(*within).order_by(check_run.c.check_id, check_run.c.sequence)
    return [_kept(row) for row in connection.execute(query)]


def recent(connection: Connection, check: str, most: int) -> list[KeptRun]:
    """The newest runs of a check in the order of its chain, at most so many."""
    mine = select(check_run).where(check_run.c.check_id == check, check_run.c.sequence.is_not(None))
    return [_kept(row) for row in connection.execute(mine.order_by(check_run.c.sequence.desc()).limit(most))][::-1]


_LINKED = tuple(
    check_run.c[name]
    for name in """check_id at result control population tested digest request sequence slot previous details schedule
    system clock link""".split()
)
_RESULTS = {one.value: one for one in Result}


def linked(connection: Connection, *which: ColumnElement[bool], by_check: bool = False) -> Iterator[tuple[Run, str]]:
    """The runs of rows with the links that these state, in the order of their chains; not what is signed.

    `by_check`: rows of several checks, one check after the other.
    """
    order = (check_run.c.check_id, check_run.c.sequence) if by_check else (check_run.c.sequence,)
    for check, at, result, control, population, tested, digest, *more, link in connection.execute(
        select(*_LINKED).where(*which).order_by(*order)
    ):
        request, sequence, slot, previous, details, schedule, system, clock = more
        run = Run(
            check, at, _RESULTS[result], _RESULTS[control], population, tested, sys.intern(digest), request, sequence,
            slot, previous or "", {} if details in (None, "{}") else json.loads(details), schedule or 0, system or "",
            clock or "",
        )  # fmt: skip
        yield run, link or ""


def tallies(connection: Connection) -> list[Tally]:
    """The tally of every day in the order in which they were written: the day may be that of a clock that was ahead."""
    rows = connection.execute(select(check_tally).order_by(check_tally.c.day))
    found = [Tally(row.day, row.root, json.loads(row.counts), row.request, row.at) for row in rows]
    return sorted(found, key=lambda one: sum(one.counts.values()))


def add_schedule(connection: Connection, kept: KeptSchedule) -> None:
    """Append a version. Raises the database's refusal when another process was first."""
    connection.execute(
        insert(check_schedule).values(
            version=kept.version,
            text=kept.text,
            digest=kept.digest,
            logged_at=kept.logged_at,
            effective_at=kept.effective_at,
            confirmed_by=kept.confirmed_by or None,
            request=kept.request,
            signer=kept.signed.signer,
            signature=kept.signed.signature,
        )
    )


def schedules(connection: Connection) -> list[KeptSchedule]:
    """Every version, oldest first."""
    rows = connection.execute(select(check_schedule).order_by(check_schedule.c.version))
    return [
        KeptSchedule(
            row.version,
            row.text,
            row.digest,
            row.logged_at,
            row.effective_at,
            row.confirmed_by or "",
            row.request,
            Signed(row.signer, bytes(row.signature)),
        )
        for row in rows
    ]


def add_tally(connection: Connection, tally: Tally) -> None:
    """Keep the tally of a day. Raises the database's refusal when it has one already."""
    values = {"day": tally.day, "root": tally.root, "counts": as_text(tally.counts), "request": tally.request}
    connection.execute(insert(check_tally).values(**values, at=tally.at))


def newest_tally(connection: Connection, until: str = "9999-12-31") -> Tally | None:
    """The tally of the newest day, up to the one given, that has one."""
    query = select(check_tally).where(check_tally.c.day <= until)
    row = connection.execute(query.order_by(check_tally.c.day.desc()).limit(1)).first()
    return None if row is None else Tally(row.day, row.root, json.loads(row.counts), row.request, row.at)


def row_of(run: Run, signed: Signed) -> dict[str, Any]:
    """The row of a run."""
    return {
        "check_id": run.check,
        "at": run.at,
        "result": run.result.value,
        "control": run.control.value,
        "population": run.population,
        "tested": run.tested,
        "digest": run.digest,
        "request": run.request,
        "sequence": run.sequence,
        "slot": run.slot,
        "previous": run.previous,
        "link": run.link,
        "details": as_text(run.details),
        "schedule": run.schedule,
        "system": run.system,
        "clock": run.clock,
        "signer": signed.signer,
        "signature": signed.signature,
    }


def _kept(row: Any) -> KeptRun:
    run = Run(
        check=row.check_id,
        at=row.at,
        result=Result(row.result),
        control=Result(row.control),
        population=row.population,
        tested=row.tested,
        digest=row.digest,
        request=row.request,
        sequence=row.sequence,
        slot=row.slot,
        previous=row.previous or "",
        details=json.loads(row.details or "{}"),
        schedule=row.schedule or 0,
        system=row.system or "",
        clock=row.clock or "",
    )
    return KeptRun(run, row.link or "", Signed(row.signer or "", bytes(row.signature or b"")))
