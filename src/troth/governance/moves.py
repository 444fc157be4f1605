"""Making a move: who may, when, with what, and the event that says so. Pure; nothing is stored here."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from troth.governance.clocks import running
from troth.governance.forms.expressions import Value, holds
from troth.governance.forms.fields import Field, read_value
from troth.governance.forms.form import Form, Move
from troth.governance.looking import Item, Look
from troth.governance.naming import names_of
from troth.governance.populations import counts
from troth.governance.records import FIRST, Event, Record, content_digest
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound, PreconditionFailed, TooLarge

_LARGEST: Final = 64_000  # characters of what one event says, as JSON
ANYBODY: Final = "any"
SNAPSHOT: Final = "snapshot"  # the move of a form with snapshots that the system alone prepares
_NOBODY: Final = ""  # a move that nobody made yet forbids nobody


@dataclass(frozen=True, slots=True)
class By:
    """Who moves. `also`: further ids of the same person (the staff record beside the account), so that nobody approves
    their own work under another name. `call`: the request."""

    tenant: str
    actor: str
    subject: str | None
    roles: frozenset[str]
    call: str
    also: frozenset[str] = frozenset()
    prepares: bool = False  # whether the system enters what it found itself

    @property
    def ids(self) -> frozenset[str]:
        """Every id of this person."""
        return self.also | {self.actor} | ({self.subject} if self.subject else set())


def governing(roles: frozenset[str]) -> frozenset[str]:
    """By which roles somebody is known here: a custom role that governs counts as an admin, never as an owner."""
    return roles | ({"admin"} if "may:govern" in roles else frozenset())


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be entered: values as in JSON, the salt of the event (32 bytes), the sequence that was seen."""

    values: Mapping[str, Any]
    salt: bytes
    seen: int | None = None


def engine_fields(form: Form) -> frozenset[str]:
    """Fields that only moves set; nobody may enter them."""
    moves = [*form.moves.values(), *([form.opened] if form.opened else [])]
    return frozenset(name for one in moves for name in one.sets)


def opening(form: Form, record: str, wish: Wish, by: By, look: Look) -> Event:
    """The first event of a record. Raises Denied(wrong-role), Invalid(move-needs, bad-field), Conflict(not-now)."""
    if form.opened is None:
        raise Conflict("This register shows what is kept elsewhere; enter it there.", code="not-now")
    rule = form.opened
    _permit(rule, by)
    written = engine_fields(form)
    open_to = set(rule.may or [name for name in form.fields if name not in written])
    open_to |= {one.name for one in form.fields.values() if one.required}
    _known(form, rule, wish.values, open_to | set(rule.needs))
    needs = {name for name, one in form.fields.items() if one.required and name not in written} | set(rule.needs)
    empty = Record(form.name, record, rule.to or "", {}, {}, look.now, look.now, 0, FIRST)
    return _event(form, rule, empty, wish, by, look=look, needs=frozenset(needs), items=())


def moved(
    form: Form, record: Record, move: str, wish: Wish, by: By, *, look: Look, items: Sequence[Item] = ()
) -> Event:
    """The event of a move.

    Raises NotFound(no-such-move), Denied(wrong-role, own-move), Conflict(not-now), Invalid(move-needs, bad-field),
    PreconditionFailed(stale-record) when the record has gone on since it was seen.
    """
    rule = form.moves.get(move)
    if rule is None:
        raise NotFound("This register knows no such move.", code="no-such-move")
    _permit(rule, by)
    if form.snapshots and move == SNAPSHOT and not by.prepares:
        raise Denied("The system says what it found; prepare the review.", code="prepared-only")
    if wish.seen is not None and wish.seen != record.sequence:
        raise PreconditionFailed("The record was changed meanwhile; look at it again.", code="stale-record")
    if record.state not in rule.start:
        raise Conflict(f"The move {move} cannot be made in the state {record.state}.", code="not-now")
    _not_own(form, rule, record, wish, by)
    excuses = _in_time(form, rule, record, look)
    _known(form, rule, wish.values, {*rule.needs, *rule.may, *rule.asks, *excuses})
    return _event(form, rule, record, wish, by, look=look, needs=frozenset(rule.needs) | excuses, items=items)


def entered_people(form: Form, record: Record, move: str, values: Mapping[str, Any]) -> frozenset[str]:
    """Who stands in the fields that forbid a move to them, where people enter these: none of it holds unless each is
    somebody whom the house knows."""
    written = engine_fields(form)
    names = [name for name in form.moves[move].not_by if name in form.fields and name not in written]
    return frozenset(one for name in names for one in _entries(form.fields[name], record, values))


