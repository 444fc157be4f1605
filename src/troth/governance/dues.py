"""What falls due, by whom, and how it stands: from the form and its records alone, so that nothing can be forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Literal

from troth.governance.clocks import ms, running, span_end
from troth.governance.forms.expressions import Value, holds
from troth.governance.forms.form import DueRule, Form, Span
from troth.governance.looking import DAY_MS, Item, Look
from troth.governance.naming import names_of
from troth.governance.populations import RENEWAL_MS, by_record, owed
from troth.governance.records import Record

DueState = Literal["later", "soon", "due", "overdue", "lapsed"]
_SOON: Final = (Span(7, "days"),)
_NONE: Final = Span(0, "days")
_LENGTHS: Final = {"hours": DAY_MS // 24, "months": 30 * DAY_MS}
_ORDER: Final[dict[DueState, int]] = {"lapsed": 0, "overdue": 1, "due": 2, "soon": 3, "later": 4}


@dataclass(frozen=True, slots=True)
class Due:
    """Something to be done. `at` and `grace_until` in epoch ms; `by`: a role; `person`: an id, where one is named.

    `lapse`: what ends when the grace is over (a word of the form's `couples`). `remind`: when to remind before it is
    due, `escalate_at` and `escalate_to`: from when on another role is told as well (epoch ms).
    """

    form: str
    record: str
    name: str
    at: int
    grace_until: int
    by: str
    person: str | None
    lapse: str | None
    state: DueState
    remind: tuple[int, ...] = ()
    escalate_at: int | None = None
    escalate_to: str | None = None


def _from_field(rule: DueRule, value: Value, look: Look) -> int | None:
    """The end of a day, or a moment; `within` later, where the rule says so. None: nothing was entered."""
    if isinstance(value, date):
        noon = ms(datetime.combine(value, time(12), UTC))  # the same day from Hawaii to Sydney
        return ms(look.home.end(value)) if rule.within is None else span_end(noon, rule.within, look.home)
    if not isinstance(value, int):
        return None
    return value if rule.within is None else span_end(value, rule.within, look.home)


@dataclass(frozen=True, slots=True)
class _Told:
    name: str
    at: int
    by: str
    person: str | None = None
    lapse: str | None = None
    remind: tuple[Span, ...] = _SOON
    grace: Span = _NONE
    escalate: tuple[Span, str] | None = None


def dues(form: Form, records: Sequence[Record], items: Sequence[Item], look: Look) -> list[Due]:
    """All that is due of these records, what lapsed first, then by time.

    A date that a rule asks for and nobody entered is due since the last change: silence is never "later".
    """
    return in_order(unordered(form, records, items, look))


def unordered(form: Form, records: Sequence[Record], items: Sequence[Item], look: Look) -> Iterator[Due]:
    """The same in no order, for who puts several registers together."""
    acts = by_record(items)
    return (due for record in records for due in _of(form, record, acts.get(record.id, ()), look))


def in_order(several: Iterable[Due]) -> list[Due]:
    """What lapsed first, then by time."""
    return sorted(several, key=lambda one: (_ORDER[one.state], one.at, one.record, one.name, one.person or ""))


def _of(form: Form, record: Record, items: Sequence[Item], look: Look) -> Iterator[Due]:
    names = names_of(form, record, look) if any(rule.when for rule in form.dues.values()) else {}
    for rule in form.dues.values():
        if record.state in rule.states and (rule.when is None or holds(rule.when, names)):
            yield _due(form, rule, record, look)
    if not form.states[record.state].end:
        for clock in running(form, record, look):
            if clock.stopped is None:
                told = _Told(clock.name, clock.ends, form.clocks[clock.name].by)
                yield _made(form, record, told, look)
    yield from _of_people(form, record, items, look)


def _of_people(form: Form, record: Record, items: Sequence[Item], look: Look) -> Iterator[Due]:
    for rule in form.populations.values():
        for one in owed(form, rule, record, items, look) or ():
            if not one.done or one.by - look.now <= RENEWAL_MS:
                told = _Told(rule.name, one.by, "member", person=one.member, lapse=rule.lapse)
                yield _made(form, record, told, look)


def _due(form: Form, rule: DueRule, record: Record, look: Look) -> Due:
    person = record.values.get(rule.person) if rule.person else None
    named = person if isinstance(person, str) else None
    up = (rule.escalate_after, rule.escalate_to) if rule.escalate_after and rule.escalate_to else None
    told = _Told(rule.name, _moment(rule, record, look), rule.by, named, rule.lapse, rule.remind, rule.grace, up)
    return _made(form, record, told, look)


def _moment(rule: DueRule, record: Record, look: Look) -> int:
    if rule.at is not None:
        return _from_field(rule, record.values.get(rule.at), look) or record.changed_at
    base = max((record.done[one].at for one in rule.after if one in record.done), default=record.opened_at)
    return span_end(base, rule.within or Span(0, "days"), look.home)


def _made(form: Form, record: Record, told: _Told, look: Look) -> Due:
    grace_until = told.at + _length(told.grace)
    remind = tuple(sorted(told.at - _length(one) for one in told.remind))
    state = _state(told.at, grace_until, min(remind, default=told.at), told.lapse, look.now)
    up = (told.at + _length(told.escalate[0]), told.escalate[1]) if told.escalate else (None, None)
    person, lapse = told.person, told.lapse
    return Due(form.name, record.id, told.name, told.at, grace_until, told.by, person, lapse, state, remind, *up)


def plain_due(place: tuple[str, str, str], at: int, by: str, *, now: int, stops: int | None = None) -> Due:
    """Something due that another room keeps: (source, record, name). `stops`: from when on something ends with it."""
    form, record, name = place
    until, lapse, week = at if stops is None else stops, None if stops is None else "stops", at - 7 * DAY_MS
    return Due(form, record, name, at, until, by, None, lapse, _state(at, until, week, lapse, now), (week,))


def _state(at: int, grace_until: int, first: int, lapse: str | None, now: int) -> DueState:
    if now >= grace_until:
        return "lapsed" if lapse else "overdue"
    if now >= at - DAY_MS:
        return "due"
    return "soon" if now >= first else "later"


def _length(span: Span) -> int:
    return span.number * _LENGTHS.get(span.unit, DAY_MS)
