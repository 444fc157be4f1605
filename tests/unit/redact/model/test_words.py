"""Words lie where they stand, whatever the text is."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from troth.redact.model.words import LONGEST, NORM_ROWS, PIECES, PREFIX_ROWS, SHAPE_ROWS, SUFFIX_ROWS, WordReader, split

READER = WordReader({"anna": 3, "ann": 4, "##a": 5, "##b": 6, ".": 7}, {})
ANY_TEXT = st.text(st.characters(codec=None), max_size=80)  # lone surrogates and NUL included


@given(ANY_TEXT)
@example("\ud800\x00 Anna\n\nO'Neil_7 \U0001f600")
@example("x" * 500 + "1" * 500)
def test_words_are_apart_in_order_and_cover_everything_but_blanks(text: str) -> None:
    places = split(text)
    at = 0
    for start, end in places:
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        at = end
    assert not text[at:].strip()
    assert all(end - start <= LONGEST for start, end in places if text[start] != "\n")


@given(ANY_TEXT)
@example("²Ⅷ٣\u0130ŉ")
def test_every_word_has_rows_of_the_tables(text: str) -> None:
    for start, end in split(text):
        word = READER.read(text[start:end])
        assert len(word.pieces) <= PIECES
        assert 0 <= word.norm < NORM_ROWS
        assert 0 <= word.prefix < PREFIX_ROWS
        assert 0 <= word.suffix < SUFFIX_ROWS
        assert 0 <= word.shape < SHAPE_ROWS


def test_the_longest_piece_comes_first_and_accents_and_case_do_not_matter() -> None:
    assert READER.read("Anna").pieces == (3,)
    assert READER.read("ÁNNA").pieces == (3,)
    assert READER.read("annab").pieces == (3, 6)
    assert READER.read("zanna").pieces == (5, 5)  # what no piece covers is passed over


def test_case_and_length_are_one_row_and_numbers_are_told_by_size() -> None:
    shapes = [
        READER.read(w).shape for w in ("anna", "Anna", "ANNA", "A", "a", "aNna", "1234", ".", "\n", "\u4e2d\u4e2d")
    ]
    assert len(set(shapes)) == len(shapes)
    assert READER.read("1987").norm == READER.read("1901").norm != READER.read("3987").norm
    assert READER.read("7").norm == READER.read("12").norm != READER.read("13").norm


def test_only_what_is_listed_is_known() -> None:
    assert READER.read("Anna").public
    assert READER.read("12").public
    assert not READER.read("Annab").public
    assert not READER.read("123").public
