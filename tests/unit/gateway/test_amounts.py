"""What one request may give the classifier to read, by what its letters stand for."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from troth.gateway.amounts import MAX_TEXT, check_amount, sizes
from troth.gateway.moderation import Moderator, normalise
from troth.gateway.moderation.classify import classified
from troth.gateway.moderation.legible import ending, passages
from troth.gateway.moderation.wire import Classify
from troth.kernel.errors import TooLarge

LONG = "\ufdfa"  # one letter that stands for 18


def test_a_letter_counts_as_what_it_stands_for() -> None:
    assert sum(sizes(LONG * 1000)) == 18_000
    assert sum(sizes("h\u00e9 \ud55c " * 1000)) == 5000  # letters of plain scripts stay one
    check_amount({"text": "\u00e9" * (MAX_TEXT - 4)})
    for value in (LONG * (MAX_TEXT // 18), [{LONG * (MAX_TEXT // 18): 1}]):
        with pytest.raises(TooLarge):
            check_amount([value, "a" * 20])


@pytest.mark.parametrize("text", [LONG * 60_000, "a" * 100_000])
def test_classification_is_bounded_over_all_inputs(text: str) -> None:
    nobody = cast(Any, None)
    with pytest.raises(TooLarge) as refusal:
        classified(nobody, Classify(input=[text] * 21), Moderator(), nobody)
    assert refusal.value.code == "too-much-text"


def test_the_end_of_a_text() -> None:
    assert ending("abcdef", 2, 4) == "cdef"
    assert ending("abcdef", 5, 4) == "bcdef"
    assert ending("ab" + LONG * 9, 2, 40) == LONG * 3
    assert ending("\u00e9", 9, 40) == "\u00e9"


def test_marks_without_end_are_read_in_linear_time() -> None:
    text = "a" + "\u0315\u0300" * 60_000  # sorted as they stand: half a minute
    begin = time.process_time()
    assert passages(text, ()) == [["a"]]
    assert normalise(text) == " a "
    assert sum(sizes(text)) == 120_001
    assert time.process_time() - begin < 5
