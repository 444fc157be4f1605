"""Small forms, records and looks for the tests of registers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml

from troth.governance.forms.fields import read_value
from troth.governance.forms.form import Form
from troth.governance.forms.reading import parse_form
from troth.governance.looking import Look
from troth.governance.records import FIRST, Done, Record
from troth.vault.rights.clocks import calendar_of

FORM = """
form: things
version: 1
title: Things
about: Things of a test.
promises: []
keeps: {class: account, activity: testing}
read: [owner]
opens: {role: any}
fields:
  name: {type: text!, label: Name}
  author: {type: person!, label: Author}
  review_by: {type: date, label: Review}
states: {draft: {judged: false}, live: {}, gone: {end: true}}
moves:
  approve: {from: draft, to: live, role: owner, not_by: [author, open], needs: [review_by], when: review_by > today}
  end: {from: live, to: gone, role: owner, needs: [{reason: text!}]}
kept_when: review_by > today
examples:
  good: [{name: A, author: p1, review_by: +10d, state: live}]
  known_bad: [{like: 0, but: {review_by: -1d}}]
"""


def ms(text: str) -> int:
    """Epoch ms of a moment; UTC unless it says a zone."""
    return round(datetime.fromisoformat(text if "+" in text or "Z" in text else text + "+00:00").timestamp() * 1000)


def look(text: str, **more: Any) -> Look:
    """A look at that moment, in UTC."""
    return Look(ms(text), calendars={name: calendar_of(name) for name in ("eu", "us")}, **more)


def form_with(changes: str = "", text: str = FORM) -> Form:
    """The form with these members added or replaced (each begins at the start of a line)."""
    merged = yaml.load(text, yaml.BaseLoader) | (yaml.load(changes, yaml.BaseLoader) or {})
    return parse_form(yaml.safe_dump(_typed(merged), sort_keys=False))


def _typed(value: Any) -> Any:
    """Texts of the base loader that are numbers, flags or nothing, as such."""
    if isinstance(value, dict):
        return {key: _typed(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_typed(one) for one in value]
    words = {"true": True, "false": False, "null": None}
    return words.get(value, int(value) if value.isdigit() else value)


def record(form: Form, state: str, *, did: Mapping[str, str] | None = None, **values: Any) -> Record:
    """A record in that state, opened on 1 January 2026 by p1; `did`: moves with their moments."""
    opened = ms(values.pop("opened", "2026-01-01T00:00"))
    done = {name: Done(ms(at), f"by-{name}") for name, at in (did or {}).items()}
    return Record(
        form=form.name,
        id=values.pop("id", "r1"),
        state=state,
        raw=values,
        values={name: read_value(one, values.get(name)) for name, one in form.fields.items()},
        opened_at=opened,
        changed_at=opened,
        sequence=1,
        head=FIRST,
        done={"open": Done(opened, "p1"), **done},
        entered={state: opened},
    )
