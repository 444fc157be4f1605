"""Text by a declared list of phrases: what it finds counts as certain. It knows phrases in English, German,
French, Spanish and Italian, not meaning.

It fails closed: without a readable, complete list Troth does not start.
"""

from __future__ import annotations

import re
import unicodedata
from importlib.resources import files
from typing import Any

import re2
import yaml

from troth.gateway.moderation.policy import CATEGORIES
from troth.kernel.errors import Unavailable

_MOST_MEMORY = 64 << 20  # bytes of one automaton at most; it grows as it is used
_GAP = "([^ ]+ ){0,3}"
_BETWEEN = re.compile(r"[\W_]+")
_UNSEEN = dict.fromkeys(
    [*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0x00AD, 0x034F, 0x180E]
)
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}  # in one walk


class Rules:
    """Finds the categories of which a listed phrase stands in a text. Safe to share between threads."""

    def __init__(self, listed: dict[str, Any] | None = None) -> None:
        listed = listed if listed is not None else _shipped()
        categories = listed.get("categories", {})
        if set(categories) != CATEGORIES or not all(categories.values()):
            raise Unavailable("The moderation list is not complete; reinstall Troth.", code="moderation-list")
        self.version = str(listed["version"])
        words = listed.get("words", {})
        self._lines = {category: [_filled(line, words) for line in lines] for category, lines in categories.items()}
        harmless = listed.get("harmless") or ["a^"]
        self._harmless = _compile(harmless)
        self._either = _compile([*harmless, *(line for lines in self._lines.values() for line in lines)])
        self._rules: dict[str, Any] = {}  # made at the first text in which anything is found

    def found(self, plain: str) -> list[str]:
        """The categories found in a text that was normalised, in the order of the list."""
        if not self._either.search(plain):  # one walk for all: nearly every text ends here
            return []
        plain = self.bare(plain)
        if not self._rules:
            self._rules = {category: _compile(lines) for category, lines in self._lines.items()}
        return [category for category, rule in self._rules.items() if rule.search(plain)]

    def bare(self, plain: str) -> str:
        """A normalised text without harmless phrases that look like a listed one."""
        return str(self._harmless.sub(" ~ ", plain))


def normalise(text: str) -> str:
    """Lower case, compatibility forms and accents folded, unseen signs dropped, words joined by one space."""
    if text.isascii():  # nothing to fold but case
        return f" {' '.join(text.translate(_ASCII).split())} "
    # Marks go first: `normalize` sorts a run of them in time that is quadratic.
    plain = "".join(sign for sign in text.translate(_UNSEEN) if not unicodedata.combining(sign))
    folded = unicodedata.normalize("NFKD", plain).casefold()
    bare = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return f" {_BETWEEN.sub(' ', bare).strip()} "


def _filled(line: str, words: dict[str, str]) -> str:
    """The line with each `<name>` as its family of words, which may name others."""
    for name, family in words.items():
        line = line.replace(f"<{name}>", family)
    return line


def _compile(lines: list[str]) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    options.never_capture = True  # nobody asks for groups, and there are 1,600 of them to fill in at each search
    parts = [re.sub("(?<= )_ ?", _GAP, line) for line in lines]
    return re2.compile(" (" + "|".join(f"({part})" for part in parts) + ") ", options)


def _shipped() -> dict[str, Any]:
    text = files("troth.gateway.moderation").joinpath("rules.yaml").read_text("utf-8")
    rules: dict[str, Any] = yaml.safe_load(text)
    return rules
