"""Addresses of e-mail and the web, user names, telephone numbers: in names and ranges that are kept for examples."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from troth.redact.surrogates import numbers
from troth.redact.surrogates.draw import Draw, mark
from troth.redact.surrogates.words import given_name, own, surname

_DOMAINS = ("example.com", "example.net", "example.org")  # RFC 2606 section 3
_EMAIL = re.compile(r"([a-z]+)\.([a-z]+)\d\d@example\.(?:com|net|org)", re.IGNORECASE)
_USERNAME = re.compile(r"@?([a-z]+)(\d{3})", re.IGNORECASE)
_URL = re.compile(r"(?:[a-z]+://)?www\.example\.(?:com|net|org)/([a-z]+)(\d{4})", re.IGNORECASE)

# Numbers that are given to nobody, for films and examples, as the national regulators list them: country code, digits
# of a national number without its leading zero, and what it begins with.
_RESERVED: dict[str, tuple[int, tuple[str, ...]]] = {
    # Ofcom: Numbers for drama use
    "44": (10, ("1134960", "1144960", "1154960", "1164960", "1174960", "1184960", "1214960", "1314960", "1414960",
                "1514960", "1614960", "2079460", "1914980", "7700900")),
    # ARCEP decision 2018-0881: numbers for audiovisual works
    "33": (9, ("19900", "26191", "35301", "46571", "53649", "63998")),
    # ACMA: numbers for use in radio, film and television
    "61": (9, ("255500", "255501", "355500", "355501", "755500", "755501", "855500", "855501")),
    # Bundesnetzagentur: Rufnummern für Medienproduktionen
    "49": (10, ("6990009", "4066969", "8999998", "3023125")),
}  # fmt: skip
_NANP = 10  # digits; NPA-555-01XX is kept for fiction (ATIS-0300115)


def username(value: str, kind: str, draw: Draw) -> str:
    """A made-up name with three digits, and the `@` where one stood."""
    del kind
    word = surname(draw, "en")
    return f"{'@' if value.startswith('@') else ''}{word}{_check(draw.key, word):03d}"


def own_username(value: str, kind: str, key: bytes) -> bool:
    """Whether the digits are the word's."""
    del kind
    found = _USERNAME.fullmatch(value)
    return found is not None and found[1].lower() in own(key) and int(found[2]) == _check(key, found[1].lower())


def _check(key: bytes, word: str) -> int:
    return mark(key, f"word\0{word}", 1000)


def email(value: str, kind: str, draw: Draw) -> str:
    """A made-up person at another of the domains for examples than the value's."""
    del kind
    domains = [d for d in _DOMAINS if not value.lower().endswith(d)]
    return f"{given_name(draw)}.{surname(draw, 'en')}{10 + draw.below(90)}@{draw.of(domains)}"


def own_email(value: str, kind: str, key: bytes) -> bool:
    """Whether domain and words are those of a surrogate."""
    del kind
    found = _EMAIL.fullmatch(value)
    return found is not None and own(key).issuperset(part.lower() for part in found.groups())


def url(value: str, kind: str, draw: Draw) -> str:
    """A page of an example domain, with the scheme of the value."""
    del kind
    scheme = value.split("://", maxsplit=1)[0] + "://" if "://" in value else ""
    word = surname(draw, "en")
    domain = draw.of([d for d in _DOMAINS if d not in value.lower()] or _DOMAINS)
    return f"{scheme}www.{domain}/{word}{mark(draw.key, f'url/{word}', 10_000):04d}"


def own_url(value: str, kind: str, key: bytes) -> bool:
    """Whether domain, word and digits are those of a surrogate."""
    del kind
    found = _URL.fullmatch(value)
    if found is None or found[1].lower() not in own(key):
        return False
    return int(found[2]) == mark(key, f"url/{found[1].lower()}", 10_000)


