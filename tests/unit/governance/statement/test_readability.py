"""The grade, against values that others published."""

from __future__ import annotations

import pytest

from troth.governance.statement.readability import Count, count, grade, syllables
from troth.promises.paper.shipped import shipped

# Reading ease as the article "Flesch-Kincaid readability tests" of Wikipedia gives it for each sentence.
PUBLISHED = [
    ("The cat sat on the mat.", 116.0),
    ("This sentence, taken as a reading passage unto itself, is being used to prove a point.", 69.0),
]


@pytest.mark.parametrize(("text", "ease"), PUBLISHED)
def test_sentences_of_a_published_ease(text: str, ease: float) -> None:
    assert count(text).ease == pytest.approx(ease, abs=0.5)


def test_the_formulas_by_published_counts() -> None:
    assert Count(1, 13, 24).ease == pytest.approx(37.5, abs=0.1)  # the same article, of its third sentence
    assert Count(1, 1, 1).grade == pytest.approx(-3.4)  # the lowest grade that there is
    assert Count(10, 57, 58).grade == pytest.approx(-1.3, abs=0.1)  # "Green Eggs and Ham": 5.7 words, 1.02 syllables


@pytest.mark.parametrize(("name", "low", "high"), [("zian", 11.0, 12.6), ("dzine", 12.4, 13.8)])
def test_papers_that_four_other_programs_graded(name: str, low: float, high: float) -> None:
    text = " ".join(one.text for one in shipped(name).sentences)
    assert low <= grade(text) <= high


@pytest.mark.parametrize(
    ("word", "number"),
    [("cat", 1), ("the", 1), ("data", 2), ("region", 2), ("privacy", 3), ("purpose", 2), ("table", 2), ("being", 2),
     ("deleted", 3), ("stopped", 1), ("notes", 1), ("boxes", 2), ("account", 2), ("people", 2), ("video", 3),
     ("30", 2), ("don't", 1)],
)  # fmt: skip
def test_syllables(word: str, number: int) -> None:
    assert syllables(word) == number


def test_names_do_not_count_and_hard_words_do() -> None:
    plain = "It is run by Multinational Intercontinental Organisation."
    assert grade(plain) > 8 > grade(plain, ["Multinational Intercontinental Organisation"])
    assert grade("") == pytest.approx(-15.6)
