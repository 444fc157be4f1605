"""How a server's answer looks on a terminal: rows as a table, one thing as `name  value` lines, a document as it is.

Parts of a thing follow below it, each with its name as heading."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

# What may stand beside the rows of a page.
_PAGING = frozenset({"next", "after", "current", "object", "has_more", "first_id", "last_id"})
_TIME = re.compile(r"(^|_)(at|ms|time|created|expires)$")
_SECONDS_FROM, _MILLISECONDS_FROM = 10**8, 10**11  # 1973 in either unit; below it is no moment but a duration
_LONGEST_CELL = 200
_ABSENT: tuple[Any, ...] = (None, "", [], {})  # no column is shown for it alone; "no" and 0 say something
_FEW_MEMBERS = 3  # of a thing inside another that stay on its line
_MOST_MEMBERS = 30  # more are a table for programs
_SQUEEZE = 2  # how far folding may go, in screen widths, before a row is easier to read as lines


def show(value: Any) -> None:
    """Print one decoded answer on standard output."""
    rows = _rows(value)
    if rows is not None:
        _show_rows(rows)
        _show_paging(value)
    elif not isinstance(value, dict) or _is_document(value):
        click.echo(json.dumps(value, indent=2))
    else:
        _show_parts(value)


def _show_parts(members: dict[str, Any], title: str = "") -> None:
    """What fits on a line first, then each part with a heading: rows as a table, a thing as lines."""
    parts = {name: value for name, value in members.items() if _is_part(value)}
    plain = {name: value for name, value in members.items() if name not in parts}
    many = [name for name, value in plain.items() if isinstance(value, dict) and len(value) > _MOST_MEMBERS]
    show_members(plain | {name: f"{len(plain[name])} members; --json prints them" for name in many})
    for name, value in parts.items():
        heading = f"{title}{name}"
        if isinstance(value, list) or not all(map(_is_part, value.values())):
            click.echo(f"\n{heading}")
        if isinstance(value, dict):
            _show_parts(value, f"{heading}.")
        else:
            _show_rows(value)


def _is_part(value: Any) -> bool:
    """True for rows, and for a thing of several members that is more than a list of counts."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(row, dict) for row in value)
    if not isinstance(value, dict) or (len(value) <= _FEW_MEMBERS and not any(map(_is_part, value.values()))):
        return False
    return len(value) <= _MOST_MEMBERS


def show_members(members: dict[str, Any]) -> None:
    """`name  value` lines, aligned."""
    width = max((len(name) for name in members), default=0)
    for name, value in members.items():
        click.echo(f"{name:<{width}}  {readable(name, value) or '-'}")


def readable(name: str, value: Any) -> str:
    """One value as a person reads it: yes and no, UTC times, nested values as JSON; never a control character."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and _TIME.search(name):
        return _moment(value)
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _moment(value: int) -> str:
    if value < _SECONDS_FROM:
        return str(value)
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(value)


def _rows(value: Any) -> list[dict[str, Any]] | None:
    """The rows of an answer that is nothing but a page of rows."""
    if not isinstance(value, dict):
        return None
    content = [member for name, member in value.items() if name not in _PAGING]
    if len(content) != 1 or not isinstance(content[0], list):
        return None
    rows = content[0]
    return rows if all(isinstance(row, dict) for row in rows) else None


def _is_document(members: dict[str, Any]) -> bool:
    """Text of several lines, such as a proof, is kept in a file and checked; lines would break it."""
    return any(isinstance(member, str) and "\n" in member for member in members.values())


def _show_rows(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.measure import Measurement

    named = dict.fromkeys(name for row in rows for name in row)
    names = [name for name in named if any(row.get(name) not in _ABSENT for row in rows)]
    if not names:
        click.echo("nothing here")
        return
    cells = [[readable(name, row.get(name)) for name in names] for row in rows]
    console = Console()
    table = _table(names, cells)
    least = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    longest = max(len(cell) for line in cells for cell in line)
    if longest <= _LONGEST_CELL and least <= _SQUEEZE * console.width:
        console.print(table)
        return
    for number, row in enumerate(rows):
        if number:
            click.echo()
        show_members({name: row[name] for name in names if row.get(name) is not None})


def _table(names: list[str], cells: list[list[str]]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    for line in cells:
        table.add_row(*(Text(cell) for cell in line))
    return table


def _show_paging(value: dict[str, Any]) -> None:
    if value.get("next") is not None:
        click.echo(f"more: --before {readable('', value['next'])}")
    if value.get("after") is not None:
        click.echo(f"more: --after {readable('', value['after'])}")
    if value.get("has_more") and value.get("last_id"):
        click.echo(f"more: --after {readable('', value['last_id'])}")
    if value.get("current") is not None:
        click.echo(f"current: {readable('', value['current'])}")
