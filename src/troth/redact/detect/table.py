"""A table inside a text: what its header says of a column is said again before each cell, so that rules see the key.

Pure. Lines of comma-, semicolon-, tab- or bar-separated cells (RFC 4180, Markdown) under a line of names of columns.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

_SIGNS = ",;\t|"
_MOST_CELL, _MOST_CELLS, _MOST_LINE = 200, 100_000, 4000
# With the end of the line before it: a search for one character is many times faster than one for a place.
_HEADER = re.compile(r"\n([\"\w .\-/#]{0,40}([,;\t|])(?:[\"\w .\-/#]{0,40}\2){0,60}[\"\w .\-/#]{0,40})\r?(?=\n)")
_RULE = re.compile(r"[\s|:\-]+\Z")  # the line between head and body in Markdown
_CELL = {
    sign: re.compile(rf'[ ]*"((?:[^"]|"")*)"[ ]*(?:{re.escape(sign)}|$)|([^{re.escape(sign)}]*)(?:{re.escape(sign)}|$)')
    for sign in _SIGNS
}
# What a column is called whose cells do not say themselves what they are.
_TELLING = frozenset(
    """login user username name id handle password passwd pwd pass passphrase secret token api key ssn social security
    number national tax tin passport no driver licence license dob birth date birthdate of birthday born first last
    full surname given family customer patient contact employee middle nachname vorname nom prenom nombre apellido
    cognome nome phone tel telephone mobile cell fax address street city zip postcode postal code iban account card
    credit cvv mrn member policy plate vin pin geburtsdatum adresse strasse telefon steuer kundennummer""".split()
)


@dataclass(slots=True)
class Cells:
    """A text of `header: "cell"` lines, and where its cells stand in the text they are from."""

    lines: list[str] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)  # in this text
    _places: list[tuple[int, int]] = field(default_factory=list)  # (start in the other, length)
    _size: int = 0

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def add(self, header: str, cell: str, place: int) -> None:
        """One cell that stands at `place`."""
        self.lines.append(f'{header}: "{cell}"\n')
        self._starts.append(self._size + len(header) + 3)
        self._places.append((place, len(cell)))
        self._size += len(self.lines[-1])

    def back(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a find in this text stands in the other; None for one that is not within a cell."""
        at = bisect_right(self._starts, start) - 1
        if at < 0:
            return None
        place, size = self._places[at]
        within = start - self._starts[at]
        return (place + within, place + end - self._starts[at]) if end - self._starts[at] <= size else None


def cells_of(text: str) -> Cells | None:
    """The telling cells of every table in `text`; None without one. Linear in the length of the text."""
    if "\n" not in text:
        return None
    found, done = Cells(), 0
    for header in _HEADER.finditer("\n" + text):  # which begins in `text` where it begins here, and ends one earlier
        line, sign = header.groups()
        if header.start() < done or len(found.lines) >= _MOST_CELLS:
            continue
        names = [name.strip().strip('"') for _, name in _cells(line, sign)]
        words = (" ".join(_words(name)) for name in names)
        telling = {i: name for i, name in enumerate(words) if name and _TELLING.issuperset(name.split())}
        if telling and len(names) > 1:
            done = _body(text, header.end(), _Head(sign, len(names), telling), found)
    return found if found.lines else None


def _words(name: str) -> list[str]:
    """The words of a column's name, however they are joined: `patientId` and `patient_id` are two; at most four."""
    return re.sub(r"[_\-./ ]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).lower().split()[:4]


class _Head(NamedTuple):
    sign: str
    width: int
    telling: dict[int, str]  # the words of the columns that say something


def _body(text: str, at: int, head: _Head, found: Cells) -> int:
    """Read rows from `at` on while they have the width of the head; gives where they end."""
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at : min(end, at + _MOST_LINE)].rstrip("\r")
        row = _cells(line, head.sign)
        if not (head.sign == "|" and _RULE.match(line)):
            if len(row) != head.width:
                return at
            for i, header in head.telling.items():
                place, cell = row[i]
                if 0 < len(cell.strip()) <= _MOST_CELL:
                    found.add(header, cell.strip(), at + place + len(cell) - len(cell.lstrip()))
        at = end + 1
    return at


def _cells(line: str, sign: str) -> list[tuple[int, str]]:
    """(place in the line, cell without its quotes) of each cell."""
    found, at = [], 0
    while at <= len(line):
        cell = _CELL[sign].match(line, at)
        if cell is None:
            break
        group = 1 if cell[1] is not None else 2
        found.append((cell.start(group), cell[group]))
        if cell.end() == at or (cell.end() == len(line) and not line.endswith(sign)):
            break
        at = cell.end()
    return found
