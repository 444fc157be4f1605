from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gateway.studio import colour
from troth.gateway.studio.palettes import PALETTES

COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@given(COLOURS)
def test_there_and_back(one: str) -> None:
    assert colour.from_lab(colour.to_lab(one)) == one


@given(COLOURS, COLOURS)
def test_contrast_is_symmetric_and_bounded(first: str, second: str) -> None:
    assert 1 <= colour.contrast(first, second) <= 21.01
    assert colour.contrast(first, second) == colour.contrast(second, first)


def test_known_contrasts() -> None:
    assert colour.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colour.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_ramp_keeps_its_ends() -> None:
    steps = colour.ramp("#102030", "#f0e0d0", 5)
    assert (steps[0], steps[-1], len(steps)) == ("#102030", "#f0e0d0", 5)


@pytest.mark.parametrize("palette", PALETTES.values(), ids=PALETTES)
def test_palettes_have_readable_dark_on_paper(palette: object) -> None:
    assert colour.contrast(palette.near, palette.paper) >= 4.5  # type: ignore[attr-defined]
