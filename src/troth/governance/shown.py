"""Forms and records as answers show them."""

from __future__ import annotations

from troth.governance import messages as m
from troth.governance.dues import Due
from troth.governance.forms.fields import Field
from troth.governance.forms.form import Form, Move
from troth.governance.moves import engine_fields
from troth.governance.records import Event, Record


def register(form: Form, records: int, *, readable: bool = True) -> m.RegisterShown:
    """A register in a list."""
    return m.RegisterShown(
        form=form.name, title=form.title, about=form.about, promises=form.promises, records=records,
        kept_by=form.source, readable=readable,
    )  # fmt: skip


def form(one: Form) -> m.FormShown:
    """A form, with what each move takes."""
    return m.FormShown(
        form=one.name, version=one.version, digest=one.digest, title=one.title, about=one.about,
        promises=one.promises, states=tuple(one.states), fields=tuple(_field(each) for each in one.fields.values()),
        opens=None if one.opened is None else _move(one.opened, _opening(one)),
        moves=tuple(_move(each, _taken(one, each)) for each in one.moves.values()),
        populations=tuple(one.populations), snapshots=one.snapshots,
    )  # fmt: skip


def record(one: Record) -> m.RecordShown:
    """A record."""
    return m.RecordShown(
        id=one.id, state=one.state, opened_at=one.opened_at, changed_at=one.changed_at, sequence=one.sequence,
        forgotten=one.forgotten, values=dict(one.raw),
    )  # fmt: skip


def due(one: Due) -> m.DueShown:
    """Something to be done."""
    return m.DueShown(
        form=one.form, record=one.record, name=one.name, at=one.at, grace_until=one.grace_until, by=one.by,
        person=one.person, lapse=one.lapse, state=one.state,
    )  # fmt: skip


def event(one: Event) -> m.EventShown:
    """An entry of a record."""
    return m.EventShown(
        sequence=one.sequence, at=one.at, actor=one.actor, move=one.move, state=one.state,
        values=None if one.values is None else dict(one.values), digest=one.digest, previous=one.previous,
        link=one.link,
    )  # fmt: skip


def _opening(one: Form) -> tuple[m.FieldShown, ...]:
    """What may be given when a record is opened, the needed fields first."""
    assert one.opened is not None
    written, rule = engine_fields(one), one.opened
    needed = {name for name, each in one.fields.items() if each.required and name not in written} | set(rule.needs)
    names = [name for name in one.fields if name in needed]
    names += [name for name in rule.may or one.fields if name not in needed and name not in written]
    return tuple(_field(one.fields[name], required=name in needed) for name in names)


def _taken(one: Form, rule: Move) -> tuple[m.FieldShown, ...]:
    fields = {**one.fields, **rule.asks}
    names = dict.fromkeys((*rule.needs, *rule.asks, *rule.may))
    return tuple(_field(fields[name], required=name in rule.asks and name in rule.needs) for name in names)


def _field(one: Field, *, required: bool | None = None) -> m.FieldShown:
    return m.FieldShown(
        name=one.name, label=one.label, kind=one.single, many=one.many,
        required=one.required if required is None else required, of=one.of, least=one.least, most=one.most,
    )  # fmt: skip


def _move(rule: Move, fields: tuple[m.FieldShown, ...]) -> m.MoveShown:
    return m.MoveShown(
        name=rule.name, start=rule.start, to=rule.to, roles=rule.roles, not_by=rule.not_by, fields=fields
    )
