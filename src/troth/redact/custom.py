"""Detectors that a policy brings along: a pattern in RE2, a word list, a Python entry point of an installed package.

Linear in the text, but for entry points, which are the installer's own code: a policy can name one only when an
installed package declares it in the group `troth.detectors`. It is loaded when the policy is first used; what cannot
be loaded stops the start, and what fails later stops the text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol

from troth.kernel.errors import Unavailable
from troth.redact.decisions import CustomDetector, compiled
from troth.redact.detect import Span
from troth.redact.wordlists import WordList

GROUP = "troth.detectors"
_SURROGATES = re.compile("[\ud800-\udfff]")
REACH, NEAR = 4_096, 256  # characters of a find of a pattern, at most; and where many stand close together
MANY = 64
_PROBE = "Nothing to find here."
# What code of others raises. Anything else ends the text as well, as an internal fault.
_FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, OSError, RuntimeError, TypeError,
           ValueError, ImportError)  # fmt: skip
Places = Callable[[str], Iterable[tuple[int, int]]]


class Finds(Protocol):
    """One detector of a policy, ready."""

    version: str

    def find(self, text: str) -> list[Span]:
        """Its finds, sorted, none overlapping. Raises Unavailable (`detector-down`)."""


class Custom:
    """One detector of a policy. Safe to share between threads when its entry point is."""

    def __init__(self, declared: CustomDetector) -> None:
        """Raises Unavailable (`detector-down`) when it cannot be loaded or does not work."""
        self._declared = declared
        self._places, code = _loaded(declared)
        facts = [declared.model_dump_json(), code]
        self.version = f"{declared.name}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:16]}"
        self.find(_PROBE)

    def find(self, text: str) -> list[Span]:
        """As `Finds.find`."""
        try:
            places = sorted((int(start), int(end)) for start, end in self._places(text))
        except _FAULTS as error:
            raise _down(self._declared.name) from error
        found: list[Span] = []
        for start, end in places:
            if not 0 <= start < end <= len(text):
                raise _down(self._declared.name)
            first = max(start, found[-1].end if found else 0)
            if first < end:
                kind, name = self._declared.find_kind, self._declared.name
                found.append(Span(first, end, kind, self._declared.score, name))
        return found


def _down(name: str) -> Unavailable:
    return Unavailable(
        f"The detector {name} of the policy does not work; install what declares it, or correct it.",
        code="detector-down",
        field=name,
    )


def _loaded(declared: CustomDetector) -> tuple[Places, str]:
    """(what finds, digest of its code when it is code)."""
    if declared.words:
        return WordList(declared.words).find, ""
    if declared.pattern:
        return _by_pattern(declared), ""
    return _by_entry_point(declared)


def _by_pattern(declared: CustomDetector) -> Places:
    regex = compiled(declared.pattern)
    if regex is None:
        raise _down(declared.name)
    group = 1 if regex.groups else 0

    def places(text: str) -> Iterable[tuple[int, int]]:
        plain = _SURROGATES.sub("\ufffd", text)  # RE2 reads UTF-8, which has no lone surrogates
        found = windowed(regex.finditer, plain)
        return [match_span for match in found if (match_span := _moved(match, group))[1] > match_span[0]]

    return places


def _moved(match: tuple[Any, int], group: int) -> tuple[int, int]:
    start, end = match[0].span(group)
    return start + match[1], end + match[1]


def windowed(finditer: Callable[[str, int, int], Iterator[Any]], text: str) -> Iterator[tuple[Any, int]]:
    """(match, offset of its string in `text`) of each find, in order, none overlapping.

    A search for the next find may read all that follows, so finding is quadratic on a whole text. Here a search reads
    at most `2 * REACH` characters: a find of up to `REACH` is found whole. After `MANY` finds within them, `2 * NEAR`
    characters for the next `REACH`.
    """
    position = short_until = 0
    while position < len(text):
        reach = NEAR if position < short_until else REACH
        stop, first = position + reach, max(0, position - 1)  # with the letter before and behind, for word edges
        piece, last = text[first : stop + reach + 1], stop + reach >= len(text)
        count, reached = 0, stop if not last else len(text)
        for match in finditer(piece, position - first, stop + reach - first):
            if match.start() + first >= stop and not last:
                break
            yield match, first
            count, reached = count + 1, max(reached, match.end() + first)
            if count == MANY and reach == REACH:
                reached = max(match.end() + first, position + 1)
                short_until = reached + REACH
                break
        position = reached


def _by_entry_point(declared: CustomDetector) -> tuple[Places, str]:
    found: list[EntryPoint] = list(entry_points(group=GROUP, name=declared.entry_point))
    if len(found) != 1:  # none, or two packages that claim the same name
        raise _down(declared.name)
    try:
        function = found[0].load()
        source = import_module(found[0].module).__file__
        code = hashlib.sha256(Path(source or "").read_bytes()).hexdigest()
    except _FAULTS as error:
        raise _down(declared.name) from error
    if not callable(function):
        raise _down(declared.name)
    return function, code
