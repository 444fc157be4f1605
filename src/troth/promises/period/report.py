"""What a report of a period says, as plain data. Pure: OSCAL, PDF, room and bundle are made of it.

Times are epoch milliseconds; a period is [start, end). Everything here can be computed again from what a bundle holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import rfc8785

from troth.promises.status import Period, State
from troth.promises.waiving import Waiver

FORM = "troth-period-report-v1"


@dataclass(frozen=True, slots=True)
class Episode:
    """Runs one after the other that found the same wrong thing: `outcome` is "fail" or "error".

    It opened with the first of them and closed with the next run that says something else; None: it was open at the
    end. `first` and `last` are sequences.
    """

    outcome: str
    opened: int
    closed: int | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Slots one after the other that nobody looked in: from the first slot up to the end of the last one."""

    start: int
    end: int
    slots: int


@dataclass(frozen=True, slots=True)
class CheckPeriod:
    """One check in the period. `expected` comes from the schedule alone; expected = done + missed.

    `late`: runs that were not in the log by the tally of their time, or not in their slot; they fill none. `extra`:
    runs of the period in no slot (by hand). `lost`: runs that the log tells of and whose rows are gone.

    `outcomes`: how many of all runs of the period said what; of what passed, the known-bad fixture failed, the code was
    that of the schedule and the clock was right. `state` knows of no waiver; `reason` is a token. `first` and `last`
    are the sequences of the period's runs, 0 when there was none.
    """

    check: str
    promises: tuple[str, ...]
    every: int
    fresh: int
    scope: str
    population: str
    state: State
    reason: str
    expected: int
    done: int
    missed: int
    late: int
    extra: int
    lost: int
    outcomes: Mapping[str, int]
    episodes: tuple[Episode, ...]
    gaps: tuple[Gap, ...]
    first: int = 0
    last: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What became otherwise with a version of the schedule: a check was added or dropped, or members of it changed.

    `before` and `after` are the digests of its code, empty when there was none.
    """

    at: int
    version: int
    check: str
    change: str
    before: str
    after: str
    confirmed_by: str


@dataclass(frozen=True, slots=True)
class PromisePeriod:
    """A promise in the period: the worst that any of its checks says."""

    promise: str
    state: State
    reason: str
    checks: tuple[str, ...]
    waivers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the schedule that counted in the period, from `starts` on."""

    version: int
    digest: str
    starts: int
    checks: int
    confirmed_by: str


@dataclass(frozen=True, slots=True)
class RegisterEvent:
    """One event of a register by its digest: the content stays sealed where it is. `previous` is the digest before."""

    form: str
    record: str
    sequence: int
    at: int
    move: str
    digest: str
    previous: str


@dataclass(frozen=True, slots=True)
class PeriodReport:
    """The report. `root` is that of the tally which closes the period (hex); samples are drawn from it.

    `untold`: days of the period (2026-11-22, UTC) without a tally of their own. `parts`: SHA-256 in hex of the files
    that it rests on, by name.
    """

    period: Period
    root: str
    checks: tuple[CheckPeriod, ...]
    promises: tuple[PromisePeriod, ...]
    versions: tuple[Version, ...]
    changes: tuple[Change, ...]
    waivers: tuple[Waiver, ...]
    events: int
    untold: tuple[str, ...]
    parts: Mapping[str, str]

    @property
    def expected(self) -> int:
        """How many looks the schedule asked for."""
        return sum(one.expected for one in self.checks)

    @property
    def done(self) -> int:
        """How many of them were taken, in time."""
        return sum(one.done for one in self.checks)

    @property
    def missed(self) -> int:
        """How many were not."""
        return sum(one.missed for one in self.checks)

    def plain(self) -> dict[str, Any]:
        """As JSON data, with the totals."""
        told = {one.name: _plain(getattr(self, one.name)) for one in fields(self)}
        return {"form": FORM, **told, "expected": self.expected, "done": self.done, "missed": self.missed}

    def text(self) -> bytes:
        """Canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.plain())

    @property
    def digest(self) -> str:
        """SHA-256 in hex of the text: the same evidence gives the same report."""
        return hashlib.sha256(self.text()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, Period | Waiver | Episode | Gap | CheckPeriod | Change | PromisePeriod | Version):
        return {name: _plain(one) for name, one in asdict(value).items()}
    return value.value if isinstance(value, State) else value
