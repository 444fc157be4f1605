"""The kinds of fields: how each is written down (JSON), and what it stands for in conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from troth.governance.forms.expressions import Value
from troth.kernel.errors import Invalid

TOKEN: Final = re.compile(r"[a-z][a-z0-9_-]{0,47}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_PATTERNS: Final = {
    "money": re.compile(r"[A-Z]{3} [0-9]{1,12}(\.[0-9]{2})?"),
    "country": re.compile(r"[A-Z]{2}"),
    "region": re.compile(r"[a-z]{2}(-[a-z0-9]{1,16}){0,3}"),
    "digest": re.compile(r"[0-9a-f]{64}"),
    "promise": re.compile(r"[A-Z]{3}-[0-9]{2}"),
    "cia": re.compile(r"[CIA]"),
}
_RANGES: Final = {"days": (0, 36_500), "percent": (0, 100), "number": (-(10**12), 10**12)}
_EARLIEST, _LATEST = date(1970, 1, 1), date(2199, 12, 31)
_MOST_LIST: Final = 500
_LENGTHS: Final = {"text": 300, "long": 20_000}
_IDS: Final = frozenset({"person", "file", "link", "vendor"})
KINDS: Final = frozenset({"choice", "date", "moment", "flag", *_PATTERNS, *_RANGES, *_LENGTHS, *_IDS})
LISTS: Final = {"people": "person", "countries": "country", "regions": "region", "promises": "promise", "cias": "cia",
                "links": "link", "files": "file", "choices": "choice"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `kind` is of `KINDS` or `LISTS`; `required`: at the opening of a record.

    `of`: what may be chosen; for links the form; for texts the person field under whose key the text is sealed.
    `least` and `most`: of a number its bounds, of a text its characters, of a list its entries.
    """

    name: str
    kind: str
    label: str
    required: bool = False
    of: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None

    @property
    def many(self) -> bool:
        """Whether the field holds a list."""
        return self.kind in LISTS

    @property
    def single(self) -> str:
        """The kind of one entry."""
        return LISTS.get(self.kind, self.kind)


def read_value(field: Field, raw: Any) -> Value:
    """What `raw` (as in JSON) stands for in that field; an empty text or list is no value.

    Dates are `2026-01-31`, moments `2026-01-31T10:00:00Z` and become epoch ms. Raises Invalid(bad-field) naming it.
    """
    if raw is None or raw in ("", []):
        return None
    if not field.many:
        return _single(field, raw)
    if not isinstance(raw, list | tuple) or len(raw) > min(field.most or _MOST_LIST, _MOST_LIST):
        raise _refused(field, "is a list, of fewer entries")
    entries = tuple(_single(field, one) for one in raw)
    if len(set(entries)) < len(entries) or len(entries) < (field.least or 0):
        raise _refused(field, "holds an entry twice, or too few")
    return entries


def _refused(field: Field, says: str) -> Invalid:
    return Invalid(f"The field {field.name} of this register {says}.", code="bad-field", field=field.name)


def _single(field: Field, raw: Any) -> Value:
    return _READERS.get(field.single, _spelt)(field, raw)


def _spelt(field: Field, raw: Any) -> str:
    pattern = _ID if field.single in _IDS else _PATTERNS[field.single]
    if not isinstance(raw, str) or not pattern.fullmatch(raw):
        raise _refused(field, f"is no {field.single}")
    return raw


def _text(field: Field, raw: Any) -> str:
    most = min(field.most or _LENGTHS[field.kind], _LENGTHS["long"])
    lines = "\n\t" if field.kind == "long" else ""
    if not isinstance(raw, str) or not (field.least or 1) <= len(raw) <= most:
        raise _refused(field, f"is a text of {field.least or 1} to {most} characters")
    if not raw.isprintable() and any(not one.isprintable() and one not in lines for one in raw):
        raise _refused(field, "holds signs that cannot be printed")
    return raw


def _choice(field: Field, raw: Any) -> str:
    if not isinstance(raw, str) or raw not in field.of:
        raise _refused(field, f"is one of {', '.join(field.of)}")
    return raw


def _day(field: Field, raw: Any) -> date:
    try:
        if isinstance(raw, str) and len(raw) == 10 and _EARLIEST <= (day := date.fromisoformat(raw)) <= _LATEST:
            return day
    except ValueError as error:
        raise _refused(field, "is a day such as 2026-01-31") from error
    raise _refused(field, "is a day such as 2026-01-31")


def _moment(field: Field, raw: Any) -> int:
    try:
        moment = datetime.fromisoformat(raw) if isinstance(raw, str) and len(raw) <= 40 else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not _EARLIEST < moment.date() < _LATEST:
        raise _refused(field, "is a moment with its zone, such as 2026-01-31T10:00:00Z")
    return round(moment.timestamp() * 1000)


def _number(field: Field, raw: Any) -> int:
    least, most = _RANGES[field.single]
    least = least if field.least is None else max(least, field.least)
    most = most if field.most is None else min(most, field.most)
    if isinstance(raw, bool) or not isinstance(raw, int) or not least <= raw <= most:
        raise _refused(field, f"is a whole number from {least} to {most}")
    return raw


def _flag(field: Field, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise _refused(field, "is true or false")
    return raw


_READERS: Final[Mapping[str, Callable[[Field, Any], Value]]] = {
    "text": _text, "long": _text, "choice": _choice, "date": _day, "moment": _moment, "number": _number,
    "days": _number, "percent": _number, "flag": _flag,
}  # fmt: skip

_SAMPLES: Final[dict[str, Value]] = {
    "date": date(2026, 1, 31), "moment": 1_790_000_000_000, "number": 1, "days": 1, "percent": 1, "flag": True,
}  # fmt: skip


def sample(field: Field) -> Value:
    """Some value of the field's kind, with which conditions are tried."""
    one = _SAMPLES.get(field.single, "x")
    return (one,) if field.many else one