def phone(value: str, kind: str, draw: Draw) -> str | None:
    """A number of the range for fiction of its country where there is one, in the grouping of the value; elsewhere one
    that nobody can have."""
    country, national = _country(value)
    size, prefixes = _RESERVED.get(country, (0, ()))
    plain = national.lstrip("0")
    if country == "1" and len(national) == _NANP:
        line = f"{draw.below(100):02d}"
        return _filled(value, f"{200 + _area(draw.key, line):03d}55501{line}")
    if prefixes and size == len(plain):
        end = f"{draw.below(1000):03d}"
        prefix = _prefix(draw.key, end, prefixes)
        middle = "".join(str(draw.below(10)) for _ in range(size - len(prefix) - len(end)))
        return _filled(value, national[: len(national) - size] + prefix + middle + end)
    start = _filled_from(value, national)
    rest = numbers.numbered(value[start:], kind, draw)
    return None if rest is None else value[:start] + rest


def own_phone(value: str, kind: str, key: bytes) -> bool:
    """Whether it is one of the numbers for fiction that this data set gives out, or a marked number."""
    country, national = _country(value)
    size, prefixes = _RESERVED.get(country, (0, ()))
    plain = national.lstrip("0")
    if country == "1" and len(national) == _NANP:
        return national[3:8] == "55501" and int(national[:3]) == 200 + _area(key, national[8:])
    if len(plain) == size and plain.startswith(prefixes):
        return plain.startswith(_prefix(key, plain[-3:], prefixes))
    return numbers.own_number(value[_filled_from(value, national) :], kind, key) and not assignable(value)


def assignable(value: str) -> bool:
    """Whether somebody could have this number: it is valid in its country, or in one whose numbers are found without a
    country code, and is none for fiction."""
    country, national = _country(value)
    plain = national.lstrip("0")
    size, prefixes = _RESERVED.get(country, (0, ()))
    if (country == "1" and national[3:8] == "55501") or (len(plain) == size and plain.startswith(prefixes)):
        return False
    return any(_valid(value, region) for region in ("US", "GB", "AU", "DE", "FR", "ES", "IT"))


def _valid(value: str, region: str) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(value, region))
    except phonenumbers.NumberParseException:
        return False


def _area(key: bytes, line: str) -> int:
    return mark(key, f"area\0{line}", 800)


def _prefix(key: bytes, end: str, prefixes: tuple[str, ...]) -> str:
    return prefixes[mark(key, f"prefix\0{end}", len(prefixes))]


def _filled(value: str, digits: str) -> str:
    """`value` with its last digits replaced by `digits`."""
    made, rest = list(value), list(digits)
    for i in range(len(made) - 1, -1, -1):
        if made[i].isdecimal() and rest:
            made[i] = rest.pop()
    return "".join(made)


def _filled_from(value: str, national: str) -> int:
    """Where the national number begins in the value."""
    left = len(national)
    for i in range(len(value) - 1, -1, -1):
        left -= value[i].isdecimal()
        if not left:
            return i
    return 0


_PAIRS = re.compile(r"\d\d[ .-]\d\d[ .-]\d\d[ .-]\d\d")  # how numbers are written in France


def _country(value: str) -> tuple[str, str]:
    """(country code or "", the digits of the national number as written)."""
    digits = "".join(filter(str.isdecimal, value))
    abroad = value.lstrip("( ").startswith("+")
    if abroad or digits.startswith("00"):
        bare = digits if abroad else digits[2:]
        code = next((bare[:n] for n in (1, 2, 3) if bare[:n] in _codes()), "")
        return code, bare[len(code) :]
    if len(digits) == _NANP and digits[0] not in "01":
        return "1", digits
    if digits.startswith("0") and len(digits) in (10, 11):
        return "44" if len(digits) == 11 else "33" if _PAIRS.search(value) else "61", digits
    return "", digits


@lru_cache(maxsize=1)
def _codes() -> frozenset[str]:
    return frozenset(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
