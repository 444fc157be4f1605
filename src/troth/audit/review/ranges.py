"""Ranges of a log that were reviewed, the gaps between them, and when the next review is due. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from troth.kernel.clock import from_epoch_ms

DAY_MS = 86_400_000
MAX_DAYS = 400  # days that a gap names; of a longer one the first


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Entries from `first` to `last`, both included."""

    first: int
    last: int


def gaps(reviewed: Iterable[Range], *, start: int = 0) -> list[Range]:
    """What lies between reviewed ranges, from index `start` to the last reviewed entry. An overlap is no gap."""
    found, expected = [], start
    for one in sorted(reviewed):
        if one.first > expected:
            found.append(Range(expected, one.first - 1))
        expected = max(expected, one.last + 1)
    return found


def consecutive(reviewed: Iterable[Range]) -> bool:
    """True when each range begins with the entry after the one before it, the first with entry 0."""
    expected = 0
    for one in reviewed:
        if one.first != expected or one.last < one.first:
            return False
        expected = one.last + 1
    return True


def days(since: int, until: int) -> list[str]:
    """The UTC days (2026-11-22) that a span of time touches, at most 400; times in epoch ms."""
    last = from_epoch_ms(max(since, until)).date()
    found: list[str] = []
    moment = since
    while len(found) < MAX_DAYS and (day := from_epoch_ms(moment).date()) <= last:
        found.append(day.isoformat())
        moment += DAY_MS
    return found


def due_at(oldest: int, every_days: int, due_days: int) -> int:
    """When the review that contains an act of `oldest` (epoch ms) must be closed: its period ends, then the term."""
    return oldest + (every_days + due_days) * DAY_MS
