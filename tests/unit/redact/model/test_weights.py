"""The shipped weights are the ones whose digest stands in the package and in the model card; nothing else is loaded."""

from __future__ import annotations

import hashlib
import lzma
import runpy
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from troth.kernel.errors import Unavailable
from troth.redact.model.digests import DIGESTS
from troth.redact.model.weights import parse, write

CARD = Path(__file__).parents[4] / "docs" / "reference" / "model-card.md"
FOLDER = resources.files("troth.redact.model").joinpath("weights")


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_the_shipped_file_is_the_one_of_the_card(name: str) -> None:
    content = lzma.decompress(FOLDER.joinpath(f"{name}.bin.xz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == DIGESTS[name]
    assert f"| {name}.bin | {len(content)} | `{DIGESTS[name]}` |" in CARD.read_text(encoding="utf-8")


def test_nothing_else_lies_beside_them_and_all_are_small() -> None:
    files = {f.name: len(f.read_bytes()) for f in FOLDER.iterdir()}
    assert set(files) == {"NOTICE", *(f"{name}.bin.xz" for name in DIGESTS)}
    assert sum(files.values()) <= 10_000_000


def test_the_notice_names_every_file_and_every_set_that_was_trained_on() -> None:
    notice, card = FOLDER.joinpath("NOTICE").read_text(encoding="utf-8"), CARD.read_text(encoding="utf-8")
    assert all(f"{name}.bin" in notice for name in DIGESTS)
    assert "CC BY-SA 4.0" in notice
    sets = runpy.run_path(str(CARD.parents[2] / "training" / "sets.py"))
    assert set(sets["WEIGHT"]).isdisjoint(sets["MEASURED_ONLY"])
    assert all(name in card for name in (*sets["WEIGHT"], *sets["MEASURED_ONLY"]))


def test_arrays_come_back_as_they_were(tmp_path: Path) -> None:
    arrays = {
        "b": np.arange(6, dtype=np.int8).reshape(2, 3),
        "a": np.array([1.5], dtype=np.float16),
        "sorted": np.array([0, 3, 3, 70_000, 2**32 - 1], dtype=np.uint32),
        "not": np.array([3, 2], dtype=np.uint32),
        "none": np.array([], dtype=np.uint32),
    }
    write(tmp_path / "w", {"tier": "x"}, arrays)
    content = (tmp_path / "w").read_bytes()
    facts, found = parse(content, hashlib.sha256(content).hexdigest())
    assert facts == {"tier": "x"}
    assert {k: (v.dtype, v.tolist()) for k, v in found.items()} == {k: (v.dtype, v.tolist()) for k, v in arrays.items()}
    assert not any(one.flags.writeable for one in found.values())


@pytest.mark.parametrize("name", sorted(DIGESTS))
def test_one_changed_bit_is_refused(name: str) -> None:
    content = bytearray(lzma.decompress(FOLDER.joinpath(f"{name}.bin.xz").read_bytes()))
    content[-1] ^= 1
    with pytest.raises(Unavailable) as refused:
        parse(bytes(content), DIGESTS[name])
    assert refused.value.code == "model-weights"


def test_a_file_of_another_kind_is_refused_even_with_its_own_digest() -> None:
    for content in (b"", b"PK\x03\x04 something else", b"TROTHW1\n\xff\xff\xff\xff"):
        with pytest.raises(Unavailable):
            parse(content, hashlib.sha256(content).hexdigest())
