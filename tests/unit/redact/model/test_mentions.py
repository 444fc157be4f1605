"""How people are written."""

from __future__ import annotations

import pytest

from troth.redact.model.mentions import alone, core, doubtful, handle_at, is_handle, parts_of, words_of


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Dr. Anne-Marie O'Neil's", ["Anne-Marie", "O'Neil"]),
        ("Johnson, Peter", ["Peter", "Johnson"]),
        ("P. J. Johnson", ["P", "J", "Johnson"]),
        ("Ursula von der Leyen", ["Ursula", "von", "der", "Leyen"]),
        ("42 !", []),
    ],
)
def test_the_words_of_a_name(name: str, parts: list[str]) -> None:
    assert parts_of(words_of(name)) == parts


def test_particles_and_accents_tell_nobody_apart() -> None:
    assert core(["José", "de", "la", "Cruz"]) == ["jose", "cruz"]


@pytest.mark.parametrize(
    ("text", "word", "doubt"),
    [
        ("Will you come?", "Will", True),
        ("I asked Will about it.", "Will", False),
        ("We met in May again.", "May", True),
        ("We met May again.", "May", False),
        ("He left. Hope is all.", "Hope", True),
        ("The MARK was clear.", "MARK", True),
        ("Okonkwo came.", "Okonkwo", False),
    ],
)
def test_names_that_are_words_count_inside_a_sentence_only(text: str, word: str, doubt: bool) -> None:
    words = words_of(text)
    assert doubtful(words, [w.text for w in words].index(word)) is doubt


def test_handles_are_made_of_both_names() -> None:
    low = "write to @peter.johnson_42!"
    first, last = handle_at(low, low.index("johnson"), len("johnson"))
    assert low[first:last] == "peter.johnson_42"
    assert all(is_handle(h, "peter", "johnson") for h in ("peter.johnson_42", "pjohnson", "johnson-peter", "johnsonp"))
    assert not any(
        is_handle(h, "peter", "johnson") for h in ("johnson", "johnsons", "peter.johnson.com", "p1234567johnson")
    )


def test_a_word_within_a_value_is_none_of_the_language() -> None:
    text = "mark it. x.mark@example.org, /mark, @mark, mark_2, mark.smith and mark."
    assert [alone(text, w) for w in words_of(text) if w.text == "mark"] == [True, *[False] * 5, True]
