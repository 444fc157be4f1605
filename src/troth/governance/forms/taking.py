"""Taking a mapping apart strictly: what is missing, of another kind, or left over is refused with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar, cast

from troth.governance.forms.fields import TOKEN
from troth.governance.forms.form import Span, Unit
from troth.kernel.errors import Invalid

_SPAN: Final = re.compile(r"([0-9]{1,4}) ?(h|hours?|d|days?|business days?|months?|years?)")
_MOST_TEXT: Final = 600
_MOST: Final = 80  # entries of one list or mapping; examples are judged with each other, so their number counts twice
# A longer one would lead to years that there are not; business days are counted one by one, so many take long.
_LONGEST: Final = {"months": 1200, "business days": 60}
_T = TypeVar("_T")


def bad_form(place: str, says: str) -> Invalid:
    """The refusal of a form, naming the place in it."""
    return Invalid(f"The register's form is not right at {place}: {says}.", code="bad-form", field=place)


def span(text: Any, place: str) -> Span:
    """`30d`, `72 hours`, `10 business days`, `12 months`, `1 year`. Raises Invalid(bad-form)."""
    found = _SPAN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise bad_form(place, "it is a time such as 30 days, 72 hours, 10 business days or 12 months")
    number, word = int(found[1]), found[2]
    units = {"h": "hours", "d": "days", "b": "business days", "m": "months", "y": "months"}
    unit = units[word[0]]
    number *= 12 if word[0] == "y" else 1
    if number > _LONGEST.get(unit, number):
        raise bad_form(place, f"it is longer than {_LONGEST[unit]} {unit}")
    return Span(number, cast("Unit", unit))


class Taker:
    """One mapping of the form; every key is taken once, and `end` refuses what nobody took."""

    def __init__(self, raw: Any, place: str) -> None:
        self._left = mapping(raw, place)
        self.place = place

    def at(self, key: str) -> str:
        """The place of a key."""
        return f"{self.place}.{key}"

    def end(self) -> None:
        """Raises Invalid(bad-form) when something is left."""
        for key in self._left:
            raise bad_form(self.at(key)[:80], "it is not known")

    def raw(self, key: str, default: Any = None) -> Any:
        """What stands there, of whatever kind."""
        return self._left.pop(key, default)

    def text(self, key: str, most: int = _MOST_TEXT) -> str:
        """A text that must stand there."""
        found = self.raw(key)
        if not isinstance(found, str) or not 0 < len(found) <= most or not found.isprintable():
            raise bad_form(self.at(key), f"it is a text of at most {most} characters")
        return found

    def maybe(self, key: str) -> str | None:
        """A text that may be missing."""
        return None if self._left.get(key) is None and self._left.pop(key, None) is None else self.text(key)

    def token(self, key: str) -> str:
        """A word in small letters."""
        return token(self.raw(key), self.at(key))

    def maybe_token(self, key: str) -> str | None:
        """A word in small letters that may be missing."""
        found = self.raw(key)
        return None if found is None else token(found, self.at(key))

    def number(self, key: str, least: int, most: int) -> int:
        """A whole number that must stand there."""
        found = self.raw(key)
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise bad_form(self.at(key), f"it is a whole number from {least} to {most}")
        return found

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        found = self.raw(key, default)
        if not isinstance(found, bool):
            raise bad_form(self.at(key), "it is true or false")
        return found

    def tokens(self, key: str) -> tuple[str, ...]:
        """One word, or a list of them; nothing when it is missing."""
        found = self.raw(key)
        several = self.few(key, [] if found is None else found if isinstance(found, list) else [found])
        return tuple(token(one, self.at(key)) for one in several)

    def texts(self, key: str) -> tuple[str, ...]:
        """One text, or a list of them; nothing when it is missing."""
        found = self.raw(key)
        several = self.few(key, [] if found is None else found if isinstance(found, list) else [found])
        if not all(isinstance(one, str) and 0 < len(one) <= _MOST_TEXT for one in several):
            raise bad_form(self.at(key), "it is a list of texts")
        return tuple(several)

    def mapping(self, key: str) -> dict[str, Any]:
        """A mapping of words to whatever; empty when it is missing."""
        found = self.raw(key)
        return mapping({} if found is None else found, self.at(key))

    def several(self, key: str) -> list[Any]:
        """A list of whatever; empty when it is missing."""
        found = self.raw(key)
        if found is not None and not isinstance(found, list):
            raise bad_form(self.at(key), "it is a list")
        return self.few(key, found or [])

    def span(self, key: str) -> Span | None:
        """A stretch of time that may be missing."""
        found = self.raw(key)
        return None if found is None else span(found, self.at(key))

    def needed_span(self, key: str) -> Span:
        """A stretch of time that must stand there."""
        return span(self.raw(key), self.at(key))

    def spans(self, key: str) -> tuple[Span, ...]:
        """Several stretches of time."""
        return tuple(span(one, self.at(key)) for one in self.texts(key))

    def each(self, key: str, read: Callable[[str, Taker], _T]) -> dict[str, _T]:
        """A mapping of words to mappings, each read by `read`."""
        inner = self.raw(key)
        taker = Taker({} if inner is None else inner, self.at(key))
        self.few(key, list(taker.keys()))
        return {name: self._one(taker, name, read) for name in list(taker.keys())}

    def rows(self, key: str, most: int) -> tuple[Mapping[str, Any], ...]:
        """A list of at least one and at most `most` mappings."""
        found = self.raw(key)
        if not isinstance(found, list) or not 0 < len(found) <= most or not all(isinstance(one, dict) for one in found):
            raise bad_form(self.at(key), f"it is a list of 1 to {most} examples")
        return tuple(found)

    def few(self, key: str, several: list[Any]) -> list[Any]:
        """What stands at a key, if it is not too much."""
        if len(several) > _MOST:
            raise bad_form(self.at(key), f"it holds more than {_MOST} entries")
        return several

    def keys(self) -> Iterator[str]:
        """What has not been taken yet."""
        return iter(self._left)

    @staticmethod
    def _one(taker: Taker, name: str, read: Callable[[str, Taker], _T]) -> _T:
        token(name, taker.at(name[:48]))
        inner = taker.raw(name)
        one = Taker({} if inner is None else inner, taker.at(name))
        made = read(name, one)
        one.end()
        return made


def mapping(found: Any, place: str) -> dict[str, Any]:
    """A mapping whose keys are texts. Raises Invalid(bad-form)."""
    if not isinstance(found, Mapping):
        raise bad_form(place, "it is a mapping")
    if not all(isinstance(key, str) for key in found):
        raise bad_form(place, "its keys are words")
    return dict(found)


def token(found: Any, place: str) -> str:
    """A word in small letters, digits, `-` and `_`. Raises Invalid(bad-form)."""
    if not isinstance(found, str) or not TOKEN.fullmatch(found):
        raise bad_form(place, "it is a word in small letters")
    return found
