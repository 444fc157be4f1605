"""What is wrong with a form: names that lead nowhere, conditions of mixed kinds, examples that prove nothing."""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from troth.governance.forms.expressions import Missing, Value, check, evaluate
from troth.governance.forms.fields import read_value, sample
from troth.governance.forms.form import Form, Move
from troth.governance.looking import Look
from troth.governance.moves import ANYBODY, engine_fields
from troth.governance.problems import Problem
from troth.governance.records import OF_FILES
from troth.governance.rule_lint import ROLES, rules, unknown
from troth.governance.specimens import Specimens, good, known_bad
from troth.governance.standing import standing
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Invalid

__all__ = ["DAYS", "Problem", "lint_form", "lint_together"]

# Days on which the examples are tried: a leap day, ends of months and years, a weekend, and the far future, so that an
# example cannot stop to hold by itself.
DAYS: Final = tuple(
    round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
    for day in ("2026-01-31T12:00", "2026-12-31T23:30", "2027-02-28T00:00", "2028-02-29T12:00", "2031-08-03T06:00")
)
_RESERVED: Final = frozenset({"state", "today", "now", "share", "late", "count", "opened", "since", "did", "open"})
_MOST_LOOKS: Final = 6_000  # conditions times records on one day; the shipped forms need less than 500
_TEXTS: Final = ("text", "long")


