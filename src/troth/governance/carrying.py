"""Registers on their way in and out: an import that is all or nothing, and an export that can be imported again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from troth.governance import cells
from troth.governance.forms.form import Form
from troth.governance.messages import MOST_ROWS, Imported, RowProblem
from troth.governance.moves import By
from troth.governance.own_forms import FORM as OWN
from troth.governance.records import Event
from troth.governance.registers import Registers
from troth.kernel.errors import Conflict, TooLarge, TrothError
from troth.kernel.operation import Binary

_MOST_TOLD: Final = 50  # problems in one answer
_ABOUT: Final = ("id", "state", "opened_at", "changed_at")  # columns of an export that an import leaves aside


def take_in(registers: Registers, by: By, form: str, rows: Sequence[Mapping[str, Any]], *, apply: bool) -> Imported:
    """Try every row; write all of them when `apply` and none is refused.

    Columns about the record (id, state, times) of an earlier export are left aside: each row is a new record in the
    first state. Raises Denied(wrong-role) for who may not open any, TooLarge(too-many-rows), Conflict(register-full).
    """
    if len(rows) > MOST_ROWS:
        raise TooLarge(f"One import has at most {MOST_ROWS} rows; split it.", code="too-many-rows")
    rules = registers.form(by.tenant, form)
    if form == OWN:
        raise Conflict("Forms are proposed one at a time.", code="not-now")
    look, written = registers.look(by.tenant, rules), engine_left(rules)
    events: list[Event] = []
    problems: list[RowProblem] = []
    for number, row in enumerate(rows, 1):
        values = {name: one for name, one in row.items() if name not in written and one not in (None, "")}
        try:
            events.append(registers.prepared(by, rules, cells.typed(rules.fields, values), look))
        except TrothError as error:
            if error.code == "wrong-role":
                raise
            problems.append(RowProblem(row=number, code=error.code, field=error.field, says=error.advice))
            if len(problems) == _MOST_TOLD:
                break
    if apply and not problems:
        registers.write(by, rules, events)
    return Imported(applied=apply and not problems, rows=len(rows), problems=tuple(problems))


def engine_left(form: Form) -> frozenset[str]:
    """The columns of an export that nobody enters: about the record, unless a field has that name."""
    return frozenset(name for name in _ABOUT if name not in form.fields)


def give_out(registers: Registers, by: By, form: str, kind: str) -> Binary:
    """A whole register as CSV, or as JSON with the history of each record. Raises Denied(wrong-role), Conflict."""
    rules = registers.form(by.tenant, form)
    registers.may_read(by, rules)
    found = registers.whole(by.tenant, rules)
    if kind == "csv":
        about = [name for name in _ABOUT if name not in rules.fields]
        rows = [{**{name: getattr(one, name) for name in about}, **one.raw} for one, _ in found]
        return Binary(cells.table([*about, *rules.fields], rows), "text/csv", f"{form}.csv")
    told = [
        {"id": one.id, "state": one.state, "values": one.raw, "events": [_told(event) for event in events]}
        for one, events in found
    ]
    content = {"form": rules.name, "version": rules.version, "digest": rules.digest, "records": told}
    return Binary(json.dumps(content, ensure_ascii=False, indent=1).encode(), "application/json", f"{form}.json")


def _told(event: Event) -> dict[str, Any]:
    """An entry with its salt, by which the digest in the log can be made again."""
    return {**asdict(event), "salt": event.salt.hex(), "link": event.link}
