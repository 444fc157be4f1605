"""Each way of bending a log is done to a real one on disk and must be named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from log_world import TestKey, World
from troth.audit.checkpoint import Checkpoint, signed
from troth.audit.export import export_log
from troth.audit.merkle import HASH_BYTES, leaf_hash
from troth.audit.note import VerifierKey
from troth.audit.proof_text import ProofText
from troth.audit.tiles import Tile, bundle, unbundle
from troth.audit.tree import TiledTree
from troth.audit.verify import LogBroken, verify_consistency, verify_log, verify_proof
from troth.kernel.errors import IntegrityError

SIZE = 700
FIRST, LAST = "tile/entries/001", "tile/entries/002.p/188"


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    world.grow(SIZE)
    export_log(world.resource(), tmp_path / "log")
    return tmp_path / "log"


def edit(folder: Path, path: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    file = folder / path
    file.write_bytes(bundle(change(unbundle(file.read_bytes()))))


def test_an_honest_log_holds(world: World, folder: Path) -> None:
    audited = verify_log(folder, world.vkey())
    assert (audited.origin, audited.size) == ("troth.test/log/operator", SIZE)
    assert verify_log(world.resource(), world.vkey()) == audited
    assert verify_log(world.folder / "blobs/tlog/operator", world.vkey()) == audited


@pytest.mark.parametrize(
    ("change", "index"),
    [
        (lambda leaves: [*leaves[:9], leaves[9].replace(b"usr_a", b"usr_b"), *leaves[10:]], 256 + 9),  # edit
        (lambda leaves: leaves[:9] + leaves[10:], 256 + 9),  # delete
        (lambda leaves: [*leaves[:9], b"new", *leaves[9:-1]], 256 + 9),  # insert
        (lambda leaves: [*leaves[:9], leaves[10], leaves[9], *leaves[11:]], 256 + 9),  # reorder
        (lambda leaves: leaves[:-3], 256 + 253),  # cut the end of a bundle
    ],
)
def test_changed_entries_are_named(
    world: World, folder: Path, change: Callable[[list[bytes]], list[bytes]], index: int
) -> None:
    edit(folder, FIRST, change)
    with pytest.raises(LogBroken) as caught:
        verify_log(folder, world.vkey())
    assert (caught.value.first, caught.value.last) == (index, index)
    assert f"Entry {index}" in caught.value.advice


def test_an_edit_with_its_tile_rewritten_is_named_by_the_tile_above(world: World, folder: Path) -> None:
    edit(folder, FIRST, lambda leaves: [*leaves[:9], b"forged", *leaves[10:]])
    tile = folder / "tile/0/001"
    row = bytearray(tile.read_bytes())
    row[9 * HASH_BYTES : 10 * HASH_BYTES] = leaf_hash(b"forged")
    tile.write_bytes(row)
    with pytest.raises(LogBroken) as caught:
        verify_log(folder, world.vkey())
    assert (caught.value.first, caught.value.last) == (256, 511)


def _rewrite(folder: Path, leaves: list[bytes]) -> TiledTree:
    """Every tile and bundle made to fit other entries: what the owner of the disk can do without the key."""
    tree = TiledTree()
    for write in tree.extend(map(leaf_hash, leaves)):
        width = len(write.hashes) // HASH_BYTES
        name = f"tile/{write.level}/{write.tile:03d}" + (f".p/{width}" if width < 256 else "")
        (folder / name).write_bytes(write.hashes)
    return tree


def test_a_log_rewritten_without_the_key_does_not_lead_to_its_root(world: World, folder: Path) -> None:
    edit(folder, LAST, lambda leaves: [b"forged", *leaves[1:]])
    _rewrite(folder, [one for path in ("000", "001", "002.p/188") for one in _entries(folder, path)])
    with pytest.raises(LogBroken, match="signed root"):
        verify_log(folder, world.vkey())


def _entries(folder: Path, path: str) -> list[bytes]:
    return unbundle((folder / "tile/entries" / path).read_bytes())


def test_a_fork_signed_with_the_stolen_key_is_seen_by_who_kept_a_checkpoint(world: World, folder: Path) -> None:
    kept = (folder / "checkpoint").read_bytes()
    edit(folder, LAST, lambda leaves: [b"forged", *leaves[1:]])
    tree = _rewrite(folder, [one for path in ("000", "001", "002.p/188") for one in _entries(folder, path)])
    _sign(world, folder, tree.size, tree.root())
    assert verify_log(folder, world.vkey()).size == SIZE
    with pytest.raises(IntegrityError, match="rewritten") as caught:
        verify_log(folder, world.vkey(), trusted=kept)
    assert caught.value.code == "fork"


def _sign(world: World, folder: Path, size: int, root: bytes) -> None:
    key = VerifierKey.parse(world.vkey())
    checkpoint = Checkpoint(key.name, size, root)
    (folder / "checkpoint").write_bytes(signed(checkpoint, key, world.key.sign(checkpoint.text().encode())))


def test_truncation_is_named(world: World, folder: Path) -> None:
    (folder / LAST).unlink()
    with pytest.raises(LogBroken) as caught:
        verify_log(folder, world.vkey())
    assert caught.value.first == 512


def test_an_older_checkpoint_is_a_rollback_for_who_knows_a_newer_one(world: World, folder: Path) -> None:
    older = (folder / "checkpoint").read_bytes()
    world.grow(300, start=SIZE)
    newer = world.publisher.resource("operator", "checkpoint")
    assert verify_log(folder, world.vkey(), trusted=older).size == SIZE
    with pytest.raises(IntegrityError, match="rolled back"):
        verify_log(folder, world.vkey(), trusted=newer)
    assert verify_log(world.resource(), world.vkey(), trusted=older).size == SIZE + 300


def test_swapped_tiles(world: World, folder: Path) -> None:
    first, second = folder / "tile/0/000", folder / "tile/0/001"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    with pytest.raises(LogBroken) as caught:
        verify_log(folder, world.vkey())
    assert caught.value.first == 0


@pytest.mark.parametrize(
    ("path", "first"), [("tile/0/001", 256), ("tile/1/000.p/2", 0), ("tile/0/002.p/188", 512), ("tile/entries/000", 0)]
)
def test_a_missing_or_short_tile(world: World, folder: Path, path: str, first: int) -> None:
    file = folder / path
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(LogBroken) as caught:
        verify_log(folder, world.vkey())
    assert caught.value.first == first
    file.unlink()
    with pytest.raises(LogBroken, match="missing"):
        verify_log(folder, world.vkey())


def test_a_full_tile_may_stand_for_a_partial_one(world: World, folder: Path) -> None:
    world.grow(100, start=SIZE)
    for level in ("entries", "0"):
        (folder / f"tile/{level}/002.p/188").unlink()
        (folder / f"tile/{level}/002").write_bytes(world.publisher.resource("operator", f"tile/{level}/002"))
    assert verify_log(folder, world.vkey()).size == SIZE


def test_another_key_and_another_log(world: World, folder: Path) -> None:
    world.grow(SIZE, log="ten_a")
    stranger = VerifierKey("troth.test/log/operator", TestKey(seed=b"\x08" * 32).public_key)
    for vkey in (str(stranger), world.vkey("ten_a")):
        with pytest.raises(IntegrityError):
            verify_log(folder, vkey)
    (folder / FIRST).write_bytes(world.publisher.resource("ten_a", FIRST))
    with pytest.raises(LogBroken) as caught:
        verify_log(folder, world.vkey())
    assert caught.value.first == 256


def test_a_folder_without_a_checkpoint(world: World, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="checkpoint"):
        verify_log(tmp_path / "none", world.vkey())


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512])
def test_sizes_at_the_borders_of_tiles(world: World, size: int) -> None:
    world.grow(size)
    old = world.publisher.resource("operator", "checkpoint")
    assert verify_log(world.resource(), world.vkey()).size == size
    world.grow(3, start=size)
    assert verify_log(world.resource(), world.vkey(), trusted=old).size == size + 3


def test_the_empty_log_holds_and_begins_every_log(world: World, folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    _sign(world, empty, 0, TiledTree().root())
    assert verify_log(empty, world.vkey()).size == 0
    assert verify_log(folder, world.vkey(), trusted=(empty / "checkpoint").read_bytes()).size == SIZE
    _sign(world, empty, 0, b"\x00" * 32)
    with pytest.raises(IntegrityError):
        verify_log(empty, world.vkey())


def test_proofs_and_forgeries(world: World) -> None:
    world.grow(300)
    world.grow(300, log="ten_a")
    leaves, proof = world.leaves(), ProofText.parse(world.prover.proof("operator", 123))
    assert verify_proof(str(proof), leaves[123], world.vkey()) == 123
    forged = [
        (ProofText(124, proof.path, proof.checkpoint), leaves[123]),
        (ProofText(300, proof.path, proof.checkpoint), leaves[123]),
        (ProofText(123, proof.path[1:], proof.checkpoint), leaves[123]),
        (ProofText(123, (*proof.path, b"\x00" * 32), proof.checkpoint), leaves[123]),
        (ProofText(123, proof.path[::-1], proof.checkpoint), leaves[123]),
        (ProofText(123, proof.path, proof.checkpoint.replace(b"\n300\n", b"\n301\n")), leaves[123]),
        (ProofText(123, proof.path, world.reader.head("ten_a").checkpoint), leaves[123]),
        (proof, leaves[122]),
        (proof, leaves[123] + b" "),
    ]
    for text, leaf in forged:
        with pytest.raises(IntegrityError):
            verify_proof(str(text), leaf, world.vkey())
    with pytest.raises(IntegrityError):
        verify_proof(str(proof), leaves[123], world.vkey("ten_a"))


def test_consistency_refuses_what_is_no_growth() -> None:
    one, two = Checkpoint("o", 1, b"\x01" * 32), Checkpoint("o", 2, b"\x02" * 32)
    for old, new in (
        (Checkpoint("p", 1, one.root), two),
        (two, one),
        (Checkpoint("o", 0, one.root), two),
        (Checkpoint("o", 2, one.root), two),
        (Checkpoint("o", 3, one.root), Checkpoint("o", 5, two.root)),
    ):
        with pytest.raises(IntegrityError):
            verify_consistency(old, new, [])
    verify_consistency(two, two, [])
    with pytest.raises(IntegrityError):
        verify_consistency(two, two, [b"\x00" * 32])


def test_a_tree_of_three_levels(world: World) -> None:
    """65,536 entries and a few: the first full tile of level 1 is vouched for by level 2."""
    leaves = [number.to_bytes(3, "big") for number in range(256 * 256 + 5)]
    tree, resources = TiledTree(), {}
    for write in tree.extend(map(leaf_hash, leaves)):
        resources[Tile(write.level, write.tile, len(write.hashes) // HASH_BYTES).path] = write.hashes
    for start in range(0, len(leaves), 256):
        part = leaves[start : start + 256]
        resources[Tile(None, start // 256, len(part)).path] = bundle(part)
    key = VerifierKey.parse(world.vkey())
    checkpoint = Checkpoint(key.name, tree.size, tree.root())
    resources["checkpoint"] = signed(checkpoint, key, world.key.sign(checkpoint.text().encode()))
    assert verify_log(resources.__getitem__, str(key)).size == len(leaves)
    resources["tile/2/000.p/1"] = b"\x00" * 32
    with pytest.raises(LogBroken) as caught:
        verify_log(resources.__getitem__, str(key))
    assert (caught.value.first, caught.value.last) == (0, 65_535)
