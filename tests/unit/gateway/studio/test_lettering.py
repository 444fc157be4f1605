from __future__ import annotations

import pytest

from troth.gateway.studio.lettering import FaceName, face, fitted, wrapped


@pytest.mark.parametrize("name", ["sans", "serif"])
def test_faces_know_western_european_letters(name: FaceName) -> None:
    assert face(name).knows("The Größte Žižkov façade “€ 12.50”, naïve œuvre & Ærø!")
    assert not face(name).knows("漢字")


def test_sans_knows_cyrillic() -> None:
    assert face("sans").knows("\u041f\u0440\u0438\u0432\u0435\u0442")


def test_kerning_brings_letters_together() -> None:
    letters = face("serif")
    assert letters.width("AV", 100) < letters.width("A", 100) + letters.width("V", 100)


def test_tracking_stands_between_letters_only() -> None:
    letters = face("sans")
    assert letters.width("HHH", 100, 0.1) == pytest.approx(letters.width("HHH", 100) + 20)


def test_outline_skips_spaces_and_unknown_letters() -> None:
    assert len(face("sans").outline("a 漢 b", 0, 0, 10)) == 2


def test_lines_fit_and_keep_every_word() -> None:
    letters = face("sans")
    lines = wrapped("a very long title that must wrap over several lines", letters, 300, 40)
    assert " ".join(lines) == "a very long title that must wrap over several lines"
    assert all(letters.width(line, 40) <= 300 for line in lines)


def test_long_word_is_made_smaller() -> None:
    letters = face("sans")
    lines = wrapped("Donaudampfschifffahrt", letters, 200, 80)
    size = fitted(lines, letters, 200, 80)
    assert size < 80
    assert letters.width(lines[0], size) == pytest.approx(200)
