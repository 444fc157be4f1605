"""The state of a promise is a pure function of the runs and the time. Unknown is never green."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from troth.promises.check import Check, Result


class State(StrEnum):
    """What can honestly be said of a promise now."""

    KEPT = "kept"
    NOT_KEPT = "not kept"
    UNKNOWN = "unknown"
    NOT_CONFIGURED = "not configured"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one check: what the system showed and what the known-bad fixture showed."""

    check: str
    at: int  # milliseconds since the epoch
    result: Result
    control: Result
    population: int
    tested: int
    digest: str
    request: str = ""  # the audit record that tells of it


@dataclass(frozen=True, slots=True)
class Standing:
    """A promise's state with the runs it rests on, and why."""

    state: State
    runs: tuple[Run, ...]
    reason: str


def verdict(run: Run) -> Result:
    """A run counts only when its control failed; otherwise it could not have failed and is an error."""
    return run.result if run.control is Result.FAIL else Result.ERROR


def standing(
    promise: str, checks: Iterable[Check], latest: Mapping[str, Run], now: int, missing: str = "nothing looks at it yet"
) -> Standing:
    """State of a promise at `now` (ms) from the latest run of each check that covers it. The worst one counts.

    `missing` is the reason when none does.
    """
    covering = [check for check in checks if promise in check.promises]
    runs = tuple(latest[check.id] for check in covering if check.id in latest)
    if not covering:
        return Standing(State.UNKNOWN, (), missing)
    verdicts = [_verdict(check, latest.get(check.id), now) for check in covering]
    return Standing(*_worst(verdicts, runs))


def _verdict(check: Check, run: Run | None, now: int) -> tuple[Result | None, str]:
    if run is None:
        return None, "never run"
    if now - run.at > check.fresh * 1000 or run.at > now:
        return None, "evidence is stale"
    if run.digest != check.digest:
        return None, "the check changed since it ran"
    result = verdict(run)
    return result, {
        Result.PASS: "checked, and the known-bad fixture failed as it must",
        Result.FAIL: "a check found it broken",
        Result.ERROR: "a check could not look",
        Result.NOT_CONFIGURED: "not set up on this installation",
    }[result]


def _worst(verdicts: Sequence[tuple[Result | None, str]], runs: tuple[Run, ...]) -> tuple[State, tuple[Run, ...], str]:
    order: list[tuple[Result | None, State]] = [
        (Result.FAIL, State.NOT_KEPT),
        (Result.ERROR, State.UNKNOWN),
        (None, State.UNKNOWN),
        (Result.NOT_CONFIGURED, State.NOT_CONFIGURED),
    ]
    for wanted, state in order:
        for result, reason in verdicts:
            if result is wanted:
                return state, runs, reason
    return State.KEPT, runs, verdicts[0][1]
