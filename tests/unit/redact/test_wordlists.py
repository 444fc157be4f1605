"""Words and phrases of a list in any text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from troth.redact.wordlists import WordList, fits


def found(text: str, *entries: str) -> list[str]:
    return [text[a:b] for a, b in WordList(entries).find(text)]


def test_whole_words_in_any_case_and_the_longest() -> None:
    assert found("Project ZEPHYR, zephyrs and zephyr-9.", "zephyr") == ["ZEPHYR", "zephyr"]
    assert found("a nurse, a registered  nurse, Registered", "nurse", "registered nurse") == [
        "nurse",
        "registered  nurse",
    ]
    assert found("New York New", "new york new york", "york") == ["York"]
    assert found("Jehovah's Witness", "Jehovah's Witness") == ["Jehovah's Witness"]
    assert found("王小明住在北京", "小明") == ["小明"]
    assert found("C++ and C", "c++") == ["C++"]


def test_what_cannot_be_in_a_list() -> None:
    assert not fits(" ")
    assert not fits("a " * 30)
    assert found("a b", "") == []


@given(st.lists(st.sampled_from(["a", "b", "a b", "b a", "c"]), min_size=1), st.text("abc .", max_size=30))
def test_as_a_plain_search_finds_it(entries: list[str], text: str) -> None:
    longest = sorted(set(entries), key=len, reverse=True)
    pattern = "|".join(rf"(?<![abc]){re.escape(e).replace(chr(92) + ' ', ' +')}(?![abc])" for e in longest)
    if re.search(r"\.", text) is None:
        assert found(text, *entries) == re.findall(pattern, text)
