"""Values as the cells of a table: how they are written, and how they are read again. Pure.

A cell that a spreadsheet would calculate (it begins with = + - @, a tab or a line break) gets an apostrophe in front,
as does one that begins with an apostrophe itself, so that reading it back gives the same value.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from troth.governance.forms.fields import Field

_CALCULATES: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_NUMBER: Final = re.compile(r"-?[0-9]{1,12}")
_NUMBERS: Final = frozenset({"number", "days", "percent"})


def written(value: Any) -> str:
    """A value as in JSON, as the text of a cell; entries of a list stand behind each other with `; `."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return harmless("; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_CALCULATES) else text


def read(field: Field, cell: Any) -> Any:
    """What a cell stands for in a field, as in JSON; what is no text passes as it is."""
    if not isinstance(cell, str):
        return cell
    text = cell[1:] if cell.startswith("'") and cell[1:].startswith(_CALCULATES) else cell
    if field.many:
        return [one.strip() for one in text.split(";") if one.strip()]
    if field.kind in _NUMBERS and _NUMBER.fullmatch(text):
        return int(text)
    if field.kind == "flag" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def typed(fields: Mapping[str, Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values whose cells are read; a name that no field has stays, to be refused where it is used."""
    return {name: read(fields[name], one) if name in fields else one for name, one in values.items()}


def table(head: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A table as CSV (RFC 4180), UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(one) for one in head])
    writer.writerows([written(row.get(one)) for one in head] for row in rows)
    return out.getvalue().encode()
