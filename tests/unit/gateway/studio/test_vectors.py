"""Vectors by feature hashing: the same for the same text, near for shared words, of unit length."""

from __future__ import annotations

import math

import pytest

from troth.gateway.studio.vectors import DIMENSIONS, vector


def near(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(vector(one), vector(other), strict=True))


def test_shared_words_are_near() -> None:
    assert near("the invoice of March", "the invoice of March") == pytest.approx(1)
    assert near("the invoice of March", "invoices of march") > 0.5 > near("the invoice of March", "a red sailing boat")


@pytest.mark.parametrize("text", ["x", "", "  ", "😀", "\ud800 word", "word " * 1000])
def test_any_text_has_a_vector_of_unit_length(text: str) -> None:
    made = vector(text, 32)
    assert len(made) == 32
    assert math.sqrt(sum(one * one for one in made)) == pytest.approx(1)
    assert len(vector(text)) == DIMENSIONS


def test_a_known_vector() -> None:
    """Vectors are kept by clients: a release that changes them must say so."""
    made = vector("Troth", 4)
    assert [round(one, 4) for one in made] == [0.0, 0.6667, 0.3333, 0.6667]
