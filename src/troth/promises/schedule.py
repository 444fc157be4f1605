"""When which check is due: versions of a schedule that were in the log before they counted. Pure.

From the versions alone anybody can tell which runs there should be; a run that never happened is thus visible.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import rfc8785

from troth.kernel.errors import IntegrityError

FORM = "troth-check-schedule-v1"
_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Planned:
    """One check as a schedule states it. `every` and `fresh` in seconds, `code` the digest of its code."""

    check: str
    promises: tuple[str, ...]
    every: int
    fresh: int
    scope: str
    population: str
    code: str


@dataclass(frozen=True, slots=True)
class ScheduleVersion:
    """A version: which checks run, how often, with which code. Times in epoch milliseconds.

    `confirmed_by` is the operator who confirmed it; the first of an installation has none.
    """

    version: int
    logged_at: int
    effective_at: int
    checks: tuple[Planned, ...]
    confirmed_by: str = ""

    @property
    def starts(self) -> int:
        """From when on it counts: never before it stood in the log."""
        return max(self.effective_at, self.logged_at)

    def plan(self, check: str) -> Planned | None:
        """What it says of a check."""
        return next((one for one in self.checks if one.check == check), None)


def text_of(checks: Sequence[Planned]) -> str:
    """What is kept and digested of a version: canonical JSON (RFC 8785), checks in order of their ids."""
    members: list[Any] = [
        {
            "check": one.check,
            "promises": list(one.promises),
            "every": one.every,
            "fresh": one.fresh,
            "scope": one.scope,
            "population": one.population,
            "code": one.code,
        }
        for one in sorted(checks, key=lambda one: one.check)
    ]
    return rfc8785.dumps({"schedule": FORM, "checks": members}).decode()


def digest_of(text: str) -> str:
    """SHA-256 in hex over the text of a version."""
    return hashlib.sha256(text.encode()).hexdigest()


def checks_of(text: str) -> tuple[Planned, ...]:
    """The checks of a text that `text_of` made. Raises `IntegrityError` (bad-schedule) for any other."""
    try:
        read: dict[str, Any] = json.loads(text)
        found = tuple(Planned(**{**one, "promises": tuple(one["promises"])}) for one in read["checks"])
        known = read["schedule"] == FORM and text_of(found) == text
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _bad() from error
    if not known:
        raise _bad()
    return found


def _bad() -> IntegrityError:
    return IntegrityError(
        "The schedule of the checks is not as it was written; restore it, or look who changed it.",
        code="bad-schedule",
    )


class Slots:
    """The slots of a check between two moments; each is the epoch millisecond at which it begins."""

    def __init__(self, ranges: Sequence[range]) -> None:
        self._ranges = tuple(one for one in ranges if one)

    def __len__(self) -> int:
        return sum(len(one) for one in self._ranges)

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(self._ranges)

    def __contains__(self, slot: int) -> bool:
        return any(slot in one for one in self._ranges)


def in_force(versions: Sequence[ScheduleVersion], moment: int) -> ScheduleVersion | None:
    """The version that counts at a moment: the last of those that have begun."""
    return next((one for one, start, end in spans(versions) if start <= moment < end), None)


def slots(versions: Sequence[ScheduleVersion], check: str, start: int, end: int) -> Slots:
    """The slots of a check that begin in [start, end). A version counts from when it was in the log, never before."""
    ranges = []
    for version, first, last in spans(versions):
        plan = version.plan(check)
        if plan is None:
            continue
        step = plan.every * _SECOND
        skipped = max(0, -(-(start - first) // step))  # whole slots that begin before `start`
        ranges.append(range(first + skipped * step, min(last, end), step))
    return Slots(ranges)


def slot_at(versions: Sequence[ScheduleVersion], check: str, moment: int) -> int | None:
    """The slot of a check that a moment lies in, or None when no version in force then names the check."""
    for version, start, end in spans(versions):
        plan = version.plan(check)
        if plan is not None and start <= moment < end:
            return moment - (moment - start) % (plan.every * _SECOND)
    return None


def spans(versions: Sequence[ScheduleVersion]) -> Iterator[tuple[ScheduleVersion, int, int]]:
    """Each version with [start, end) of its time. One that was to begin after a later one (a clock was ahead) gives way
    to it: its time is empty.
    """
    ordered = sorted(versions, key=lambda one: one.version)
    starts: list[int] = []
    for one in reversed(ordered):
        starts.insert(0, min(one.starts, *starts[:1]) if starts else one.starts)
    for place, one in enumerate(ordered):
        yield one, starts[place], starts[place + 1] if place + 1 < len(starts) else 1 << 62
