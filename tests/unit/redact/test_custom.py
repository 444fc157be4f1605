"""Patterns of a policy are searched for in windows: no text makes a search read all that follows for each find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from troth.redact.custom import REACH, windowed
from troth.redact.decisions import compiled


def found(pattern: str, text: str) -> list[tuple[int, int]]:
    return [(m.start() + at, m.end() + at) for m, at in windowed(compiled(pattern).finditer, text)]


def searched(pattern: str, text: str) -> int:
    """Characters that the searches may have read: from where each begins to where its window ends."""
    total = 0

    def finditer(piece: str, first: int, last: int) -> Iterator[Any]:
        nonlocal total
        at = first
        for match in compiled(pattern).finditer(piece, first, last):
            total += min(last, len(piece)) - at
            at = match.end()
            yield match
        total += min(last, len(piece)) - at

    for _ in windowed(finditer, text):
        pass
    return total


@pytest.mark.parametrize("unit", ["a", "a" * 64 + "x" * 256, "a" + "x" * 63])
def test_twice_the_text_is_twice_the_work(unit: str) -> None:
    small, large = (unit * (size // len(unit)) for size in (20_000, 40_000))
    assert searched("a.*b|a", large) < 2.5 * searched("a.*b|a", small)
    assert searched("a.*b|a", large) < 1_000 * len(large)


@pytest.mark.parametrize("pattern", [r"\bab\b", "^ab", "ab$", "(?m)^ab", "(?m)b$", "a", "ab|x{9}", r"\Bb", "é+"])
@pytest.mark.parametrize("unit", ["ab ", "ab", "\nab", "é ab\n", "x" * 9 + "y" * 90 + "ab "])
def test_the_same_finds_as_in_one_search(pattern: str, unit: str) -> None:
    text = unit * (3 * REACH // len(unit)) + "ab"
    assert found(pattern, text) == [m.span() for m in compiled(pattern).finditer(text)]


@pytest.mark.parametrize("before", [0, 1, REACH - 1, REACH, 2 * REACH - 1, 2 * REACH + 7])
def test_a_long_find_is_whole_wherever_it_stands(before: int) -> None:
    text = "." * before + "<" + "x" * (REACH - 2) + ">" + "." * REACH
    assert found("<x+>", text) == [(before, before + REACH)]
