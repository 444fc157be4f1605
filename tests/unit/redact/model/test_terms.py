"""Words that name nobody, and the leavings of a cut find, are not marked."""

from __future__ import annotations

import pytest

from troth.redact.detect import Span
from troth.redact.model.merge import merge
from troth.redact.model.terms import is_measure, names_nobody


@pytest.mark.parametrize("value", ["VHS", "DNI", "Steuer-ID", "Mercury", "Mr", "Dr.", "Frau", "17", "5-"])
def test_words_that_name_nobody(value: str) -> None:
    assert names_nobody(value, "organisation")
    assert names_nobody(value, "person")


@pytest.mark.parametrize("value", ["BP", "King", "Judge", "3M", "VHS Weiden", "Mr Bean", "Mercury Records", "Merkur"])
def test_words_that_name_somebody(value: str) -> None:
    assert not names_nobody(value, "organisation")
    assert not names_nobody(value, "person")


def test_a_number_may_be_an_address_and_a_secret_may_be_any_word() -> None:
    assert not names_nobody("62704", "address")
    assert not names_nobody("VHS", "secret_value")


def marked(text: str, rules: list[str], tagged: list[tuple[str, str]]) -> list[str]:
    def span(value: str, kind: str, finder: str) -> Span:
        return Span(text.index(value), text.index(value) + len(value), kind, 0.9, finder)

    found = merge(text, [span(v, "aws_key", "rules") for v in rules], [span(v, k, "fast") for v, k in tagged])
    return [text[s.start : s.end] for s in found]


def test_what_a_shaped_find_leaves_of_a_tagged_one_is_looked_at_again() -> None:
    assert marked("PAN ABCPE1234F", ["ABCPE1234F"], [("PAN ABCPE1234F", "organisation")]) == ["ABCPE1234F"]
    assert marked("k1aaaa and k2bbbb", ["k1aaaa", "k2bbbb"], [("k1aaaa and k2bbbb", "secret_value")]) == [
        "k1aaaa",
        "k2bbbb",
    ]
    assert marked("k1aaaa andy9 k2bbbb", ["k1aaaa"], [("k1aaaa andy9 k2bbbb", "secret_value")]) == [
        "k1aaaa",
        "andy9 k2bbbb",
    ]


def test_a_number_with_a_unit_is_a_measure() -> None:
    assert all(is_measure("97", unit) for unit in (" ms", "ms", " MB free", "%", " rows"))
    assert not any(is_measure("97", other) for other in ("", " main street", " Mstreet", " msgs", ", ms"))
    assert not is_measure("1 May 97", " ms")


def test_a_tagged_measure_is_dropped() -> None:
    assert marked("saved in 76 ms", [], [("76", "date")]) == []
    assert marked("saved in 76 March", [], [("76", "date")]) == ["76"]
