from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.audit import merkle
from troth.audit.checkpoint import Checkpoint
from troth.audit.merkle import Frontier, TileNodes, leaf_hash
from troth.audit.tree import TiledTree
from troth.audit.verify import verify_consistency, verify_inclusion
from troth.kernel.errors import IntegrityError

SIZES = st.one_of(st.integers(1, 40), st.integers(200, 700))


def naive(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + naive(hashes[:split]) + naive(hashes[split:])).digest()


def forest(size: int) -> tuple[list[bytes], TileNodes]:
    leaves = [leaf_hash(number.to_bytes(4, "big")) for number in range(size)]
    tiles = {(one.level, one.tile): one.hashes for one in TiledTree().extend(leaves)}
    return leaves, TileNodes(lambda level, tile: tiles[level, tile])


@settings(deadline=None, max_examples=60)
@given(SIZES, st.data())
def test_every_proof_verifies_and_every_mutation_fails(size: int, data: st.DataObject) -> None:
    leaves, node = forest(size)
    whole = Checkpoint("o", size, naive(leaves))
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion(node, index, size)
    verify_inclusion(whole, index, leaves[index], path)
    old = data.draw(st.integers(1, size))
    earlier, proof = Checkpoint("o", old, naive(leaves[:old])), merkle.consistency(node, old, size)
    verify_consistency(earlier, whole, proof)
    for wrong in _mutations(path, data):
        with pytest.raises(IntegrityError):
            verify_inclusion(whole, index, leaves[index], wrong)
    for wrong in _mutations(proof, data):
        with pytest.raises(IntegrityError):
            verify_consistency(earlier, whole, wrong)
    other = data.draw(st.integers(0, size + 3).filter(lambda one: one != index))
    with pytest.raises(IntegrityError):
        verify_inclusion(whole, other, leaves[index], path)
    with pytest.raises(IntegrityError):
        verify_inclusion(whole, index, sha256(leaves[index]).digest(), path)
    with pytest.raises(IntegrityError):
        verify_consistency(Checkpoint("o", old, sha256(earlier.root).digest()), whole, proof)


def _mutations(hashes: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """One bit flipped, one hash lost, one added, two swapped."""
    found = [[*hashes, b"\x00" * 32], [b"\x00" * 32, *hashes]]
    if hashes:
        at, bit = data.draw(st.integers(0, len(hashes) - 1)), data.draw(st.integers(0, 255))
        flipped = bytearray(hashes[at])
        flipped[bit // 8] ^= 1 << bit % 8
        found += [[*hashes[:at], bytes(flipped), *hashes[at + 1 :]], hashes[:at] + hashes[at + 1 :]]
    if len(hashes) > 1:
        found.append([hashes[1], hashes[0], *hashes[2:]])
    return found


@settings(deadline=None, max_examples=40)
@given(SIZES)
def test_the_root_from_tiles_is_the_root_of_the_standard(size: int) -> None:
    leaves, node = forest(size)
    assert merkle.root(node, size) == naive(leaves)
    assert merkle.frontier(node, size).root() == naive(leaves)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == merkle.root(lambda _height, _position: b"", 0) == sha256(b"").digest()


@pytest.mark.parametrize(("index", "size"), [(-1, 4), (4, 4), (0, 0)])
def test_no_path_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion(forest(4)[1], index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 4), (5, 4)])
def test_no_consistency_with_nothing_or_the_future(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="no consistency proof"):
        merkle.consistency(forest(4)[1], old, new)


def test_a_narrow_tile_is_noticed() -> None:
    node = TileNodes(lambda _level, _tile: b"\x00" * 32 * 3)
    with pytest.raises(IntegrityError, match="narrower"):
        node(2, 0)


def test_an_edge_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(IntegrityError, match="right edge"):
        Frontier(3, [b"\x00" * 32])
