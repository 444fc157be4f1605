"""The names that a condition of a form may use, with what they stand for in one record."""

from __future__ import annotations

from collections.abc import Mapping

from troth.governance.forms.expressions import Missing, Value, evaluate
from troth.governance.forms.form import Form
from troth.governance.looking import Look
from troth.governance.records import Record


def names_of(form: Form, record: Record, look: Look, counts: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """Fields, `state`, `today`, `now` (epoch ms), `count(LIST)`, the given counts, and what the form derives."""
    names: dict[str, Value] = {name: record.values.get(name) for name in form.fields}
    for name, one in form.fields.items():
        if one.many:
            entries = record.values.get(name)
            names[f"count({name})"] = len(entries) if isinstance(entries, tuple) else 0
    names |= {"state": record.state, "today": look.today, "now": look.now, **(counts or {})}
    for name, text in form.derived.items():
        try:
            names[name] = evaluate(text, names)
        except Missing:
            names[name] = None
    return names
