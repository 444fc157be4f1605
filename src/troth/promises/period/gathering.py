"""Reads what the report of a period is made of: the rows of runs, and the entries of the log that they hang on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, select

from troth.audit.log import Filter, LogEntry, LogReader
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, IntegrityError, Unavailable
from troth.kernel.scope import as_system
from troth.promises.period.building import Gathered, Placed
from troth.promises.period.columns import Stretch
from troth.promises.period.figures import spans
from troth.promises.period.report import RegisterEvent
from troth.promises.run_log import LOG, RUN
from troth.promises.schedule import ScheduleVersion
from troth.promises.schedules import changed_request
from troth.promises.status import Period
from troth.promises.store import check_run, check_schedule, check_tally
from troth.promises.waiving import Waiver
from troth.storage.database import Database

_COLUMNS = "slot at result control population tested details digest schedule system clock".split()


class Versions(Protocol):
    """Knows the schedule, as `Schedules` does."""

    def versions(self) -> tuple[ScheduleVersion, ...]:
        """Every version, oldest first. Raises `IntegrityError` (bad-schedule)."""
        ...


class Proofs(Protocol):
    """Finds and proves entries, as `Prover` does."""

    def locate(self, log: str, request_id: str) -> list[int]:
        """The indexes of a request's entries."""
        ...

    def paths(self, log: str, indexes: Sequence[int]) -> tuple[bytes, tuple[tuple[bytes, ...], ...]]:
        """A checkpoint, and the way of each entry to it."""
        ...


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a report's parts come from. `events`: of the registers of a tenant that is the house, by digest alone."""

    database: Database
    log: LogReader
    proofs: Proofs
    versions: Versions
    clock: Clock
    waivers: Callable[[], Sequence[Waiver]] = tuple
    events: Callable[[str | None, Period], Sequence[RegisterEvent]] = lambda _tenant, _period: ()


@dataclass(frozen=True, slots=True)
class _Tally:
    at: int
    request: str
    counts: Mapping[str, int]


@as_system
def gather(sources: Sources, period: Period, tenant: str | None = None) -> Gathered:
    """Everything of a period, for somebody of that tenant.

    Raises `Conflict` (period-open) before the tally that closes it, `Unavailable` (no-proof) while that has no place in
    the log, `NotFound` (pruned), and `IntegrityError` (bad-schedule, period-broken).
    """
    if period.end > epoch_ms(sources.clock.now()):
        raise _open()
    with sources.database.read() as connection:
        opening, tallies = _tallies(connection, period)
        chains = dict(_chains(connection, opening.counts if opening else {}, tallies[-1].counts))
    versions = _versions(sources, opening.at if opening else 0)
    placed = _entries(sources, [opening, *tallies] if opening else tallies, versions, period)
    checkpoint, paths = sources.proofs.paths(LOG, [one.index for one in placed])
    known = _Heads(sources, placed, chains)
    return Gathered(
        period,
        chains,
        {check: (number, known.link(check, number)) for check, number in (opening.counts if opening else {}).items()},
        versions,
        tuple(Placed(one.index, one.leaf, path) for one, path in zip(placed, paths, strict=True)),
        checkpoint,
        known.holes(tallies, opening.counts if opening else {}),
        tuple(one for one in sources.waivers() if one.starts < period.end and one.ends > period.start),
        tuple(sources.events(tenant, period)),
    )


def _tallies(connection: Connection, period: Period) -> tuple[_Tally | None, list[_Tally]]:
    """The tally before the period, if there was one, and those up to the one that closes it."""
    rows = connection.execute(select(check_tally).order_by(check_tally.c.day))
    known = [_Tally(row.at, row.request, json.loads(row.counts)) for row in rows]
    before = [one for one in known if one.at <= period.start]
    after = [one for one in known if one.at > period.start]
    closing = next((place for place, one in enumerate(after) if one.at >= period.end), None)
    if closing is None:
        raise _open()
    return (before[-1] if before else None), after[: closing + 1]


def _chains(
    connection: Connection, opening: Mapping[str, int], closing: Mapping[str, int]
) -> Iterator[tuple[str, tuple[Stretch, ...]]]:
    names = [check_run.c[name] for name in ("sequence", "previous", *_COLUMNS)]
    for check, last in sorted(closing.items()):
        within = (check_run.c.check_id == check, check_run.c.sequence > opening.get(check, 0))
        query = select(*names).where(*within, check_run.c.sequence <= last).order_by(check_run.c.sequence)
        rows = connection.execute(query).all()
        if rows:
            yield check, tuple(_stretches(check, rows))


