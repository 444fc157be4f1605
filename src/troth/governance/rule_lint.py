"""Whether the dues, clocks, populations and counts of a form speak of fields, states and moves that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from troth.governance.clocks import LAWS
from troth.governance.forms.form import Form
from troth.governance.lapses import PORTS
from troth.governance.problems import Problem

# `room` is nobody's to give: who came into an auditor's room by its door has it there.
ROLES = frozenset({"owner", "admin", "privacy-officer", "security-analyst", "auditor", "member", "room"})
_DAYS = ("date", "moment")


def rules(form: Form) -> Iterator[Problem]:
    """Everything in the rules over time that leads nowhere."""
    yield from _dues(form)
    yield from _clocks(form)
    yield from _populations(form)
    yield from _over_many(form)
    yield from _coupled(form)


def unknown(code: str, where: str, names: Iterable[str | None], known: Iterable[str]) -> Iterator[Problem]:
    """A problem for each name that is none of the known."""
    there = set(known)
    for name in names:
        if name is not None and name not in there:
            yield Problem(code, where, f"{where} names {name}, which there is not.")


def _of_kind(form: Form, where: str, name: str | None, kinds: Iterable[str]) -> Iterator[Problem]:
    allowed = set(kinds)
    if name is not None and (name not in form.fields or form.fields[name].kind not in allowed):
        yield Problem("unknown-field", where, f"{where} needs a field of the kind {' or '.join(sorted(allowed))}.")


def _dues(form: Form) -> Iterator[Problem]:
    names = [*form.dues, *form.clocks, *form.populations]
    for name in {one for one in names if names.count(one) > 1}:
        yield Problem("twice", name, f"{name} is the name of two things that fall due; give each its own.")
    for name, rule in form.dues.items():
        where = f"dues.{name}"
        yield from unknown("unknown-state", where, rule.states or (None,), form.states)
        yield from unknown("unknown-move", where, rule.after, form.moves)
        yield from unknown("unknown-role", where, (rule.by, rule.escalate_to), ROLES)
        yield from _of_kind(form, where, rule.at, _DAYS)
        yield from _of_kind(form, where, rule.person, ("person",))
        if (rule.at is None and rule.within is None) or (rule.at and rule.after) or not rule.states:
            yield Problem(
                "due",
                where,
                f"{where} needs `in`, and `at` (with or without `within`), or `within` a time after moves.",
            )
        one = form.fields.get(rule.at or "")
        if one and one.kind == "date" and rule.within and rule.within.unit == "hours":
            yield Problem("due", where, f"{where} counts hours from a day; count days, or from a moment.")


def _clocks(form: Form) -> Iterator[Problem]:
    for name, rule in form.clocks.items():
        where = f"clocks.{name}"
        if rule.starts not in form.moves:
            yield from _of_kind(form, where, rule.starts, _DAYS)
        yield from unknown("unknown-law", where, (rule.law,), LAWS)
        yield from unknown("unknown-move", where, (*rule.stops, rule.extended_by), form.moves)
        yield from unknown("unknown-stop", where, rule.inside, rule.stops)
        yield from unknown("unknown-role", where, (rule.by,), ROLES)
        yield from _of_kind(form, where, rule.excuse, ("text", "long"))
        if not rule.stops or (rule.extend is None) != (rule.extended_by is None):
            yield Problem("clock", where, f"{where} needs `stops`, and `extend` only together with `extended_by`.")
        elif rule.extend is not None and rule.extend.unit != rule.within.unit:
            yield Problem("clock", where, f"{where} is extended in another unit than it runs in.")


def _populations(form: Form) -> Iterator[Problem]:
    for name, rule in form.populations.items():
        where = f"population.{name}"
        yield from unknown("unknown-state", where, rule.states, form.states)
        yield from unknown("unknown-move", where, rule.renewed_by, {*form.moves, "open"})
        if not rule.states:
            yield Problem("population", where, f"{where} needs `in`.")


def _over_many(form: Form) -> Iterator[Problem]:
    if form.chain is not None:
        yield from unknown("unknown-state", "chain", form.chain.states, form.states)
        for name in (form.chain.first, form.chain.last):
            yield from _of_kind(form, "chain", name, _DAYS)
    if form.cadence is not None:
        yield from unknown("unknown-state", "cadence", form.cadence.states, form.states)
        yield from _of_kind(form, "cadence", form.cadence.at, ("date",))
        if form.cadence.within.unit not in ("months", "days"):
            yield Problem("cadence", "cadence", "cadence counts in months or days.")
        if form.cadence.gap is not None and form.cadence.gap.unit != "days":
            yield Problem("cadence", "cadence", "The gap of a cadence is told in days.")
    for over in (form.chain, form.cadence):
        unjudged = [one for one in (over.states if over else ()) if one in form.states and not form.judged(one)]
        if unjudged or (over and not over.states):
            yield Problem("not-judged", "chain or cadence", "It needs `in`, with states that are judged.")
    yield from unknown("unknown-field", "covers", (one.field for one in form.covers), form.fields)


def _coupled(form: Form) -> Iterator[Problem]:
    lapses = [due.lapse for due in form.dues.values()] + [rule.lapse for rule in form.populations.values()]
    yield from unknown("unknown-lapse", "lapse", lapses, form.couples)
    yield from unknown("unused-lapse", "couples", form.couples, [one for one in lapses if one])
    yield from unknown("unknown-port", "couples", form.couples.values(), PORTS)
