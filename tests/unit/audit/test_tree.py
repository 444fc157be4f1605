from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.audit.merkle import leaf_hash
from troth.audit.tree import TiledTree, TileWrite
from troth.kernel.errors import IntegrityError


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_growth_in_steps_is_growth_at_once_and_survives_reloading(steps: list[int]) -> None:
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(sum(steps))]
    tiles: dict[tuple[int, int], bytes] = {}
    tree, at = TiledTree(), 0
    for step in steps:
        for write in tree.extend(leaves[at : at + step]):
            assert write.fresh == ((write.level, write.tile) not in tiles)
            assert write.hashes.startswith(tiles.get((write.level, write.tile), b""))
            tiles[write.level, write.tile] = write.hashes
        at += step
        tree = TiledTree(tree.size, lambda level, tile: tiles[level, tile])
    once = TiledTree()
    writes = once.extend(leaves)
    assert tree.root() == once.root()
    assert {(one.level, one.tile): one.hashes for one in writes} == tiles


def test_an_empty_growth_writes_nothing() -> None:
    assert TiledTree().extend([]) == []
    assert TiledTree().extend([b"\x01" * 32]) == [TileWrite(0, 0, b"\x01" * 32, fresh=True)]


def test_a_tile_of_another_width_is_refused() -> None:
    with pytest.raises(IntegrityError, match="width"):
        TiledTree(3, lambda _level, _tile: b"\x00" * 64)