def _stretches(check: str, rows: Sequence[Any]) -> Iterator[Stretch]:
    """Rows without a hole between them; usually all."""
    start = 0
    while start < len(rows):
        first = rows[start][0]
        end = len(rows)
        if rows[-1][0] != first + end - start - 1:
            end = next(at for at in range(start, len(rows) + 1) if at == len(rows) or rows[at][0] != first + at - start)
        _, previous, *columns = zip(*rows[start:end], strict=True)
        slot, at, result, control, population, tested, details, code, schedule, system, clock = columns
        yield Stretch(
            check,
            first,
            previous[0] or "",
            slot,
            at,
            result,
            control,
            population,
            tested,
            [one or "{}" for one in details],
            code,
            [one or 0 for one in schedule],
            [one or "" for one in system],
            [one or "" for one in clock],
        )
        start = end


def _versions(sources: Sources, since: int) -> tuple[ScheduleVersion, ...]:
    """The versions from the one that was in force then; all of them when none was."""
    known = sources.versions.versions()
    base = [one.version for one, start, _ in spans(known) if start <= since]
    return tuple(one for one in known if one.version >= base[-1]) if base else known


def _entries(
    sources: Sources, tallies: Sequence[_Tally], versions: Sequence[ScheduleVersion], period: Period
) -> list[LogEntry]:
    wanted = {one.version for one in versions}
    with sources.database.read() as connection:
        query = select(check_schedule.c.version, check_schedule.c.request)
        requests = [row.request for row in connection.execute(query) if row.version in wanted]
    indexes = {_index(sources, request) for request in (*requests, *(one.request for one in tallies))}
    found = [LogEntry(index, sources.log.entry(LOG, index)) for index in indexes]
    start, end = sources.log.since(LOG, period.start), max(indexes) + 1
    asked = sources.log.of_requests(LOG, [changed_request(one.version) for one in versions])
    changed = [one for one in asked if start <= one.index < end]
    return sorted({one.index: one for one in (*found, *changed)}.values(), key=lambda one: one.index)


def _index(sources: Sources, request: str) -> int:
    found = sources.proofs.locate(LOG, request)
    if not found:
        raise Unavailable("The entry is not in the log yet; try again in a second.", code="no-proof")
    return found[0]


class _Heads:
    """Links that tallies name: from the runs, from the run behind them, or from their entries in the log."""

    def __init__(self, sources: Sources, placed: Sequence[LogEntry], chains: Mapping[str, Sequence[Stretch]]) -> None:
        self._sources = sources
        self._end = placed[-1].index
        self._chains = chains

    def link(self, check: str, sequence: int) -> str:
        """The link of a run that is not in the chains. Raises `IntegrityError` (period-broken)."""
        behind = [one.previous for one in self._chains.get(check, ()) if one.first == sequence + 1]
        return behind[0] if behind else self._kept(check, sequence) or self._told(check, sequence)

    def holes(self, tallies: Sequence[_Tally], opening: Mapping[str, int]) -> dict[str, dict[int, str]]:
        """The links of runs that tallies name and no stretch has."""
        found: dict[str, dict[int, str]] = {}
        for check, sequence in sorted({pair for one in tallies for pair in one.counts.items()} - set(opening.items())):
            if not any(one.first <= sequence <= one.last for one in self._chains.get(check, ())):
                found.setdefault(check, {})[sequence] = self.link(check, sequence)
        return found

    def _kept(self, check: str, sequence: int) -> str:
        which = (check_run.c.check_id == check, check_run.c.sequence == sequence)
        with self._sources.database.read() as connection:
            return connection.scalar(select(check_run.c.link).where(*which)) or ""

    def _told(self, check: str, sequence: int) -> str:
        wanted, start = Filter(operation=RUN, naming=check), 0
        while found := self._sources.log.stretch(LOG, wanted, start, self._end):
            for one in found:
                facts = json.loads(one.leaf).get("facts", {})
                if (facts.get("checks"), facts.get("sequence")) == (check, sequence):
                    return str(facts["link"])
            start = found[-1].index + 1
        raise IntegrityError(
            f"Run {sequence} of {check} is neither here nor in the log; restore the rows of its runs.",
            code="period-broken",
        )


def _open() -> Conflict:
    return Conflict(
        "The period is not closed yet: the tally of its last day is written five minutes after midnight, UTC.",
        code="period-open",
    )
