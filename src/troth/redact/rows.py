"""Rows of a JSON Lines data set: read within limits, every string leaf redacted, keys included."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, NoReturn, TypeAlias

from troth.kernel.errors import Malformed, TooLarge
from troth.redact.detect import Detector, Span
from troth.redact.policy import Action, Policy
from troth.redact.text import replacement

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

    def redact(self, row: Mapping[str, Json]) -> dict[str, Json]:
        """A redacted copy of `row`."""
        return self._object(row)

    def names(self, row: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
        """(name of the column in the output, value in the source) for the top level of `row`."""
        yield from zip(self._places(row), row.values(), strict=True)

    def _places(self, value: Mapping[str, Json]) -> list[str]:
        """The output key for each key, in order; two that became one get a number."""
        taken: dict[str, None] = {}
        for name in value:
            safe = place = self._name(name)
            number = 2
            while place in taken:
                place, number = f"{safe}_{number}", number + 1
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
            Span(max(0, s.start - size), s.end - size, s.kind, s.score, s.detector)
            for s in self.detector.detect(before + text)
            if s.end > size and self.policy.action(s.kind) is not Action.KEEP
        ]

    def _text(self, name: str, text: str) -> str:
        spans = self._acted(sound(name), text)
        if not spans:
            return text
        parts, position = [], 0
        for span in spans:
            self.counts[span.kind] += 1
            parts.append(text[position : span.start])
            parts.append(replacement(text[span.start : span.end], span.kind, self.policy.action(span.kind), self.key))
            position = span.end
        parts.append(text[position:])
        return "".join(parts)

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
            spans = [s for s in self.detector.detect(text) if self.policy.action(s.kind) is not Action.KEEP]
            for span in reversed(spans):
                value = text[span.start : span.end]
                text = (
                    text[: span.start]
                    + replacement(value, span.kind, self.policy.action(span.kind), self.key)
                    + text[span.end :]
                )
            known = text
            if len(self._names) < 10_000:
                self._names[name] = known
        return known
