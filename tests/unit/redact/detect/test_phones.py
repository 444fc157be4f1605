"""Telephone numbers: by the plans of the library, without its parser where digits speak for themselves."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from troth.redact.detect import phones

_TRUNK = ("GB", "AU", "DE", "FR", "IT")


def test_telephone_numbers() -> None:
    assert phones.international_phone("+44 20 7946 0958")
    assert not phones.international_phone("+999 12 345")
    assert phones.national_phone("020 7946 0958")
    assert not phones.national_phone("01/12/1994")
    assert not phones.some_phone("(12345")


def _parsed(value: str, region: str | None, strict: bool) -> bool:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) if strict else phonenumbers.is_possible_number(number)


def _grouped(r: random.Random, number: str) -> str:
    parts = []
    while number:
        size = r.randint(2, 5)
        parts.append(number[:size])
        number = number[size:]
    return r.choice(" -./").join(parts)


def _numbers(r: random.Random) -> tuple[str, str, str]:
    """National, international and Spanish candidates, half of them near an example of a plan."""
    code = r.choice(list(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
    any_digits = "".join(r.choices("0123456789", k=r.randint(5, 12)))
    example = phonenumbers.example_number_for_type(r.choice([*_TRUNK, "GG", "JE", "IM"]), r.choice([0, 1, 3]))
    near = phonenumbers.national_significant_number(example)[:-2] + f"{r.randrange(100):02}" if example else any_digits
    national = ("" if near.startswith("0") else "0") + r.choice([near, any_digits])
    abroad = r.choice(["+", "00"]) + f"{code} " + r.choice(["", "(0)", "0"]) + _grouped(r, r.choice([near, any_digits]))
    return _grouped(r, national) + r.choice(["", "", " x12"]), abroad, f"{r.randrange(6 * 10**8, 10**9)}"


@pytest.mark.parametrize("seed", range(3))
def test_digits_are_judged_as_the_parser_of_the_library_judges_them(seed: int) -> None:
    r = random.Random(seed)
    holds = 0
    for _ in range(300):
        national, abroad, spanish = _numbers(r)
        size = len(phones.digits(national.partition("x")[0]))
        regions = [region for region in _TRUNK if phones._PLANS[region][1] <= size <= phones._PLANS[region][2]]
        if phones.not_repeated(national) and not phones._NO_PHONE.match(national):
            expected = any(_parsed(national, region, True) for region in regions)
            assert bool(phones.national_phone(national)) == expected, national
            holds += expected
        if 7 <= len(phones.digits(abroad)) <= 17:
            plus = "+" + abroad[2:] if abroad.startswith("00") else abroad
            assert bool(phones.international_phone(abroad)) == _parsed(plus, None, False), abroad
        assert bool(phones.spanish_phone(spanish)) == (phones.not_repeated(spanish) and _parsed(spanish, "ES", True))
    assert 50 < holds < 290
