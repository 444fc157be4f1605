"""Dates moved by one keyed distance, in the writing of the value: what lay ten days apart still does."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import chain

from troth.redact.surrogates.draw import mark

_FARTHEST, _NEAREST = 330, 31  # days: another month, and never the same day of another year
_MONTHS = tuple(
    tuple(names.split())
    for names in (
        "january february march april may june july august september october november december",
        "jan feb mar apr may jun jul aug sep oct nov dec",
        "januar februar märz april mai juni juli august september oktober november dezember",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    )
)
_NAMES = "|".join(sorted(set(chain.from_iterable(_MONTHS)), key=len, reverse=True))
_ISO = re.compile(r"(?<!\d)(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(?P<a>\d{1,2})(?P<s>[-/. ])(?P<b>\d{1,2})(?P=s)(?P<y>\d{4}|\d{2})(?!\d)")
_DAY_FIRST = re.compile(rf"(?<!\d)(?P<d>\d{{1,2}})(?P<o>(?:st|nd|rd|th|\.|er)?(?: de| of)? )(?P<n>{_NAMES})\b"
                        r"(?P<c>\.?,?(?: del?)? )(?P<y>\d{4})", re.IGNORECASE)  # fmt: skip
_NAME_FIRST = re.compile(rf"\b(?P<n>{_NAMES})(?P<c>\.? )(?P<d>\d{{1,2}})(?P<o>(?:st|nd|rd|th)?,? )(?P<y>\d{{4}})",
                         re.IGNORECASE)  # fmt: skip

# What of a date would tell it beside the one that moves: a year, a month, or digits in groups.
_DATED = re.compile(rf"\d{{3}}|\d[-/.]\d|(?<![^\W\d_])(?:{_NAMES})(?![^\W\d_])", re.IGNORECASE)

_TIME = re.compile(r"\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?")


def distance(key: bytes, document: bytes) -> int:
    """Days, 31 to 330 forwards or backwards, of a data set, or of one document of it."""
    number = mark(key, "dates\0" + document.hex(), 2 * (_FARTHEST - _NEAREST + 1))
    days = _NEAREST + number // 2
    return days if number % 2 else -days


def shifted(value: str, key: bytes, document: bytes) -> str | None:
    """`value` with its date moved; None when no date can be read in it, or a day of a month that is none."""
    days = distance(key, document)
    for pattern, write in ((_ISO, _iso), (_NUMBERS, _numbers), (_DAY_FIRST, _day_first), (_NAME_FIRST, _name_first)):
        found = pattern.search(value)
        if found is not None:
            before, behind = value[: found.start()], value[found.end() :]
            if _DATED.search(before) or _DATED.search(_TIME.sub("", behind)):  # two dates: one of them would stay
                return None
            try:
                return before + write(found, days) + behind
            except (ValueError, OverflowError):
                return None
    return None


def _moved(year: str, month: int, day: int, days: int) -> date:
    century = "" if len(year) == 4 else ("19" if int(year) > 30 else "20")
    return date(int(century + year), month, day) + timedelta(days)


def _like(number: int, old: str) -> str:
    """With a leading zero where there was one, or could be."""
    return f"{number:0{len(old)}d}" if old.startswith("0") or (len(old) == 2 and number > 9) else str(number)


def _iso(found: re.Match[str], days: int) -> str:
    at = _moved(found["y"], int(found["m"]), int(found["d"]), days)
    width = 2 if len(found["m"]) == len(found["d"]) == 2 else 1
    return f"{at.year:04d}{found['s']}{at.month:0{width}d}{found['s']}{at.day:0{width}d}"


def _numbers(found: re.Match[str], days: int) -> str:
    """Day first, but where only the other reading is a date; written in the order it was read in."""
    first, second, sign = found["a"], found["b"], found["s"]
    swapped = int(second) > 12
    day, month = (second, first) if swapped else (first, second)
    at = _moved(found["y"], int(month), int(day), days)
    width = 2 if len(first) == len(second) == 2 else 1
    year = f"{at.year:04d}"[-len(found["y"]) :]
    new_day, new_month = f"{at.day:0{width}d}", f"{at.month:0{width}d}"
    return sign.join([new_month, new_day, year] if swapped else [new_day, new_month, year])


def _named(name: str, days: int, found: re.Match[str]) -> tuple[date, str]:
    """(the date, the name of its month in the language and case of `name`)."""
    plain = name.casefold()
    names = next(names for names in _MONTHS if plain in names)
    at = _moved(found["y"], names.index(plain) + 1, int(found["d"]), days)
    new = names[at.month - 1]
    return at, new.upper() if name.isupper() else new.capitalize() if name[0].isupper() else new


def _day_first(found: re.Match[str], days: int) -> str:
    at, name = _named(found["n"], days, found)
    return f"{_like(at.day, found['d'])}{_ordinal(found['o'], at.day)}{name}{found['c']}{at.year}"


def _name_first(found: re.Match[str], days: int) -> str:
    at, name = _named(found["n"], days, found)
    return f"{name}{found['c']}{_like(at.day, found['d'])}{_ordinal(found['o'], at.day)}{at.year}"


def _ordinal(old: str, day: int) -> str:
    """`st `, `nd, ` and the like for another day; anything else as it is."""
    if not re.match(r"(?:st|nd|rd|th)", old):
        return old
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return ending + old[2:]
