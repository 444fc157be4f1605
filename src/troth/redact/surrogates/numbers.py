"""Numbers and codes sign by sign: a digit stays a digit, a letter a letter in its case, separators stay.

The last signs are a mark over the others under the key of the data set, so that a surrogate is known again; values of
fewer than eight signs have no room for one, and change again when they are redacted again.
"""

from __future__ import annotations

import re
import string

from troth.redact.surrogates.draw import Draw, mark

_ROOM = 8  # signs from which on there is a mark
_MARK = 6  # signs of a mark, at most
# Says which sort of code it is. Only what vendors put before theirs: other words before a sign may name somebody.
_PREFIX = re.compile(
    r"0x|gh[opsur]_|github_pat_|glpat-|sk-(?:ant-|proj-)?|[sprw]k_(?:live|test)_|xox[abeoprs]-|npm_|pypi-|hf_|dop_v1_|SG\."
)
_COUNTRY = frozenset({"iban", "eu_vat"})  # two letters of the country stay
_HEX = "abcdef"


def _kept(value: str, kind: str) -> int:
    """Characters at the beginning that say what sort of code it is."""
    if kind in _COUNTRY and value[:2].isalpha():
        return 2
    prefix = _PREFIX.match(value)
    return prefix.end() if prefix and len(value) - prefix.end() >= _ROOM else 0


def _letters(signs: list[str]) -> str:
    letters = {sign.lower() for sign in signs if sign.isalpha()}
    return _HEX if letters and letters <= set(_HEX) and len(signs) >= 12 else string.ascii_lowercase


def _like(sign: str, number: int, letters: str) -> str:
    """The sign of the class of `sign` that `number` stands for."""
    if sign.isdecimal():
        return string.digits[number % 10]
    letter = letters[number % len(letters)]
    return letter.upper() if sign.isupper() else letter


def _places(value: str, kind: str) -> list[int]:
    return [i for i in range(_kept(value, kind), len(value)) if value[i].isalnum()]


def _marked(value: str, places: list[int], kind: str, key: bytes) -> str:
    """`value` with its mark in its last places."""
    size = min(_MARK, len(places) // 2)
    free = "".join(value[i] for i in places[:-size]).casefold()
    letters = _letters([value[i] for i in places])
    number = mark(key, f"{kind}\0{letters}\0{free}", 26**_MARK * 10**_MARK)
    signs = list(value)
    for i in places[-size:]:
        number, rest = divmod(number, 10 if signs[i].isdecimal() else len(letters))
        signs[i] = _like(signs[i], rest, letters)
    return "".join(signs)


def numbered(value: str, kind: str, draw: Draw) -> str | None:
    """Another number or code of the same shape; None when the value has no letter and no digit."""
    places = _places(value, kind)
    if not places:
        return None
    letters = _letters([value[i] for i in places])
    signs = list(value)
    for i in places:
        signs[i] = _like(value[i], draw.below(260), letters)
    if len(places) >= _ROOM:
        if letters == _HEX:  # the mark must see the same alphabet again
            signs[places[0]] = _like(value[places[0]], draw.below(6), letters)
        return _marked("".join(signs), places, kind, draw.key)
    return "".join(signs)


def own_number(value: str, kind: str, key: bytes) -> bool:
    """Whether the mark holds: for another's value once in ten thousand times for eight digits, less for more."""
    places = _places(value, kind)
    return len(places) >= _ROOM and _marked(value, places, kind, key) == value


def digits(value: str, draw: Draw) -> str:
    """`value` with other digits; the first of a number is not zero."""
    return re.sub(r"\d+", lambda match: _number(match.group(), draw), value)


def _number(number: str, draw: Draw) -> str:
    first = str(1 + draw.below(9))
    return first + "".join(str(draw.below(10)) for _ in number[1:])
