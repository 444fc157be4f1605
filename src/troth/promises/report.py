"""The promise table as plain values: for the API, the command line and the trust page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from troth.promises.catalogue import Promise
from troth.promises.check import Check
from troth.promises.runs import Run
from troth.promises.status import Standing, State


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class RunRow(_Row):
    """One run: what the system showed (`result`) and what the known-bad fixture showed (`control`, must be "fail").

    `sequence` is its place in the chain of its check, `link` its digest, `schedule` the version that was in force.
    """

    check: str
    looks_at: str
    at: int
    result: str
    control: str
    population: int
    tested: int
    record: str
    sequence: int
    link: str
    schedule: int


class WaiverRow(_Row):
    """An approved exception that excuses what is broken, until it ends (epoch ms)."""

    id: str
    check: str
    reason: str
    compensating: str
    ends: int


class PromiseRow(_Row):
    """One promise with its state and the runs it rests on."""

    id: str
    statement: str
    kind: str
    capability: str
    state: str
    reason: str
    runs: list[RunRow]
    waivers: list[WaiverRow]


class PromiseTable(_Row):
    """All promises and how many stand in each state."""

    counts: dict[str, int]
    data: list[PromiseRow]


def table(rows: Iterable[tuple[Promise, Standing]], checks: Iterable[Check]) -> PromiseTable:
    """The table of `Runner.table()`."""
    looks = {check.id: check.looks_at for check in checks}
    data = [row_of(promise, standing, looks) for promise, standing in rows]
    counted = Counter(row.state for row in data)
    return PromiseTable(counts={state.value: counted[state.value] for state in State}, data=data)


def run_row(run: Run, looks: Mapping[str, str]) -> RunRow:
    """One run; `looks`: the sentence of each check."""
    return RunRow(
        check=run.check,
        looks_at=looks.get(run.check, ""),
        at=run.at,
        result=run.result.value,
        control=run.control.value,
        population=run.population,
        tested=run.tested,
        record=run.request,
        sequence=run.sequence,
        link=run.link,
        schedule=run.schedule,
    )


def row_of(promise: Promise, standing: Standing, looks: Mapping[str, str]) -> PromiseRow:
    """One promise with its standing."""
    waivers = [
        WaiverRow(id=one.id, check=one.scope, reason=one.reason, compensating=one.compensating, ends=one.ends)
        for one in standing.waivers
    ]
    return PromiseRow(
        id=promise.id,
        statement=promise.statement,
        kind=promise.kind,
        capability=promise.capability,
        state=standing.state.value,
        reason=standing.reason,
        runs=[run_row(run, looks) for run in standing.runs],
        waivers=waivers,
    )
