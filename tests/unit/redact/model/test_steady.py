"""What is sure of a word in one place helps where it is not; what is sure stays."""

from __future__ import annotations

import numpy as np

from troth.redact.model.steady import steady

NONE, FIRST, INSIDE, OTHER = range(4)
WORDS = ["Falludscha", "burns", ".", "In", "Falludscha", "they", "say"]


def _chances(*rows: tuple[float, ...]) -> np.ndarray:
    table = np.tile(np.array([1, 0, 0, 0, 0], dtype=np.float32), (len(WORDS), 1))
    for place, row in zip((0, 4), rows, strict=True):
        table[place] = row
    return table


def test_an_unsure_place_follows_a_sure_one() -> None:
    sure, unsure = (0.02, 0.96, 0.02, 0, 0), (0.55, 0.3, 0.05, 0.1, 0)
    found = steady(WORDS, _chances(sure, unsure))
    assert found[4, FIRST] + found[4, INSIDE] > found[4, NONE]
    assert found[4, FIRST] > found[4, INSIDE]
    assert abs(found[0, FIRST] - 0.96) < 0.03
    assert np.allclose(found.sum(axis=1), 1, atol=1e-6)


def test_other_words_and_words_that_stand_small_too_stay() -> None:
    given = _chances((0.02, 0.96, 0.02, 0, 0), (0.55, 0.3, 0.05, 0.1, 0))
    assert np.array_equal(steady(WORDS, given)[[1, 2, 3, 5, 6]], given[[1, 2, 3, 5, 6]])
    assert np.array_equal(steady([*WORDS[:6], "falludscha"], given), given)


def test_one_place_alone_and_no_words_stay() -> None:
    given = _chances((0.5, 0.5, 0, 0, 0), (0.5, 0.5, 0, 0, 0))
    assert steady(["Anna", *WORDS[1:]], given) is given
    assert steady([], np.zeros((0, 5), dtype=np.float32)).shape == (0, 5)
