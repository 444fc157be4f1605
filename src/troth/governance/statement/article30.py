"""The record of processing activities (GDPR Art. 30(1), (2)): one row an activity, made of the data map."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from troth.governance.data_map.linting import tokens
from troth.governance.data_map.map import Activity, DataMap, digest

COLUMNS: Final = (
    "id", "title", "role", "purpose", "basis", "interest", "subjects", "categories", "recipients", "regions",
    "transfers", "automated", "retention", "safeguards", "tables", "stores", "suppliers",
)  # fmt: skip
REQUIRED: Final = frozenset(COLUMNS) - {"interest", "tables", "stores", "suppliers"}
"""What is filled in every row; the others where the activity has such."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, str | list[str]]


def rows(of: DataMap) -> list[Row]:
    """The table, in words. Vendors stand in the rows of activities whose recipients are suppliers."""
    return [_row(of, one) for one in of.activities]


def as_json(of: DataMap) -> str:
    """`{"map": digest, "columns": [...], "rows": [...]}`, keys in order."""
    told = {"map": digest(of), "columns": list(COLUMNS), "rows": rows(of)}
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def as_csv(of: DataMap) -> str:
    """RFC 4180; lists joined by `; `. A cell that a spreadsheet would run gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows(of))
    return out.getvalue()


def as_html(of: DataMap) -> str:
    """One page without scripts or styles from elsewhere; a table of headings for each activity."""
    body = "".join(_table(row) for row in rows(of))
    title = "Record of processing activities (GDPR Art. 30)"
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><h1>{title}</h1><p>Made of the data map {escape(digest(of))}.</p>{body}</body></html>\n"
    )


def described(of: DataMap) -> str:
    """The systematic description that an assessment begins with (GDPR Art. 35(7)(a)), as Markdown."""
    return "# What is done\n" + "".join(_described(row) for row in rows(of))


def unfilled(of: DataMap) -> list[str]:
    """Cells that the law asks for and that are empty, as `activity.column`."""
    return [f"{row['id']}.{name}" for row in rows(of) for name in sorted(REQUIRED) if not row[name]]


def _row(of: DataMap, one: Activity) -> Row:
    named: dict[str, list[str]] = {}
    for kind, token in tokens(one):
        if kind != "retention":
            named.setdefault(kind, []).append(of.words[kind][token])
    supplied = "suppliers" in one.recipients
    return {
        "id": one.id,
        "title": one.title,
        "role": one.role,
        "purpose": named.get("purpose", []),
        "basis": f"{one.basis}: {of.words['basis'][one.basis]}",
        "interest": one.interest or "",
        "subjects": named.get("subject", []),
        "categories": named.get("category", []),
        "recipients": named.get("recipient", []),
        "regions": named.get("region", []),
        "transfers": named.get("transfer", []),
        "automated": named.get("automated", []),
        "retention": list(_terms(of, one)),
        "safeguards": named.get("safeguard", []),
        "tables": list(one.tables),
        "stores": [of.stores[name].title for name in one.stores],
        "suppliers": [f"{each.name} ({', '.join(each.regions)})" for each in of.suppliers] if supplied else [],
    }


def _terms(of: DataMap, one: Activity) -> Iterator[str]:
    for term in one.retention:
        moment = of.words["retention"][term.after]
        yield f"till {moment}" if term.days is None else f"{term.days} days after {moment}"


def _cell(value: Any) -> str:
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _table(row: Row) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(_cell(row[name]))}</td></tr>' for name in COLUMNS[2:]
    )
    return f"<h2>{escape(str(row['title']))}</h2><table><tbody>{lines}</tbody></table>"


def _described(row: Row) -> str:
    lines = "".join(f"- **{name}**: {_cell(row[name])}\n" for name in COLUMNS[2:] if row[name])
    return f"\n## {row['title']}\n\n{lines}"
