"""PDQ as the library of its authors' code computes it (pdqhash 0.2.8, `compute_dihedral`), which needs a compiler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from troth.gateway.moderation.hashes import NEAR
from troth.gateway.moderation.pdq import hashes

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "pdq.json").read_text("utf-8"))


def picture(height: int, width: int, seed: int, swing: float) -> NDArray[np.uint8]:
    """Waves of several lengths, other ones for each colour: the same on every machine."""
    down, across = np.mgrid[0:height, 0:width] / 64
    waves = [
        np.sin(down * (1 + seed % 5) + colour) * np.cos(across * (2 + seed % 3))
        + np.sin(across * down * 0.3 + seed * colour)
        for colour in range(3)
    ]
    return np.clip(np.rint(127 + swing * np.stack(waves, -1)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: f"{one['height']}x{one['width']}-{one['seed']}")
def test_bits_and_quality(vector: dict[str, Any]) -> None:
    found, quality = hashes(picture(vector["height"], vector["width"], vector["seed"], vector["swing"]))
    assert abs(quality - vector["quality"]) <= 1
    for mine, theirs in zip(found, vector["hashes"], strict=True):
        written = np.unpackbits(np.frombuffer(bytes.fromhex(theirs), dtype=np.uint8))
        assert int((mine != written).sum()) <= 2  # of 256; sums are made in another order


def test_turned_and_mirrored_pictures_have_the_forms_told() -> None:
    there = picture(512, 512, 7, 50)
    as_is, forms = hashes(there)[0][0], hashes(there)[0]
    for turned in (
        np.rot90(there),
        np.rot90(there, 2),
        np.rot90(there, 3),
        there[::-1],
        there[:, ::-1],
        there.swapaxes(0, 1),
    ):
        other = hashes(np.ascontiguousarray(turned))[0]
        assert min(int((as_is != one).sum()) for one in other) <= NEAR
        assert min(int((other[0] != one).sum()) for one in forms) <= NEAR
