"""Checks of telephone numbers by the published plans (the `phonenumbers` library), asked no more than is needed.

Its parser is made for what people type into a form and takes 20 us for each country; most candidates are digits with
plain signs between them, whose country code and national number are read here. No value is ever cached: nothing of a
text may outlive the call.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import import_module
from typing import Any

from troth.redact.detect.checks import digits, not_repeated

# A date, or the number that a US citizen has for life.
_NO_PHONE = re.compile(r"\(?\d\d([./ -])\d\d\1(?:19|20)\d\d(?!\d)|\d{3}-\d\d-\d{4}$")
# Country code, and digits with the trunk prefix, an extension of four included, by plans that have one (Italy's is part
# of the number).
_PLANS = {"GB": (44, 9, 15), "AU": (61, 10, 14), "DE": (49, 6, 19), "FR": (33, 10, 14), "IT": (39, 6, 16)}
_SPAIN = 34
_PLAIN = re.compile(r"[0-9 ./()+\-]+").fullmatch
_PLAIN_TRUNK = re.compile(r"\(?0[1-9][0-9 ./()\-]+").fullmatch


def _library() -> Any:
    return import_module("phonenumbers")


def _parsed(value: str, region: str | None) -> Any:
    """None for what is no number."""
    library = _library()
    try:
        return library.parse(value, region)
    except library.NumberParseException:
        return None


def _possible(number: str) -> bool | None:
    """Whether the digits of an international number have a country code and a length of its plan.

    None when they may have a trunk prefix behind the country code: the parser knows when that is none of the number.
    """
    library = _library()
    size = next((i for i in (1, 2, 3) if int(number[:i]) in library.COUNTRY_CODE_TO_REGION_CODE), 0)
    if not size:
        return False
    code, rest = int(number[:size]), number[size:]
    region = library.COUNTRY_CODE_TO_REGION_CODE[code][0]
    plan = library.PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if plan.national_prefix_for_parsing and re.match(plan.national_prefix_for_parsing, rest):
        return None
    sizes = plan.general_desc
    return len(rest) in sizes.possible_length or len(rest) in sizes.possible_length_local_only


def international_phone(value: str) -> int:
    """ITU-T E.164: a known country calling code and a possible length."""
    found = digits(value)
    if not 7 <= len(found) <= 17:
        return 0
    dialled = value.startswith("00")
    said = ("+" + value[2:] if dialled else value).partition("x")[0]
    possible = _possible(digits(said)) if _PLAIN(said) else None
    if possible is None:
        number = _parsed(said, None)
        possible = number is not None and _library().is_possible_number(number)
    return len(value) if possible else 0


_SORTS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager", "uan",
    "voicemail",
)  # fmt: skip


@lru_cache(maxsize=8)
def _shapes(code: int) -> list[list[tuple[tuple[int, ...], re.Pattern[str]]]]:
    """Of each region with this country code: (lengths, pattern) of any of its numbers, then of each sort of them."""
    library = _library()
    shapes = []
    for region in library.COUNTRY_CODE_TO_REGION_CODE[code]:
        plan = library.PhoneMetadata.metadata_for_region(region)
        sorts = [plan.general_desc, *(getattr(plan, sort) for sort in _SORTS)]
        shapes.append(
            [
                (sort.possible_length or plan.general_desc.possible_length, re.compile(sort.national_number_pattern))
                for sort in sorts
                if sort and sort.national_number_pattern
            ]
        )
    return shapes


def _valid(code: int, number: str) -> bool:
    """Whether the digits, without trunk prefix, are a number of this country: of its shape, and of one of its sorts."""
    size = len(number)
    for (sizes, anyone), *sorts in _shapes(code):
        fits = size in sizes and anyone.fullmatch(number)
        if fits and any(size in sizes and shape.fullmatch(number) for sizes, shape in sorts):
            return True
    return False


def national_phone(value: str) -> int:
    """A number that one of the served countries has in its plan."""
    if not not_repeated(value) or _NO_PHONE.match(value):
        return 0
    number = digits(value.partition("x")[0])
    regions = [r for r, (_, least, most) in _PLANS.items() if least <= len(number) <= most]
    if _PLAIN_TRUNK(value):
        holds = any(_valid(_PLANS[r][0], number if r == "IT" else number[1:]) for r in regions)
    else:
        parsed = (_parsed(value, r) for r in regions)
        holds = any(one is not None and _library().is_valid_number(one) for one in parsed)
    return len(value) if holds else 0


def spanish_phone(value: str) -> int:
    """A number of the Spanish plan: nine digits and spaces, no trunk prefix."""
    return len(value) if not_repeated(value) and _valid(_SPAIN, digits(value)) else 0


def some_phone(value: str) -> int:
    """After a word such as `call` or `tel`: 6 to 15 digits are enough, balanced brackets."""
    if _NO_PHONE.match(value):
        return 0
    return len(value) if 6 <= len(digits(value)) <= 17 and value.count("(") == value.count(")") else 0
