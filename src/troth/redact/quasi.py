"""Quasi-identifiers by word lists: job titles, gender, nationality, marital status, and words of special categories.

They run only where a policy takes such a kind out. What a list does not have is not found, and a word is found in
every sense that it has (`Polish`, `Christian`): names of one sense too many are left out of the lists.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from troth.redact.detect import Span
from troth.redact.wordlists import WordList

NAME = "lists"
SCORE = 0.6


@lru_cache(maxsize=1)
def entries() -> dict[str, tuple[str, ...]]:
    """The words by kind, from `data/quasi.txt`: a line `[kind]`, then one entry a line."""
    found: dict[str, list[str]] = {}
    kind = ""
    text = resources.files("troth.redact").joinpath("data", "quasi.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(kind, []).extend(word.strip() for word in line.split(","))
    return {name: tuple(words) for name, words in found.items()}


@lru_cache(maxsize=16)
def _list(kind: str) -> WordList:
    return WordList(entries()[kind])


def find(text: str, kind: str) -> list[Span]:
    """Finds of one kind of `QUASI_KINDS`, sorted."""
    return [Span(start, end, kind, SCORE, NAME) for start, end in _list(kind).find(text)]
