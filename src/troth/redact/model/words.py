"""Words of a text and what the tagger sees of each: pieces, affixes, shape, lists it stands in. Pure."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

LONGEST = 40  # characters of one word; what is longer counts as several
PIECES = 6  # pieces of one word that are looked at
NORM_ROWS, PREFIX_ROWS, SUFFIX_ROWS = 8192, 2048, 4096
LENGTHS, CASES = 12, 10
SHAPE_ROWS = CASES * LENGTHS

# Runs of line ends are words: they separate the parts of a letter. `_` and every sign stand alone.
WORDS = re.compile(rf"(\n+|[^\W\d_]{{1,{LONGEST}}}|\d{{1,{LONGEST}}}|[^\w\s]|_)")
_LOWER, _TITLE, _UPPER, _INITIAL, _MIXED, _UNCASED, _DIGITS, _SIGN, _LINE, _SMALL = range(CASES)


class Word(NamedTuple):
    """What the tagger sees of one word: rows of its tables. `pieces` is empty for a sign without a piece."""

    pieces: tuple[int, ...]
    norm: int
    prefix: int
    suffix: int
    shape: int
    lists: int  # bits: which word lists it stands in
    vector: int  # row of its vector as a whole word; 0 for none
    public: bool  # a piece of its own, or on a list: what everybody knows


def split(text: str) -> list[tuple[int, int]]:
    """(start, end) in code points of every word of `text`, in order. Linear; never raises on any str."""
    return [match.span() for match in WORDS.finditer(text)]


_BEFORE, _BEHIND = zlib.crc32(b"<"), zlib.crc32(b">")  # what prefixes and suffixes go on from


def _crc(text: str, begin: int = 0) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"), begin)


def plain(word: str) -> str:
    """Lower case without accents."""
    lower = word.lower()
    if lower.isascii():
        return lower
    return "".join(c for c in unicodedata.normalize("NFD", lower) if unicodedata.category(c) != "Mn") or lower


def _digits(word: str) -> str:
    """Numbers by their size: small ones and years apart from the others."""
    if len(word) == 4 and word[:2] in ("19", "20"):
        return word[:2] + "dd"
    if len(word) <= 2 and word.isascii():
        value = int(word)
        return "d1-12" if value <= 12 else "d13-31" if value <= 31 else "d32-99"
    return "d" * min(len(word), LENGTHS)


def _case(word: str) -> int:
    first = word[0]
    if first == "\n":
        return _LINE
    if first.isdigit():
        return _DIGITS
    if not first.isalpha():
        return _SIGN
    if word.islower():
        return _SMALL if len(word) == 1 else _LOWER
    if word.isupper():
        return _INITIAL if len(word) == 1 else _UPPER
    return _TITLE if word.istitle() else _UNCASED if word.lower() == word.upper() else _MIXED


def _lengths(table: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """The lengths of the pieces that begin with one or two letters, longest first: no other cut is worth a look."""
    found: dict[str, set[int]] = {}
    for piece in table:
        if piece:
            found.setdefault(piece[:2], set()).add(len(piece))
    # Two letters may also begin with a piece of one.
    return {begin: tuple(sorted(sizes | found.get(begin[0], set()), reverse=True)) for begin, sizes in found.items()}


class WordReader:
    """Turns words into rows. `vocabulary`: piece to row; continuing pieces begin with `##`. `lists`: the CRC-32 of
    a plain word to its bits; `common`: those of words that everybody uses; `vectors`: the CRC-32 to the row of the
    word's vector."""

    def __init__(
        self,
        vocabulary: Mapping[str, int],
        lists: Mapping[int, int],
        common: Container[int] = frozenset(),
        vectors: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._first = vocabulary  # a word never begins with ##, which it is split at
        self._next = {piece[2:]: row for piece, row in vocabulary.items() if piece.startswith("##")}
        first = (piece for piece in vocabulary if not piece.startswith("##"))
        self._lengths = [_lengths(table) for table in (first, self._next)]
        self._lists, self._common, self._vectors = lists, common, vectors

    def read(self, word: str) -> Word:
        """The rows of one word of `split`."""
        case = _case(word)
        if case == _DIGITS:
            lower = _digits(word)
            pieces = self._pieces(word[:4])
            public = len(word) <= 2
        else:
            lower = plain(word[:2] if case == _LINE else word)
            pieces = self._pieces(lower)
            public = lower in self._first
        key = _crc(lower)
        listed = self._lists.get(key, 0)  # row 0: none
        return Word(
            pieces,
            key % NORM_ROWS,
            _crc(lower[:3], _BEFORE) % PREFIX_ROWS,
            _crc(lower[-3:], _BEHIND) % SUFFIX_ROWS,
            case * LENGTHS + min(len(word), LENGTHS) - 1,
            listed,
            self._vectors.get(key, 0),
            public or listed > 0 or key in self._common,
        )

    def _pieces(self, lower: str) -> tuple[int, ...]:
        """Longest pieces first, from the left, as WordPiece does; what no piece covers is passed over."""
        known = self._first.get(lower)
        if known is not None:
            return (known,)
        found: list[int] = []
        start, size, table, lengths = 0, len(lower), self._first, self._lengths[0]
        while start < size and len(found) < PIECES:
            for length in lengths.get(lower[start : start + 2]) or lengths.get(lower[start], ()):
                row = table.get(lower[start : start + length])
                if row is not None and length <= size - start:
                    found.append(row)
                    start += length
                    break
            else:
                start += 1
            table, lengths = self._next, self._lengths[1]
        return tuple(found)
