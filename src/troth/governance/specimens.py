"""The examples of a form as records: those that are in order together, and each change that must be seen as wrong.

They prove that the judgement of a register can fail: the known-bad ones are the control of its check.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from troth.governance.forms.expressions import Value
from troth.governance.forms.fields import Field, read_value
from troth.governance.forms.form import Form
from troth.governance.forms.taking import bad_form, mapping
from troth.governance.looking import DAY_MS, Item, Look, Member
from troth.governance.records import FIRST, Done, Record
from troth.vault.rights.clocks import months_after

# At most 100 years either way: a later or earlier day may be none of the calendar.
_RELATIVE: Final = re.compile(r"([+-])([0-9]{1,3}m|1[01][0-9]{2}m|1200m|[0-9]{1,4}[dh])")
_AGES: Final = ("opened", "since")
_PEOPLE: Final = ("m1", "m2", "m3")


@dataclass(frozen=True, slots=True)
class Specimens:
    """Records and acts that a form gives as an example, and the look under which they are judged."""

    records: tuple[Record, ...]
    items: tuple[Item, ...]
    look: Look


def good(form: Form, look: Look) -> Specimens:
    """The examples that are in order together. Raises Invalid(bad-form) when one cannot be read."""
    return _made(form, form.examples.good, look)


def known_bad(form: Form, look: Look) -> Iterator[Specimens]:
    """Each change of the good ones that must be seen as not in order. Raises Invalid(bad-form)."""
    for number, change in enumerate(form.examples.known_bad):
        yield _made(form, _changed(form, change, f"examples.known_bad.{number}"), look)


def _changed(form: Form, change: Mapping[str, Any], place: str) -> list[Mapping[str, Any]]:
    """`{like: 0, but: {…}}` replaces that record, with `more: true` adds another; `{without: 0}` leaves it out."""
    rows = list(form.examples.good)
    number = change.get("like", change.get("without"))
    known = set(change) in ({"without"}, {"like", "but"}, {"like", "but", "more"})
    if not known or isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < len(rows):
        raise bad_form(place, "it is `{like: 0, but: {…}}`, with `more: true`, or `{without: 0}`")
    if "without" in change:
        return rows[:number] + rows[number + 1 :]
    altered = {**rows[number], **mapping(change["but"], f"{place}.but")}
    return [*rows, altered] if change.get("more") else [*rows[:number], altered, *rows[number + 1 :]]


def _made(form: Form, rows: Sequence[Mapping[str, Any]], look: Look) -> Specimens:
    here = replace(look, members=_members(form, look), lists=_lists(form, look))
    records = tuple(_record(form, row, number, here) for number, row in enumerate(rows))
    items = tuple(
        one
        for row, record in zip(rows, records, strict=True)
        for name in form.populations
        for one in _acts(record, name, row.get(name, "none"), here)
    )
    return Specimens(records, items, here)


def _members(form: Form, look: Look) -> dict[str, tuple[Member, ...]]:
    several = tuple(Member(name, look.now - 1000 * DAY_MS) for name in _PEOPLE)
    return {rule.over: several for rule in form.populations.values()}


def _lists(form: Form, look: Look) -> dict[str, tuple[str, ...]]:
    """A list that only the installation knows is, for examples, what the good ones name."""
    found: dict[str, tuple[str, ...]] = {}
    for one in form.covers:
        if one.named:
            values = [row.get(one.field) for row in form.examples.good]
            flat = [entry for value in values for entry in (value if isinstance(value, list) else [value])]
            found[one.named] = tuple(sorted({str(entry) for entry in flat if entry is not None}))
    return {**look.lists, **found}


def _acts(record: Record, population: str, told: Any, look: Look) -> Iterator[Item]:
    if told not in ("all", "all-but-one", "none"):
        raise bad_form(f"examples.{population}", "it is all, all-but-one or none")
    doing = {"all": _PEOPLE, "all-but-one": _PEOPLE[1:]}.get(told, ())
    return (Item(record.id, population, name, look.now - DAY_MS) for name in doing)


def _record(form: Form, row: Mapping[str, Any], number: int, look: Look) -> Record:
    place = f"examples.{number}"
    known = {*form.fields, *form.populations, *_AGES, "state", "did"}
    for name in row:
        if name not in known:
            raise bad_form(f"{place}.{name}"[:80], "it is no field of the form")
    raw = {name: _wire(form.fields[name], row[name], look) for name in form.fields if row.get(name) is not None}
    state = row.get("state")
    if not isinstance(state, str) or state not in form.states:
        raise bad_form(f"{place}.state", "it is one of the states")
    ages = {name: _moment(row.get(name, "-100d"), look, f"{place}.{name}") for name in _AGES}
    did = mapping({} if row.get("did") is None else row["did"], f"{place}.did")
    done = {name: _done(name, told, look, place) for name, told in did.items()}
    if not set(done) <= set(form.moves):
        raise bad_form(f"{place}.did", "it names moves of the form")
    opener = Done(ages["opened"], str(row.get("by", "p1")))
    return Record(
        form=form.name, id=f"r{number}", state=state, raw=raw, values=_typed(form, raw), opened_at=ages["opened"],
        changed_at=ages["since"], sequence=1 + len(done), head=FIRST, done={"open": opener, **done},
        entered={state: ages["since"]},
    )  # fmt: skip


def _typed(form: Form, raw: Mapping[str, Any]) -> dict[str, Value]:
    return {name: read_value(one, raw.get(name)) for name, one in form.fields.items()}


def _done(name: str, told: Any, look: Look, place: str) -> Done:
    return Done(_moment(told, look, f"{place}.did.{name}"), f"p-{name}")


def _moment(told: Any, look: Look, place: str) -> int:
    found = _RELATIVE.fullmatch(told) if isinstance(told, str) else None
    if told in ("now", "today"):
        return look.now
    if found is None:
        raise bad_form(place, "it is a time from now, such as -30d or -5h")
    number, unit = _counted(found)
    return look.now + number * {"d": DAY_MS, "h": DAY_MS // 24, "m": 30 * DAY_MS}[unit]


def _counted(found: re.Match[str]) -> tuple[int, str]:
    return int(found[1] + found[2][:-1]), found[2][-1]


def _wire(field: Field, told: Any, look: Look) -> Any:
    """Days and moments that are told from the look become days and moments."""
    if field.kind not in ("date", "moment") or not isinstance(told, str):
        return told
    if field.kind == "moment":
        relative = told in ("now", "today") or _RELATIVE.fullmatch(told)
        moment = _moment(told, look, field.name) if relative else None
        return told if moment is None else datetime.fromtimestamp(moment / 1000, UTC).isoformat()
    found = _RELATIVE.fullmatch(told)
    if found is None:
        return look.today.isoformat() if told == "today" else told
    number, unit = _counted(found)
    if unit == "m":
        return months_after(look.today, number).isoformat()
    return (look.today + timedelta(days=number)).isoformat()
