"""What the classifier reads of a text: disguises are undone where a known word appears, and nothing else changes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.moderation.legible import PASSAGE, passages

KNOWN = frozenset("i ll kill you stupid idiot fuck so good hello there what is it dead are".split())


def words(text: str) -> list[str]:
    return [word for passage in passages(text, KNOWN) for word in passage]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Stupid IDIOT", ["stupid", "idiot"]),
        ("stup1d 1d10t", ["stupid", "idiot"]),
        ("$tupid", ["stupid"]),
        ("I'll k i l l you", ["i", "ll", "kill", "you"]),
        ("k.i.l.l", ["kill"]),
        ("f**k", ["fuck"]),
        ("fuuuuck sooo goood", ["fuck", "so", "good"]),
        ("\u0455tup\u0456d", ["stupid"]),
        ("stu\u200bpid", ["stupid"]),
        ("\uff53tupi\uff44", ["stupid"]),
        ("stúpíd", ["stupid"]),
        ("mp3 k8s x86 2024", ["mp", "3", "k", "8", "s", "x", "86", "2024"]),
        ("a*b", ["a", "b"]),
        ("is it?", ["is", "it", "?"]),
        ("привет", ["привет"]),
        ("", []),
        (" \n.,", []),
    ],
)
def test_reading(text: str, read: list[str]) -> None:
    assert words(text) == read


def test_sentences_share_a_passage_while_there_is_room() -> None:
    assert passages("hello there. what is it", KNOWN) == [["hello", "there", "what", "is", "it"]]
    many = "what is it. " * 40
    assert all(len(one) <= PASSAGE and one[0] == "what" for one in passages(many, KNOWN))
    endless = passages("hello " * 1000, KNOWN)
    assert sum(map(len, endless)) == 1000
    assert max(map(len, endless)) == PASSAGE


def test_no_pattern_of_a_token_stays_in_the_process() -> None:
    assert words("my password is hunter2#Secret9 f#*k")[-1] == "fuck"
    assert not [key for key in re._cache if "secret9" in str(key)]  # type: ignore[attr-defined]


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    for passage in passages(text, KNOWN):
        assert 0 < len(passage) <= PASSAGE
        assert all(word == "?" or word.isalpha() or word[0].isnumeric() or word.isalnum() for word in passage)


def test_a_number_behind_a_letter_is_a_number() -> None:
    assert passages("t1111 t1111", {"ti", "tiii"}) == [["t", "1111", "t", "1111"]]
