"""Rows of a JSON Lines data set: read within limits, every string leaf redacted, keys included."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn, TypeAlias

from troth.kernel.errors import Malformed, TooLarge
from troth.redact.decisions import Policy
from troth.redact.detect import Detector, Span
from troth.redact.finding import Finder
from troth.redact.text import Replacer

Json: TypeAlias = Any


@dataclass(frozen=True, slots=True)
class Limits:
    """What a data set may be; anything beyond is refused before a byte is written."""

    line_bytes: int = 4 << 20
    depth: int = 32  # objects and lists within one another
    rows: int = 100_000_000


def _refuse(number: int) -> NoReturn:
    raise Malformed(f"Line {number} is not one JSON object in UTF-8; correct it and try again.", code="line-malformed")


def _no_constant(_: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are no JSON (RFC 8259 section 6)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError  # 1e400 is JSON, and no number that can be written again
    return number


def parse_row(line: bytes, number: int, limits: Limits) -> dict[str, Json]:
    """One line as an object. `number`: its place in the file, from 1; messages name it and nothing of its content.

    Raises Malformed or TooLarge.
    """
    if len(line) > limits.line_bytes:
        raise TooLarge(f"Line {number} is longer than {limits.line_bytes} bytes.", code="line-too-long")
    try:
        row = json.loads(line, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise TooLarge(f"Line {number} is nested deeper than {limits.depth} levels.", code="line-too-deep") from None
    except ValueError:  # JSONDecodeError and UnicodeDecodeError; both would quote the content
        _refuse(number)
    if not isinstance(row, dict):
        _refuse(number)
    if _deeper(row, limits.depth):
        raise TooLarge(f"Line {number} is nested deeper than {limits.depth} levels.", code="line-too-deep")
    return row


def _deeper(value: Json, depth: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    if depth == 0:
        return True
    return any(_deeper(v, depth - 1) for v in (value.values() if isinstance(value, dict) else value))


def read_lines(stream: IO[bytes], limits: Limits, end: int | None = None) -> Iterator[tuple[int, bytes]]:
    """(byte offset, line) of every line that is not blank, from the stream's position up to the byte `end`.

    A line longer than the limit comes back cut one byte past it, for `parse_row` to refuse.
    """
    offset = stream.tell()
    while end is None or offset < end:
        line = stream.readline(limits.line_bytes + 2)
        if not line:
            return
        if line.strip():
            yield offset, line
        offset += len(line)


def sound(text: str) -> str:
    """`text` without lone surrogates, which JSON can spell and UTF-8 cannot."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") if not _encodable(text) else text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@dataclass(slots=True)
class RowRedactor:
    """Redacts rows under one policy. `declared`: keys known to be names of fields; other keys are redacted too.

    A leaf is judged together with the key it stands under, as `key: value`: that `dob` stands there makes a date a
    date of birth. A number that the detector finds under its key becomes null, so that a column keeps its type.
    """

    detector: Detector
    policy: Policy
    key: bytes | None
    declared: frozenset[str] = frozenset()
    counts: Counter[str] = field(default_factory=Counter)
    _names: dict[str, str] = field(default_factory=dict)
    _finder: Finder = field(init=False)
    _replacer: Replacer = field(init=False)
    _document: bytes = b""

    def __post_init__(self) -> None:
        """Raises as `Finder` and `Replacer`: what cannot work stops the start."""
        self._finder, self._replacer = Finder(self.detector, self.policy), Replacer(self.policy, self.key)

    @property
    def versions(self) -> tuple[str, ...]:
        """What decides on finds: the detector, and the policy's own."""
        return self._finder.versions

    def redact(self, row: Mapping[str, Json]) -> dict[str, Json]:
        """A redacted copy of `row`."""
        self._document = self._replacer.document(json.dumps(row, sort_keys=True))
        return self._object(row)

    def text(self, text: str) -> str:
        """One text, redacted."""
        spans = self._finder.find(text)
        self.counts.update(span.kind for span in spans)
        return self._replacer.replace(text, spans, self._replacer.document(text))

    def cells(self, cells: Iterable[tuple[str, str]]) -> list[str]:
        """(name of the column, text) of one line of a table: the texts, redacted."""
        line = list(cells)
        self._document = self._replacer.document(json.dumps(line))
        return [self._text(name, text) for name, text in line]

    def name(self, name: str) -> str:
        """One name of a column or a file, redacted unless it is declared."""
        return self._name(name)

    def names(self, row: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
        """(name of the column in the output, value in the source) for the top level of `row`."""
        yield from zip(self._places(row), row.values(), strict=True)

    def _places(self, value: Mapping[str, Json]) -> list[str]:
        """The output key for each key, in order; two that became one get a number."""
        taken: dict[str, None] = {}
        numbers: dict[str, int] = {}  # the next for each: to count from two again would be quadratic
        for name in value:
            safe = place = self._name(name)
            while place in taken:
                numbers[safe] = numbers.get(safe, 1) + 1
                place = f"{safe}_{numbers[safe]}"
            taken[place] = None
        return list(taken)

    def _object(self, value: Mapping[str, Json]) -> dict[str, Json]:
        places = self._places(value)
        return {place: self._value(name, inner) for place, (name, inner) in zip(places, value.items(), strict=True)}

    def _value(self, name: str, value: Json) -> Json:
        if isinstance(value, str):
            return self._text(name, sound(value))
        if isinstance(value, dict):
            return self._object(value)
        if isinstance(value, list):
            return [self._value(name, v) for v in value]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._number(name, value)
        return value

    def _acted(self, name: str, text: str) -> list[Span]:
        """Finds within the value, at offsets of the value."""
        before = f"{name}: "
        size = len(before)
        return [
            Span(max(0, s.start - size), s.end - size, s.kind, s.score, s.detector, s.entity)
            for s in self._finder.find(before + text)
            if s.end > size
        ]

    def _text(self, name: str, text: str) -> str:
        spans = self._acted(sound(name), text)
        if not spans:
            return text
        self.counts.update(span.kind for span in spans)
        return self._replacer.replace(text, spans, self._document)

    def _number(self, name: str, value: float) -> float | None:
        spans = self._acted(sound(name), str(value))
        for span in spans:
            self.counts[span.kind] += 1
        return None if spans else value

    def _name(self, name: str) -> str:
        """The key itself, redacted unless it is declared. Remembered for the run: a data set has few keys."""
        if name in self.declared:
            return name
        known = self._names.get(name)
        if known is None:
            text = sound(name)
            known = self._replacer.replace(text, self._finder.find(text))
            if len(self._names) < 10_000:
                self._names[name] = known
        return known
