"""Text is read letter by letter, whichever way it is turned and on whatever ground, and each letter has its place."""

import numpy as np
import pytest

from picture_world import LETTER, MAIL, written
from troth.redact.pictures.lines import VERIFIED_AT, lines
from troth.redact.pictures.regions import tiles


@pytest.mark.parametrize(("ink", "paper", "quarters"), [(0, 255, 0), (255, 20, 0), (0, 255, 1), (255, 20, 2),
                                                        (140, 210, 3)])  # fmt: skip
def test_every_line_exactly(ink: int, paper: int, quarters: int) -> None:
    page = np.ascontiguousarray(np.rot90(written(ink=ink, paper=paper), quarters))
    assert {line.text for line in lines().find(page, VERIFIED_AT)} == set(LETTER)


def test_the_place_of_a_word() -> None:
    page = written()
    line = next(line for line in lines().find(page) if MAIL in line.text)
    start = line.text.index(MAIL)
    part = line.part(start, start + len(MAIL))
    left, right = part[:, 0].min(), part[:, 0].max()
    dark = np.flatnonzero((page[60:100] < 128).any(axis=(0, 2)))
    gaps = np.flatnonzero(np.diff(dark) > 5)  # between words
    begins = dark[gaps[-1] + 1]
    assert abs(left - begins) < 8
    assert abs(right - dark[-1]) < 8


def test_nothing_is_read_where_nothing_stands() -> None:
    assert lines().find(np.full((200, 300, 3), 200, np.uint8)) == []


def test_small_letters_on_a_large_page_are_read_in_tiles() -> None:
    page = np.full((1600, 2400, 3), 255, np.uint8)
    page[1200:1440, 1500:2060] = written(letters=20)
    assert any(MAIL in line.text for line in lines().find(page))


def test_tiles_cover_the_picture_and_are_few() -> None:
    for width, height in ((960, 960), (1300, 400), (4000, 3000), (12_000, 900), (50, 9000)):
        parts = tiles(width, height, 960)
        assert len(parts) <= 17
        seen = np.zeros((height, width), bool)
        for part in parts[1:] or parts:
            seen[part.top : part.bottom, part.left : part.right] = True
        assert seen.all()
