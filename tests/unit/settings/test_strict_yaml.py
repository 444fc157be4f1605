"""Strict YAML: what could blow up or be misread is refused, at once."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from troth.kernel.errors import Invalid, TooLarge
from troth.settings.strict_yaml import BadYaml, Limits, TooMuchYaml, load, read

LIMITS = Limits(characters=200_000, nodes=10_000, depth=16)
BOMB = "a: &a [x, x]\n" + "".join(
    f"{one}: &{one} [*{before}, *{before}]\n" for before, one in zip("abcdef", "bcdefg", strict=True)
)


def test_plain_words_mean_what_yaml_1_2_says() -> None:
    text = "{a: no, b: on, c: true, d: 012, e: 1:30, f: 1_000, g: 72, h: 1.3, i: ~, j: 2027-01-01, k: 0x1f, l: Null}"
    expected: dict[str, Any] = {"a": "no", "b": "on", "c": True, "d": "012", "e": "1:30", "f": "1_000", "g": 72}
    expected |= {"h": 1.3, "i": None, "j": date(2027, 1, 1), "k": "0x1f", "l": "Null"}
    assert load(text, LIMITS, what="file") == expected


@pytest.mark.parametrize(
    "text",
    [
        BOMB, "a: &a 1", "a: !!python/object/apply:os.system [x]", "a: !!str 1", "a: !own 1", "a: [", "a: 1\n---\nb: 2",
        'a: "\\ud800"', "a: \0", "{[a]: 1}", "a: 2027-13-45", "%YAML 9.9\n---\na: 1\n---\n",
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused(text: str) -> None:
    with pytest.raises(BadYaml):
        read(text, LIMITS)
    with pytest.raises(Invalid, match="The form is not YAML") as caught:
        load(text, LIMITS, what="form")
    assert caught.value.code == "bad-yaml"


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "{a: " * 40_000, "- " * 50_000, "a: x\n" * 40_001, "[" + "x," * 20_000 + "]"],
    ids=["flow", "maps", "dashes", "long", "many"],
)
def test_too_much_is_refused_before_it_is_built(text: str) -> None:
    with pytest.raises(TooMuchYaml):
        read(text, LIMITS)
    with pytest.raises(TooLarge) as caught:
        load(text, LIMITS, what="form")
    assert caught.value.code == "yaml-too-long"


def test_a_very_long_number_is_a_word() -> None:
    minutes = "1" + ":59" * 60_000  # as a number of base 60 it would take minutes to read
    assert load(f"a: {minutes}\nb: {'9' * 5_000}", LIMITS, what="file") == {"a": minutes, "b": "9" * 5_000}


def test_a_key_that_stands_twice_is_named() -> None:
    assert read("{a: 1, b: {c: 1, c: 2}}", LIMITS).twice == ("c",)
    with pytest.raises(Invalid, match="says c twice") as caught:
        load("{a: 1, b: {c: 1, c: 2}}", LIMITS, what="file")
    assert caught.value.code == "yaml-twice"
