"""Words and phrases of a list, found as whole words in any case: an automaton over words instead of letters.

A text is cut into words once; from each word the automaton is walked as far as an entry goes, and an entry has at most
`_LONGEST` words, so time grows with the text alone, whatever the list and the text are.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

# Letters and digits hang together; signs, and letters of scripts that are written without spaces, stand alone.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+|[^\w\s]|_"
)
_LONGEST = 24
_END = ""  # no word is empty


class WordList:
    """Entries to be found. Safe to share between threads."""

    def __init__(self, entries: Iterable[str]) -> None:
        """An entry without a word, or beyond `_LONGEST` words, is left out; `fits` tells."""
        self._root: dict[str, Any] = {}
        for entry in entries:
            words = _words(entry)
            if 0 < len(words) <= _LONGEST:
                node = self._root
                for word in words:
                    node = node.setdefault(word, {})
                node[_END] = {}

    def find(self, text: str) -> list[tuple[int, int]]:
        """(start, end) of entries in code points, the leftmost and longest, none overlapping."""
        places = [(m.start(), m.end(), m.group().casefold()) for m in _WORD.finditer(text)]
        found, at = [], 0
        while at < len(places):
            length = self._walk(places, at) if places[at][2] in self._root else 0
            if length:
                found.append((places[at][0], places[at + length - 1][1]))
            at += max(length, 1)
        return found

    def _walk(self, places: list[tuple[int, int, str]], at: int) -> int:
        """Words of the longest entry that begins at the word `at`; 0 when none does."""
        node, length = self._root, 0
        for depth in range(at, min(at + _LONGEST, len(places))):
            node = node.get(places[depth][2])  # type: ignore[assignment]
            if node is None:
                break
            if _END in node:
                length = depth - at + 1
        return length


def _words(entry: str) -> list[str]:
    return [word.casefold() for word in _WORD.findall(unicodedata.normalize("NFC", entry))]


def fits(entry: str) -> bool:
    """Whether a list can hold this entry."""
    return 0 < len(_words(entry)) <= _LONGEST
