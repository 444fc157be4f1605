"""A published text as sentences, each with its place and digest. Pure; the same text gives the same sentences."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Literal

from troth.kernel.errors import Invalid, TooLarge

Layout = Literal["plain", "markdown"]

MOST_BYTES = 256 << 10
MOST_LINE = 10_000  # characters
MOST_SENTENCE = 2_000
MOST_SENTENCES = 2_000

_END = re.compile(r"(?<=[.!?])\s+")
_TAIL = 16  # characters at the end of a piece in which an abbreviation is looked for
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|approx|incl|resp|Dr|Mr|Ms|Mrs|St)\.$")
_NUMBERED = re.compile(r"(?:^|[\s(])(?:Arts?|Nos?|Secs?|Rev|Figs?|Vol|Ch|ch|pp?|paras?|Reg|Annex|Recs?|v)\.$")
_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"#{1,6}\s+")
_RULE = re.compile(r"(?:[-=*_]\s*){3,}|\|?(?:\s*:?-{3,}:?\s*\|)+(?:\s*:?-{3,}:?\s*)?")
_BULLET = re.compile(r"[•\-*]\s|\d{1,3}[.)]$")


@dataclass(frozen=True)
class Sentence:
    """One sentence: the line on which it begins (from 1), which it is among those that begin there (from 0), its words.

    `lead`: the words up to a colon above it, when it is an item of the list that follows them.
    """

    line: int
    ordinal: int
    text: str
    lead: str = ""

    @property
    def at(self) -> str:
        """Its place: "line.ordinal"."""
        return f"{self.line}.{self.ordinal}"

    @property
    def place(self) -> str:
        """Its place as people say it; sentences of a line are counted from 1 there."""
        return f"line {self.line} sentence {self.ordinal + 1}"

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of its UTF-8 bytes in hex."""
        return sha256(self.text.encode()).hexdigest()

    @cached_property
    def words(self) -> str:
        """Its words for patterns: with what leads to it, without marks of emphasis, single spaces."""
        text = re.sub(r"[*_`]+", "", f"{self.lead} {self.text}")
        return " ".join(unicodedata.normalize("NFKC", text).split())


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of text that no sentence crosses: a line, a list item, or a paragraph of several lines."""

    starts: tuple[tuple[int, int], ...]  # (offset in text, line), ascending
    text: str
    item: bool


def text_of(content: bytes) -> str:
    """The characters of a paper. Raises TooLarge (`paper-too-long`) or Invalid (`bad-paper`): nothing in it may be
    invisible or turn the direction of writing, or readers would see another text than is bound."""
    if len(content) > MOST_BYTES:
        raise TooLarge(f"A paper has at most {MOST_BYTES >> 10} KiB; publish it in parts.", code="paper-too-long")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        says = f"Line {line} of the paper is not UTF-8; save the text as UTF-8 and try again."
        raise Invalid(says, code="bad-paper") from error
    text = text.removeprefix("\ufeff")
    for number, line_text in enumerate(text.split("\n"), 1):
        _refuse_line(number, line_text)
    return text


def _refuse_line(number: int, line: str) -> None:
    if len(line) > MOST_LINE:
        says = f"Line {number} of the paper is longer than {MOST_LINE} characters; break it at a sentence."
        raise TooLarge(says, code="paper-too-long")
    if line.isascii() and line.isprintable():
        return
    for one in line.removesuffix("\r"):
        if one != "\t" and unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp", "Co"):
            says = (
                f"Line {number} of the paper has a character that readers cannot see (U+{ord(one):04X}); "
                "remove it: what is bound must be what is read."
            )
            raise Invalid(says, code="bad-paper")


def sentences(text: str, layout: Layout = "plain") -> tuple[Sentence, ...]:
    """The sentences of a text in order.

    plain: every line stands alone. markdown: the lines of a paragraph or list item belong together, and marks of
    headings, lists, quotes and rules are no part of a sentence. Raises TooLarge (`paper-too-long`).
    """
    found: list[Sentence] = []
    counted: dict[int, int] = {}
    lead = ""
    for piece in _blocks(text) if layout == "markdown" else _lines(text):
        listed = piece.item
        lead = lead if listed else ""
        for line, words in _split(piece):
            ordinal = counted.get(line, 0)
            counted[line] = ordinal + 1
            found.append(Sentence(line, ordinal, words, lead))
            _refuse_many(found)
        if found and not listed and found[-1].text.endswith(":"):
            lead = found[-1].text
    return tuple(found)


def _refuse_many(found: list[Sentence]) -> None:
    if len(found) > MOST_SENTENCES:
        raise TooLarge(f"A paper has at most {MOST_SENTENCES} sentences; publish it in parts.", code="paper-too-long")
    if len(found[-1].text) > MOST_SENTENCE:
        says = f"The sentence in line {found[-1].line} is longer than {MOST_SENTENCE} characters; break it."
        raise TooLarge(says, code="paper-too-long")


def _lines(text: str) -> Iterator[_Piece]:
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if stripped:
            yield _Piece(((0, number),), stripped, bool(_BULLET.match(stripped)))


def _blocks(text: str) -> Iterator[_Piece]:
    """Headings, list items and paragraphs of Markdown."""
    open_lines: list[tuple[int, str]] = []
    item = False
    for number, line in enumerate(text.split("\n"), 1):
        words = line.strip().removeprefix(">").strip()
        if not words or _RULE.fullmatch(words) or words.startswith("```"):
            yield from _joined(open_lines, item=item)
            open_lines, item = [], False
        elif heading := _HEADING.match(words):
            yield from _joined(open_lines, item=item)
            yield from _joined([(number, words[heading.end() :].rstrip("# "))], item=False)
            open_lines, item = [], False
        elif (marker := _ITEM.match(words)) or words.startswith("|"):
            yield from _joined(open_lines, item=item)
            open_lines, item = [(number, words[marker.end() :] if marker else words.strip("| \t"))], True
        else:
            open_lines.append((number, words))
    yield from _joined(open_lines, item=item)


def _joined(lines: list[tuple[int, str]], *, item: bool) -> Iterator[_Piece]:
    starts, offset = [], 0
    for number, words in lines:
        starts.append((offset, number))
        offset += len(words) + 1
    text = " ".join(words for _, words in lines)
    if text.strip():
        yield _Piece(tuple(starts), text, item)


def _split(piece: _Piece) -> Iterator[tuple[int, str]]:
    """(line, words) of each sentence of a piece."""
    begin, line = 0, 0
    for found in [*_END.finditer(piece.text), None]:
        end = found.start() if found else len(piece.text)
        if found and _goes_on(piece.text[max(begin, end - _TAIL) : end], piece.text[found.end() : found.end() + 1]):
            continue
        while line + 1 < len(piece.starts) and piece.starts[line + 1][0] <= begin:
            line += 1
        words = piece.text[begin:end].strip()
        if words:
            yield piece.starts[line][1], words
        begin = found.end() if found else end


def _goes_on(before: str, after: str) -> bool:
    """True when the full stop ends an abbreviation and not the sentence."""
    if _ABBREVIATION.search(before):
        return True
    return bool(_NUMBERED.search(before)) and (after.isdigit() or after in tuple("(§IVX"))