def lint_form(form: Form, promises: Collection[str] | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with one form; `promises`: the ids that there are, when they are known."""
    found = [*_names(form), *_fields(form), *_states(form), *_moves(form), *rules(form), *_conditions(form)]
    if promises is not None:
        found += unknown("unknown-promise", "promises", form.promises, promises)
    found += _head(form)
    return tuple(found) if found else tuple(_examples(form))


def lint_together(forms: Mapping[str, Form]) -> tuple[Problem, ...]:
    """What only shows over several forms: links and populations that lead to no register or state."""
    return tuple(one for form in forms.values() for one in _outward(form, forms))


def _head(form: Form) -> Iterator[Problem]:
    yield from unknown("unknown-role", "read", form.read, ROLES)
    yield from unknown("unknown-class", "keeps", (str(form.keeps["class"]),), [one.value for one in DataClass])
    if not form.read:
        yield Problem("nobody-reads", "read", "Nobody may read the register.")
    at_large = form.chain or form.cadence or form.covers or form.clocks or form.populations or form.dues
    if not form.kept_when and not at_large:
        yield Problem("proves-nothing", "kept_when", "Nothing says when a record is in order.")


def _names(form: Form) -> Iterator[Problem]:
    several = [*form.fields, *form.derived, *form.populations]
    for name in several:
        if not name.isidentifier() or keyword.iskeyword(name) or name in _RESERVED:
            yield Problem("bad-name", name, f"{name} cannot be used in conditions; take another name.")
        elif several.count(name) > 1:
            yield Problem("twice", name, f"{name} is the name of two things.")


def _fields(form: Form) -> Iterator[Problem]:
    written = engine_fields(form)
    for name, one in form.fields.items():
        where = f"fields.{name}"
        if (one.single in ("choice", "link")) != bool(one.of) and one.single not in _TEXTS:
            yield Problem("field-of", where, f"{where}: `of` belongs to choices and links.")
        if one.single in _TEXTS and any(form.fields.get(of, one).single != "person" for of in one.of):
            yield Problem("field-of", where, f"{where}: `of` names the field of the person that the text is about.")
        if one.required and name in written:
            yield Problem("required", where, f"{where} is written by a move and cannot be asked for at the opening.")


def _outward(form: Form, forms: Mapping[str, Form]) -> Iterator[Problem]:
    for name, one in form.fields.items():
        if one.single == "link":
            yield from unknown("unknown-register", f"{form.name}.fields.{name}", one.of, forms)
    for name, rule in form.populations.items():
        register, _, state = rule.over.partition(".")
        states = forms[register].states if register in forms else ()
        yield from unknown("unknown-population", f"{form.name}.population.{name}", (state,), states)


def _states(form: Form) -> Iterator[Problem]:
    if form.source is not None:
        if form.moves or form.opened:
            yield Problem("source", "moves", "A register that shows what is kept elsewhere has no moves.")
        return
    reached = {form.opened.to} if form.opened else set()
    for _ in form.states:
        reached |= {one.to for one in form.moves.values() if reached & set(one.start)}
    for name in set(form.states) - reached:
        yield Problem("unreachable", f"states.{name}", f"No move leads to the state {name}.")


def _moves(form: Form) -> Iterator[Problem]:
    for move in [*form.moves.values(), *([form.opened] if form.opened else [])]:
        where = f"moves.{move.name}"
        if move.name in OF_FILES:
            yield Problem("bad-name", where, f"Every register has {move.name}; take another name.")
        states = (*move.start, *((move.to,) if move.to else ()))
        yield from unknown("unknown-state", where, states, form.states)
        yield from unknown("unknown-role", where, move.roles, {*ROLES, ANYBODY})
        fields = set(form.fields)
        yield from unknown("unknown-field", where, (*move.needs, *move.may), fields | set(move.asks))
        yield from unknown("unknown-field", where, move.sets, fields)
        written = engine_fields(form) & {*move.needs, *move.may}
        yield from (Problem("written", where, f"{name} is written by a move; nobody enters it.") for name in written)
        if not move.roles or (move.name != "open" and not move.start) or set(move.asks) & fields:
            yield Problem(
                "move", where, f"{where} needs a role and a state to start from, and asks for no field twice."
            )
        yield from _second_person(form, move, where)
        yield from _written(form, move, where)


def _second_person(form: Form, move: Move, where: str) -> Iterator[Problem]:
    """What forbids somebody a move must always stand there: an empty field would forbid nobody."""
    for name in move.not_by:
        one = form.fields.get(name)
        if one is None:
            yield from unknown("unknown-move", where, (name,), {*form.moves, "open"})
        elif one.single != "person" or not (one.required or name in move.needs or name in engine_fields(form)):
            yield Problem("not-by", where, f"{where}: {name} may be empty or names nobody, so it would forbid nobody.")


def _written(form: Form, move: Move, where: str) -> Iterator[Problem]:
    words: Mapping[str, Any] = {"today": "2026-01-31", "now": "2026-01-31T10:00:00Z", "actor": "usr_1"}
    for name, value in move.sets.items():
        if name in form.fields:
            try:
                read_value(form.fields[name], words.get(value, value) if isinstance(value, str) else value)
            except Invalid as error:
                yield Problem("sets", where, error.advice)


def _samples(form: Form) -> dict[str, Value]:
    names: dict[str, Value] = {name: sample(one) for name, one in form.fields.items()}
    names |= {f"count({name})": 1 for name, one in form.fields.items() if one.many}
    names |= {f"share({name})": Fraction(1) for name in form.populations}
    names |= {f"late({name})": 0 for name in form.populations}
    return names | {"state": "x", "today": Look(DAYS[0]).today, "now": DAYS[0]}


def _conditions(form: Form) -> Iterator[Problem]:
    names = _samples(form)
    for name, text in form.derived.items():
        try:
            names[name] = evaluate(text, names)
        except Invalid as error:
            yield Problem("bad-condition", f"derived.{name}", error.advice)
            names[name] = None
        except Missing as error:
            yield _never(f"derived.{name}", error)
            names[name] = None
    for where, text, extra in _all_conditions(form):
        try:
            check(text, names | extra)
            if not isinstance(evaluate(text, names | extra), bool):
                yield Problem("bad-condition", where, f"{where} is no condition: it is neither true nor false.")
        except Invalid as error:
            yield Problem("bad-condition", where, error.advice)
        except Missing as error:
            yield _never(where, error)


def _never(where: str, error: Missing) -> Problem:
    return Problem("bad-condition", where, f"{where} uses {error.name}, which never has a value.")


def _all_conditions(form: Form) -> Iterator[tuple[str, str, dict[str, Value]]]:
    for number, text in enumerate(form.kept_when, 1):
        yield f"kept_when.{number}", text, {}
    for move in [*form.moves.values(), *([form.opened] if form.opened else [])]:
        asked = {name: sample(one) for name, one in move.asks.items()}
        yield from ((f"moves.{move.name}", text, asked) for text in move.when)
    told: list[tuple[str, str | None]] = [(f"dues.{name}", one.when) for name, one in form.dues.items()]
    told += [(f"clocks.{name}", one.when) for name, one in form.clocks.items()]
    told += [(f"population.{name}", one.renews_when) for name, one in form.populations.items()]
    told += [("chain", form.chain.where if form.chain else None)]
    told += [("cadence", form.cadence.where if form.cadence else None)]
    yield from ((where, text, {}) for where, text in told if text is not None)


def _examples(form: Form) -> Iterator[Problem]:
    """Each day on which the good ones fail or a bad one passes; the first of each is enough."""
    if _evaluated(form) * len(form.examples.good) * (len(form.examples.known_bad) + 1) > _MOST_LOOKS:
        yield Problem("too-many-examples", "examples", "Trying these examples would take too long; give fewer.")
        return
    seen: set[str] = set()
    for now in DAYS:
        try:
            for problem in _on(form, Look(now)):
                if problem.where not in seen:
                    seen.add(problem.where)
                    yield problem
        except Invalid as error:
            yield Problem("bad-example", "examples", error.advice)
            return


def _evaluated(form: Form) -> int:
    """How many conditions the judging of one record evaluates; what a form derives, each time that names are made."""
    people, clocks = 3 * len(form.populations), 2 * len(form.clocks)  # asked three times and twice for each record
    over_many = (form.chain is not None) + (form.cadence is not None)
    names_made = 1 + bool(form.dues) + 2 * bool(form.clocks) + people + over_many
    return 1 + len(form.kept_when) + len(form.dues) + clocks + people + over_many + names_made * len(form.derived)


def _on(form: Form, look: Look) -> Iterator[Problem]:
    stand = _stand(form, good(form, look))
    if stand.broken or not stand.tested:
        why = ", ".join(f"{one.record or 'register'}: {one.what}" for one in stand.reasons) or "nothing is judged"
        yield Problem("good-fails", "examples.good", f"The good examples are not in order together ({why[:200]}).")
    for number, one in enumerate(known_bad(form, look)):
        bad = _stand(form, one)
        if not bad.broken:
            where = f"examples.known_bad.{number}"
            yield Problem("bad-passes", where, f"{where} is in order, so it proves nothing.")


def _stand(form: Form, specimens: Specimens) -> Any:
    return standing(form, specimens.records, specimens.items, specimens.look)


def unnamed(forms: Iterable[Form], promises: Collection[str]) -> tuple[str, ...]:
    """The promises that no form names."""
    named = {promise for form in forms for promise in form.promises}
    return tuple(one for one in promises if one not in named)
