"""How a register stands: how many records count, which are not in order, and why. The only judge of registers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from troth.governance.chains import holes, shortage, uncovered
from troth.governance.clocks import running
from troth.governance.dues import dues
from troth.governance.forms.expressions import holds
from troth.governance.forms.form import Form
from troth.governance.looking import DAY_MS, Item, Look
from troth.governance.naming import names_of
from troth.governance.populations import by_record, counts, late, owed
from troth.governance.records import Record

_REMEMBERED: Final = 365 * DAY_MS  # a legal time that was missed stays visible for a year


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not in order: the record (None: the register as a whole), and what.

    `what` is a token such as `condition-2`, `due-review`, `clock-answer`, `early-answer`, `late-attest`, `chain`,
    `cadence`, `covers-section`; `number`: how many people, days, or values.
    """

    record: str | None
    what: str
    number: int = 1


@dataclass(frozen=True, slots=True)
class Stand:
    """What a look at a register showed. An empty register has a population of 0, which proves nothing.

    `broken` counts the records that are not in order, and each failing of the register as a whole.
    """

    population: int
    tested: int
    broken: int
    reasons: tuple[Reason, ...]


def standing(form: Form, records: Sequence[Record], items: Sequence[Item], look: Look) -> Stand:
    """How the register stands at the moment of the look. Records in states that are not judged do not count."""
    judged = [one for one in records if form.judged(one.state)]
    acts = by_record(items)
    found = [reason for one in judged for reason in wrong(form, one, acts.get(one.id, ()), look)]
    broken = {one.record for one in found}
    if not judged:
        return Stand(0, 0, 0, ())
    found_at_large = list(_at_large(form, judged, [one for one in judged if one.id not in broken], look))
    return Stand(len(judged), len(judged), len(broken) + len(found_at_large), (*found, *found_at_large))


def wrong(form: Form, record: Record, items: Sequence[Item], look: Look) -> Iterator[Reason]:
    """Why one record, in a state that is judged, is not in order."""
    names = names_of(form, record, look, counts(form, record, items, look))
    for number, text in enumerate(form.kept_when, 1):
        if not holds(text, names):
            yield Reason(record.id, f"condition-{number}")
    skipped = {*form.clocks, *form.populations}
    for due in dues(form, [record], items, look):
        if due.state in ("overdue", "lapsed") and due.name not in skipped:
            yield Reason(record.id, f"due-{due.name}")
    yield from _times(form, record, look)
    yield from _people(form, record, items, look)


def _times(form: Form, record: Record, look: Look) -> Iterator[Reason]:
    for clock in running(form, record, look):
        if look.now - (clock.stopped or look.now) > _REMEMBERED:
            continue
        if clock.early:
            yield Reason(record.id, f"early-{clock.name}")
        elif clock.late and not clock.excused:
            yield Reason(record.id, f"clock-{clock.name}")


def _people(form: Form, record: Record, items: Sequence[Item], look: Look) -> Iterator[Reason]:
    for rule in form.populations.values():
        if record.state not in rule.states:
            continue
        all_of = owed(form, rule, record, items, look)
        if not all_of:  # nobody, or nobody knows who: then nobody can have done it
            yield Reason(record.id, f"nobody-{rule.name}")
        elif names := late(all_of, look):
            yield Reason(record.id, f"late-{rule.name}", len(names))


def _at_large(form: Form, judged: Sequence[Record], kept: Sequence[Record], look: Look) -> Iterator[Reason]:
    if form.chain is not None:
        for hole in holes(form, form.chain, judged, look):
            yield Reason(None, "chain", hole.days)
    if form.cadence is not None and (short := shortage(form, form.cadence, judged, look)):
        yield Reason(None, "cadence", short.wanted - short.found if short.gap is None else short.gap)
    for one in form.covers:
        missing = uncovered(one, kept, look)
        if missing is None or missing:
            yield Reason(None, f"covers-{one.field}", len(missing or ()))
