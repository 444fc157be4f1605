"""How hard a text is: Flesch-Kincaid grade level (Kincaid et al. 1975), with syllables counted by vowel groups.

Grades are school years of the United States. English alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

LIMIT: Final = 8.0
"""The highest grade of a section (promise RGT-04)."""
_WORD: Final = re.compile(r"[A-Za-z0-9]+(?:['\u2019][A-Za-z]+)?")
_END: Final = re.compile(r"[.!?]+(?=\s|$)")
_GROUPS: Final = re.compile(r"[aeiouy]+")
_SILENT: Final = re.compile(r"(?:[^aeiouyl]e|[aeiouy]le|[^aeiouydt]ed|[^aeiouysxzcg]es)$")
_APART: Final = re.compile(r"ia(?!l\b)|io(?!u|n)|iu|[^q]uou|eo(?=s?$|l|n)|ying|uing|[aeiou]ing")
_MOST: Final = 200_000  # characters


@dataclass(frozen=True, slots=True)
class Count:
    """What the formulas are made of."""

    sentences: int
    words: int
    syllables: int

    @property
    def grade(self) -> float:
        """Flesch-Kincaid grade level; -15.59 for an empty text."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / max(self.words, 1) - 15.59

    @property
    def ease(self) -> float:
        """Flesch reading ease."""
        return 206.835 - 1.015 * self.words / self.sentences - 84.6 * self.syllables / max(self.words, 1)


def count(text: str, names: Iterable[str] = ()) -> Count:
    """Sentences, words and syllables of the first 200,000 characters. A name counts as one word of one syllable."""
    text = text[:_MOST]
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, "X")
    words = _WORD.findall(text)
    return Count(max(len(_END.findall(text)), 1), len(words), sum(map(syllables, words)))


def grade(text: str, names: Iterable[str] = ()) -> float:
    """The grade of a text, rounded to a tenth. `names` of firms and models are nobody's to make plainer."""
    return round(count(text, names).grade, 1)


def syllables(word: str) -> int:
    """Syllables of one English word; a number has one for each digit."""
    digits = sum(letter.isdigit() for letter in word)
    letters = re.sub(r"[^a-z]", "", re.sub(r"['\u2019].*$", "", word.lower()))
    if not letters:
        return max(digits, 1)
    found = len(_GROUPS.findall(letters)) + len(_APART.findall(letters))
    if found > 1 and _SILENT.search(letters):
        found -= 1
    return max(found, 1) + digits
