"""Everything that is due for a tenant in one list, from every room that keeps something with an end. Pure.

A room that cannot be asked is named: what is due there nobody can tell, and that is never "nothing".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from troth.governance.dues import Due, in_order
from troth.governance.looking import DAY_MS
from troth.kernel.errors import TrothError

MOST_OF_A_SOURCE: Final = 5_000  # of one room, besides registers, which have a bound of their own
WEEKS: Final = 13  # of the picture
_WEEK_MS: Final = 7 * DAY_MS
_LATE: Final = frozenset({"overdue", "lapsed"})


@dataclass(frozen=True, slots=True)
class Source:
    """A room that keeps something with an end: what is due there for a tenant at a moment, and which roles read it."""

    name: str
    readers: frozenset[str]
    dues: Callable[[str, int], Iterable[Due]]


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is due, overdue first; `unjudged`: registers and rooms of which nobody can tell, by name."""

    dues: tuple[Due, ...]
    unjudged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from `start` (epoch ms), and how many things fall due in them."""

    start: int
    count: int


def agenda(sources: Iterable[Source], tenant: str, roles: Collection[str], now: int) -> Agenda:
    """What these roles may read of all sources, overdue first."""
    several: list[Due] = []
    unjudged: list[str] = []
    for one in sources:
        if not one.readers & set(roles):
            continue
        try:
            found = list(one.dues(tenant, now))
        except TrothError:
            unjudged.append(one.name)
            continue
        if len(found) > MOST_OF_A_SOURCE:  # what is left out would look as if it were not due
            unjudged.append(one.name)
        several += in_order(found)[:MOST_OF_A_SOURCE]
    return Agenda(tuple(in_order(several)), tuple(sorted(unjudged)))


def joined(*several: Agenda) -> Agenda:
    """Several lists as one."""
    dues = in_order(due for one in several for due in one.dues)
    return Agenda(tuple(dues), tuple(sorted({name for one in several for name in one.unjudged})))


def overdue(dues: Iterable[Due]) -> int:
    """How many should have been done by now."""
    return sum(one.state in _LATE for one in dues)


def weeks(dues: Sequence[Due], now: int) -> tuple[Week, ...]:
    """How many fall due in each of the thirteen weeks from `now` on; what is overdue counts in none of them."""
    counts = [0] * WEEKS
    for one in dues:
        number = (one.at - now) // _WEEK_MS
        if one.state not in _LATE and number < WEEKS:
            counts[max(0, number)] += 1
    return tuple(Week(now + number * _WEEK_MS, count) for number, count in enumerate(counts))
