"""How people are written: the words of a name, what shortens it, and which words of a text may be one. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from troth.redact.model.words import plain, split

_SIGNS_WITHIN = frozenset("-'\u2019\u2010\u2011")
_TITLES = frozenset(
    "mr mrs ms mx miss dr prof professor doctor sir dame lord lady rev sgt capt lt col judge justice president king "
    "queen prince princess saint herr frau hr mme mlle madame monsieur sr sra srta don dona sig signor signora dott "
    "ing jr ii iii iv phd md esq mister applicant minister senator".split()
)
PARTICLES = frozenset(
    "the and of der die das den dem von vom zu zum zur van ten ter de del della dello di da dal dos das do du des la "
    "le les las los el al bin ibn ben abu y e af av st".split()
)
# Short forms that everybody uses; no initials of a person, whoever is in the text.
_SHORT = frozenset(
    "AM PM US UK EU UN AI IT ID TV PC CV HR PR OK AD BC BA MA CD DJ MP MD MS IP VP QA UI UX OS AC DC GB MB KB TB KG KM "
    "CM MM HQ LA NY SF CA TX FL NO PO PS RE ER FM HD LP NB PA CC BCC CEO CFO CTO COO USA UAE FAQ API URL PDF XML SQL "
    "RAM CPU GPU USB LED LCD DVD CIA FBI NSA BBC CNN NBC ABC CBS ESPN NBA NFL NHL MLB UFC WWE LOL OMG WTF IMO FYI "
    "TBA TBD DIY ETA RIP RSS SMS VAT TAX PIN ATM VIP MBA BSC MSC PHD ART ARTS EC EG IE II III IV VI VII IX XI MR "
    "DR".split()
)
_TIMES = frozenset(
    "in on by since until till of last next this every early late mid before after from to during".split()
)
_MONTHS = frozenset("april june august january may mai abril summer autumn sunday".split())
_STOPS = frozenset('.!?:;\n"\u201c\u201d-*>#|(')
_JOINS = frozenset("@#/\\-_")
_LONGEST_HANDLE = 64
_FEW = 6  # digits and signs of a handle beside the name
_HANDLE_SIGNS = "_.-"
_WITHIN_VALUE = re.compile(r"[\w@#/\\-]|[.:](?=\w)")  # what stands beside a word that is a part of a handle or path


class Word(NamedTuple):
    """One word of a text and where it stands."""

    text: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """The words of `text`, those of `words.split`."""
    return [Word(text[a:b], a, b) for a, b in split(text)]


@lru_cache(maxsize=1)
def _also_words() -> frozenset[str]:
    """Given names that are words of the language, months or places as well."""
    path = resources.files("troth.redact.detect").joinpath("data", "given_names_also_words.txt")
    return frozenset(path.read_text(encoding="utf-8").casefold().split()) | _MONTHS


def parts_of(words: Sequence[Word]) -> list[str]:
    """The words of a name in the order given name, surname; without titles and possessives.

    `Anne-Marie O'Neil's` are two words; `Johnson, Peter` is turned.
    """
    parts: list[str] = []
    behind: list[str] = []
    for i, (text, start, _) in enumerate(words):
        before = words[i - 1] if i else None
        within = before is not None and before.end == start and before.text[0] in _SIGNS_WITHIN
        if text == "," and parts and not behind:
            parts, behind = [], parts
        if not text[0].isalpha() or (within and text in ("s", "S")):
            continue
        if within and parts and before is not None and i > 1 and words[i - 2].end == before.start:
            parts[-1] += before.text + text
        elif plain(text) not in _TITLES:
            parts.append(text)
    return parts + behind


def core(parts: Sequence[str]) -> list[str]:
    """The words of a name that tell people apart: plain, without particles."""
    return [word for part in parts if (word := plain(part)) not in PARTICLES]


def initials(words: Sequence[str]) -> set[str]:
    """`PMJ` and `PJ` for peter, maria, johnson; of a single word none."""
    return {
        "".join(word[0] for word in some).upper()
        for some in (words, [words[0], words[-1]])
        if len(some) == len(set(some)) > 1
    }


def common_short(text: str) -> bool:
    """Whether capitals are a short form that everybody uses."""
    return text in _SHORT


def doubtful(words: Sequence[Word], at: int) -> bool:
    """Whether the word at `at`, part of a known name, may be a mere word here: Will, May, Mark, Rose, Hope.

    Such a word is a mention only inside a sentence, and not where a time is told.
    """
    text = words[at].text
    low = text.casefold()
    if low not in _also_words():
        return False
    if at == 0 or text.isupper() or words[at - 1].text[0] in _STOPS:
        return True
    if low not in _MONTHS:
        return False
    beside = words[at + 1].text if at + 1 < len(words) else ""
    before = words[at - 1].text
    return before.casefold() in _TIMES or before[0].isdigit() or beside[:1].isdigit()


def with_initials(words: Sequence[Word], at: int, allowed: frozenset[str]) -> int:
    """The index of the first word of a mention whose surname stands at `at`: `P. Johnson`, `J. R. Johnson`.

    A letter without a point counts when it is one of `allowed` (plain).
    """
    first = at
    for _ in range(3):
        letter, point = first - 1, first > 1 and words[first - 1].text == "."
        if point:
            letter = first - 2
        if letter < 0 or not _initial(words[letter]) or words[first].start - words[first - 1].end > 1:
            break
        if point and words[letter].end != words[letter + 1].start:
            break
        if not point and plain(words[letter].text) not in allowed:
            break
        first = letter
    return first


def _initial(word: Word) -> bool:
    return len(word.text) == 1 and word.text.isupper()


def alone(text: str, word: Word) -> bool:
    """Whether a word stands as one of the language, not within a handle, an address or a path."""
    before = text[max(0, word.start - 2) : word.start]
    joined = before[-1:] in _JOINS or (before[-1:] in (".", ":") and before[:1].isalnum())
    return not joined and not _WITHIN_VALUE.match(text, word.end)


def handle_at(low: str, at: int, size: int) -> tuple[int, int]:
    """The handle around the surname low[at : at + size]: letters, digits and `_`, `.`, `-` inside."""
    first, last = at, at + size
    while first > max(0, at - _LONGEST_HANDLE) and (low[first - 1].isalnum() or low[first - 1] in _HANDLE_SIGNS):
        first -= 1
    while last < min(len(low), at + _LONGEST_HANDLE) and (low[last].isalnum() or low[last] in _HANDLE_SIGNS):
        last += 1
    value = low[first:last]
    return first + len(value) - len(value.lstrip(_HANDLE_SIGNS)), last - len(value) + len(value.rstrip(_HANDLE_SIGNS))


def is_handle(value: str, given: str, surname: str) -> bool:
    """Whether a lower-case handle is made of a given name or its initial, and a surname, with a few digits."""
    letters = "".join(filter(str.isalpha, value))
    if len(value) - len(letters) > _FEW:
        return False
    return letters in (given + surname, surname + given, given[0] + surname, surname + given[0])


def covered(starts: Sequence[int], ends: Sequence[int], start: int, end: int) -> bool:
    """Whether a span of sorted `starts` and `ends` touches [start, end)."""
    at = bisect_left(starts, end) - 1
    return at >= 0 and ends[at] > start
