"""What the OSCAL documents are made of: promises, declared checks, what was found, and the period. Plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from troth.promises.catalogue import Promise
from troth.promises.check import Check
from troth.promises.period.report import CheckPeriod, PeriodReport
from troth.promises.report import PromiseTable, RunRow
from troth.promises.status import State

_VERDICTS = {"kept": "pass", "kept with exception": "fail", "not kept": "fail", "not configured": "not-configured"}


@dataclass(frozen=True, slots=True)
class Examined:
    """A check as it is declared. `every` and `fresh` in seconds, `code` the digest of its code."""

    check: str
    promises: tuple[str, ...]
    looks_at: str
    every: int
    fresh: int
    scope: str
    population: str
    code: str


@dataclass(frozen=True, slots=True)
class Observed:
    """What a check showed: in its newest run, or over a period. `verdict`: pass, fail, error or not-configured.

    `at` is when it was last seen, `sequence` and `link` those of that run (no link of a period: the bundle has the
    whole chain); `counts` what else is counted; `failures`
    when it began to fail and when it passed again, or None.
    """

    check: str
    verdict: str
    at: int
    sequence: int
    link: str
    counts: Mapping[str, int] = field(default_factory=dict)
    failures: tuple[tuple[int, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Excuse:
    """An approved exception: why, what is done instead, until when."""

    id: str
    reason: str
    compensating: str
    ends: int


@dataclass(frozen=True, slots=True)
class Found:
    """The state of a promise, why, the checks that it rests on, and what excuses it."""

    id: str
    state: str
    reason: str
    checks: tuple[str, ...]
    excuses: tuple[Excuse, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessed:
    """Everything the documents say. Times in epoch milliseconds; `system` is the version of the software.

    `origin` names the installation (the origin of its log). Of a moment, `start` and `end` are the same.
    """

    origin: str
    system: str
    start: int
    end: int
    promises: tuple[Promise, ...]
    checks: tuple[Examined, ...]
    observed: tuple[Observed, ...]
    found: tuple[Found, ...]

    def check(self, name: str) -> Examined | None:
        """The declared check of that id."""
        return next((one for one in self.checks if one.check == name), None)

    def seen(self, one: Found) -> tuple[Observed, ...]:
        """What a state rests on."""
        return tuple(each for each in self.observed if each.check in one.checks)


def of_now(
    table: PromiseTable, checks: Iterable[Check], promises: Sequence[Promise], *, origin: str, system: str, now: int
) -> Assessed:
    """What the promise table says of this moment (epoch milliseconds)."""
    runs = {run.check: run for row in table.data for run in row.runs}
    found = tuple(
        Found(
            row.id,
            row.state,
            row.reason,
            tuple(run.check for run in row.runs),
            tuple(Excuse(one.id, one.reason, one.compensating, one.ends) for one in row.waivers),
        )
        for row in table.data
    )
    observed = tuple(_run(runs[name]) for name in sorted(runs))
    return Assessed(origin, system, now, now, tuple(promises), _examined(checks), observed, found)


def of_period(
    report: PeriodReport, checks: Iterable[Check], promises: Sequence[Promise], *, origin: str, system: str
) -> Assessed:
    """What a report says of its period; a promise that it does not name is unknown."""
    excuses = {one.id: Excuse(one.id, one.reason, one.compensating, one.ends) for one in report.waivers}
    told = {one.promise: one for one in report.promises}
    found = tuple(
        Found(
            one.id,
            told[one.id].state.value,
            told[one.id].reason,
            told[one.id].checks,
            tuple(excuses[name] for name in told[one.id].waivers if name in excuses),
        )
        if one.id in told
        else Found(one.id, State.UNKNOWN.value, one.missing, ())
        for one in promises
    )
    observed = tuple(_period(one, report) for one in sorted(report.checks, key=lambda one: one.check) if one.last)
    span = report.period
    return Assessed(origin, system, span.start, span.end, tuple(promises), _examined(checks), observed, found)


def _examined(checks: Iterable[Check]) -> tuple[Examined, ...]:
    return tuple(
        Examined(one.id, one.promises, one.looks_at, one.every, one.fresh, one.scope, one.population, one.digest)
        for one in sorted(checks, key=lambda one: one.id)
    )


def _run(run: RunRow) -> Observed:
    """One run; when its known-bad fixture did not fail, it showed nothing."""
    verdict = run.result if run.control == "fail" else "error"
    counts = {"population": run.population, "tested": run.tested}
    return Observed(run.check, verdict, run.at, run.sequence, run.link, counts)


def _period(one: CheckPeriod, report: PeriodReport) -> Observed:
    counts = {name: getattr(one, name) for name in ("expected", "done", "missed", "late", "extra")}
    failures = tuple((episode.opened, episode.closed) for episode in one.episodes if episode.outcome == "fail")
    verdict = _VERDICTS.get(one.state.value, "error")
    return Observed(one.check, verdict, report.period.end, one.last, "", counts, failures)