def _permit(rule: Move, by: By) -> None:
    if ANYBODY not in rule.roles and not by.roles & set(rule.roles):
        raise Denied(f"The move {rule.name} is for: {', '.join(rule.roles)}.", code="wrong-role")


def _not_own(form: Form, rule: Move, record: Record, wish: Wish, by: By) -> None:
    """A second person, whoever enters it: no id of the one who moves may stand where the form forbids it.

    Where nobody stands (any more, when the entry was erased with its person) the move is refused to all.
    """
    for name in rule.not_by:
        people = _standing_as(form, name, record, wish)
        if not people:
            raise Conflict(f"Nobody stands in this record as {name}, so nobody is a second person.", code="not-now")
        if by.ids & people:
            says = f"A second person is needed for {rule.name}: you stand in this record as {name}."
            raise Denied(says, code="own-move")


def _standing_as(form: Form, name: str, record: Record, wish: Wish) -> frozenset[str]:
    """Who made the move of that name, or stands in that field; of a field that moves write, also who made these."""
    if name not in form.fields:
        return frozenset({record.done[name].actor}) if name in record.done else frozenset({_NOBODY})
    moves = [*form.moves.values(), *([form.opened] if form.opened else [])]
    writers = [one.name for one in moves if one.sets.get(name) == "actor"]
    there = _entries(form.fields[name], record, wish.values)
    return frozenset(there | {record.done[one].actor for one in writers if one in record.done})


def _entries(field: Field, record: Record, given: Mapping[str, Any]) -> frozenset[str]:
    """What stands in a field, and what is given for it now."""
    values = [record.values.get(field.name), read_value(field, given.get(field.name))]
    flat = [entry for value in values for entry in (value if isinstance(value, tuple) else (value,))]
    return frozenset(str(one) for one in flat if one is not None)


def _in_time(form: Form, rule: Move, record: Record, look: Look) -> frozenset[str]:
    """The excuses that are asked for. Raises Conflict(not-now) outside a window, or for a second extension."""
    excuses: set[str] = set()
    for clock in running(form, record, look):
        told = form.clocks[clock.name]
        if rule.name in told.inside and clock.opens is not None and look.now < clock.opens:
            raise Conflict(f"The window of {clock.name} has not opened yet.", code="not-now")
        if rule.name == told.extended_by and (clock.late or rule.name in record.done):
            raise Conflict(f"The time of {clock.name} can be extended once, and before it ends.", code="not-now")
        if told.excuse and rule.name in told.stops and clock.stopped is None and clock.late:
            excuses.add(told.excuse)
    return frozenset(excuses)


def _known(form: Form, rule: Move, values: Mapping[str, Any], open_to: set[str]) -> None:
    for name in values:
        if name not in open_to or (name not in form.fields and name not in rule.asks):
            raise Invalid(f"The move {rule.name} does not take one of the given fields.", code="bad-field")


def _event(
    form: Form, rule: Move, record: Record, wish: Wish, by: By, *, look: Look, needs: frozenset[str],
    items: Sequence[Item],
) -> Event:  # fmt: skip
    given = {name: one for name, one in wish.values.items() if one is not None and one not in ("", [])}
    if len(json.dumps(given)) > _LARGEST:
        raise TooLarge("One entry of a register holds at most 64,000 characters.", code="entry-too-long")
    typed = {name: read_value(rule.asks.get(name) or form.fields[name], one) for name, one in given.items()}
    for name in sorted(needs):
        if typed.get(name) is None and (name in rule.asks or record.values.get(name) is None):
            raise Invalid(f"The move {rule.name} needs the field {name}.", code="move-needs", field=name)
    if rule.when:
        after = replace(record, values={**record.values, **typed})
        _met(form, rule, after, {**counts(form, record, items, look), **typed}, look)
    values = given | {name: _set(one, by, look) for name, one in rule.sets.items()}
    return Event(
        form=form.name, form_version=form.version, record=record.id, sequence=record.sequence + 1, at=look.now,
        actor=by.actor, move=rule.name, state=rule.to or record.state, values=values, salt=wish.salt,
        digest=content_digest(wish.salt, values), previous=record.head,
    )  # fmt: skip


def _met(form: Form, rule: Move, after: Record, extra: Mapping[str, Value], look: Look) -> None:
    names = names_of(form, after, look, extra)
    for number, text in enumerate(rule.when, 1):
        if not holds(text, names):
            raise Conflict(f"The move {rule.name} is not possible: its condition {number} is not met.", code="not-now")


def _set(written: Any, by: By, look: Look) -> Any:
    """What a move writes, as in JSON."""
    if written == "today":
        return look.today.isoformat()
    if written == "now":
        return look.moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return by.actor if written == "actor" else written
