"""Over many records: ranges that must join, counts in a window, and values that must all stand there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from troth.governance.forms.expressions import Value, holds
from troth.governance.forms.form import Cadence, Chain, Covers, Form, Span
from troth.governance.looking import DAY_MS, Look
from troth.governance.naming import names_of
from troth.governance.records import Record
from troth.vault.rights.clocks import months_after

_HOUR_MS = DAY_MS // 24


@dataclass(frozen=True, slots=True)
class Hole:
    """Time that no range covers, in epoch ms; `length` in ms. A hole of days begins and ends at midnight UTC."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How long it is, in ms."""
        return self.end - self.start

    @property
    def days(self) -> int:
        """How long it is in days, rounded up."""
        return -(-self.length // DAY_MS)


def holes(form: Form, chain: Chain, records: Sequence[Record], look: Look) -> tuple[Hole, ...]:
    """What the ranges of the records leave open between the first of them and where they must reach."""
    ranges = sorted(_range(chain, one) for one in records if _counts(form, chain.states, chain.where, one, look))
    found: list[Hole] = []
    covered: int | None = None
    for start, end in ranges:
        if covered is not None and start - covered > _ms(chain.hole):
            found.append(Hole(covered, start))
        covered = end if covered is None else max(covered, end)
    if covered is not None:
        found += _tail(chain, covered, look)
    since = 0 if chain.back is None else look.now - _ms(chain.back)
    return tuple(one for one in found if one.end > since)


def _tail(chain: Chain, covered: int, look: Look) -> list[Hole]:
    if chain.ahead is not None and covered < look.now + _ms(chain.ahead):
        return [Hole(covered, look.now + _ms(chain.ahead))]
    behind = look.now - covered
    return [Hole(covered, look.now)] if chain.reach is not None and behind > _ms(chain.reach) else []


def _range(chain: Chain, record: Record) -> tuple[int, int]:
    """[start, end) in epoch ms; an end before the start, or a missing one, covers nothing."""
    first, last = _ms_of(record.values.get(chain.first), 0), _ms_of(record.values.get(chain.last), DAY_MS)
    if first is None or last is None or last <= first:
        return (record.opened_at, record.opened_at) if first is None else (first, first)
    return first, last


def _ms_of(value: Value, add: int) -> int | None:
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days * DAY_MS + add
    return value if isinstance(value, int) else None


def _ms(span: Span) -> int:
    """A span as a length; a month counts as the longest one."""
    return span.number * {"hours": _HOUR_MS, "months": 31 * DAY_MS}.get(span.unit, DAY_MS)


def _counts(form: Form, states: tuple[str, ...], where: str | None, record: Record, look: Look) -> bool:
    return record.state in states and (where is None or holds(where, names_of(form, record, look)))


@dataclass(frozen=True, slots=True)
class Shortage:
    """How a cadence is not met: `found` of `wanted` in the window, and the longest gap in days, if it is too long."""

    found: int
    wanted: int
    gap: int | None


def shortage(form: Form, cadence: Cadence, records: Sequence[Record], look: Look) -> Shortage | None:
    """None when the cadence is met at the day of the look.

    The window of 12 months that ends on 31 March begins on 1 April of the year before. Gaps are those that end inside
    the window, and the one from the last day until today.
    """
    kept = [one for one in records if _counts(form, cadence.states, cadence.where, one, look)]
    days = sorted(day for one in kept if isinstance(day := one.values.get(cadence.at), date) and day <= look.today)
    start = _window_start(cadence.within, look)
    inside = [day for day in days if day > start]
    gap = _longest([day for day in days if day <= start][-1:] + inside, look.today) if cadence.gap else 0
    too_long = cadence.gap is not None and gap > cadence.gap.number
    if len(inside) >= cadence.count and not too_long:
        return None
    return Shortage(len(inside), cadence.count, gap if too_long else None)


def _window_start(within: Span, look: Look) -> date:
    """The last day before the window. Months are counted back; the strict side is the shorter window."""
    today = look.today
    if within.unit == "months":
        return months_after(today, -within.number)
    return date.fromordinal(today.toordinal() - within.number)


def _longest(days: Sequence[date], today: date) -> int:
    return max(((later - sooner).days for sooner, later in pairwise([*days, today])), default=0)


def uncovered(covers: Covers, kept: Sequence[Record], look: Look) -> tuple[str, ...] | None:
    """Which values stand in no kept record; None when nobody knows what must be covered."""
    wanted = look.lists.get(covers.named) if covers.named else covers.values
    if not wanted:
        return None
    there: set[str] = set()
    for one in kept:
        value = one.values.get(covers.field)
        there |= {str(entry) for entry in (value if isinstance(value, tuple) else (value,))}
    return tuple(one for one in wanted if one not in there)
