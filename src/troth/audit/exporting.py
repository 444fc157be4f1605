"""A stretch of the log as a stream of lines: OCSF 1.8.0 events (JSON lines) or a table (CSV, RFC 4180)."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogEntry, LogReader
from troth.audit.ocsf import Placed, event

OCSF, CSV = "ocsf", "csv"
MEDIA_TYPES = {OCSF: "application/x-ndjson", CSV: "text/csv; charset=utf-8"}
MOST = 1_000_000  # entries of one export; more is asked for by ranges
COLUMNS = tuple("index time operation phase outcome actor tenant request code policies evidence facts pd".split())
_AT_ONCE = 500  # entries read and rendered together
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how spreadsheets tell a formula (OWASP, CSV injection)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Matching entries from index `start` up to but without `end`."""

    log: str
    wanted: Filter
    start: int
    end: int


async def lines(reader: LogReader, stretch: Stretch, origin: str, form: str) -> AsyncGenerator[bytes, None]:
    """The rendered entries, oldest first, some hundred at a time; CSV begins with the names of its columns."""
    render: Callable[[list[LogEntry]], bytes] = _table if form == CSV else lambda some: _events(some, origin)
    if form == CSV:
        yield _written([list(COLUMNS)])
    at = stretch.start
    while at < stretch.end:
        some = await asyncio.to_thread(reader.stretch, stretch.log, stretch.wanted, at, stretch.end, _AT_ONCE)
        if not some:
            return
        yield await asyncio.to_thread(render, some)
        at = some[-1].index + 1


def _events(some: list[LogEntry], origin: str) -> bytes:
    made = (event(Placed(origin, one.index, one.leaf)) for one in some)
    return b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in made)


def _table(some: list[LogEntry]) -> bytes:
    return _written([_row(one) for one in some])


def _row(entry: LogEntry) -> list[str]:
    members = read_leaf(entry.leaf)
    values = {**members, "index": entry.index, "operation": members.get("op"), "time": _moment(members.get("time"))}
    return [cell(values.get(name)) for name in COLUMNS]


def _moment(time: object) -> str:
    if not isinstance(time, int) or not 0 <= time < 1 << 47:
        return ""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cell(value: object) -> str:
    """One cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    return json.dumps(value, sort_keys=True, separators=(",", ":")) if isinstance(value, Mapping) else str(value)


def _written(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
