"""The re-audit of logs of which a beginning was pruned: by both verifiers' rule, and against whole trees."""

from __future__ import annotations

import pytest

from troth.audit.merkle import HASH_BYTES, leaf_hash
from troth.audit.reaudit import LogBroken, Reaudit
from troth.audit.tiles import Tile, bundle
from troth.audit.tree import TiledTree
from troth.kernel.errors import NotFound


class Stored:
    """A log's resources in memory, which may be pruned to the letter of C2SP tlog-tiles."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.leaves = [number.to_bytes(3, "big") for number in range(size)]
        tree = TiledTree()
        self.resources = {
            Tile(one.level, one.tile, len(one.hashes) // HASH_BYTES).path: one.hashes
            for one in tree.extend(map(leaf_hash, self.leaves))
        }
        for start in range(0, size, 256):
            part = self.leaves[start : start + 256]
            self.resources[Tile(None, start // 256, len(part)).path] = bundle(part)
        self.root = tree.root()

    def root_at(self, size: int) -> bytes:
        tree = TiledTree()
        list(tree.extend(map(leaf_hash, self.leaves[:size])))
        return tree.root()

    def prune(self, minimum: int, *, tiles: bool) -> None:
        """Drop every full bundle, and with `tiles` every full tile, that ends at or below the minimum index."""
        for path in list(self.resources):
            tile = Tile.parse(path)
            end = (tile.number + 1) * 256 ** ((tile.level or 0) + 1)
            if tile.width == 256 and end <= minimum and (tiles or tile.level is None):
                del self.resources[path]

    def read(self, path: str) -> bytes:
        try:
            return self.resources[path]
        except KeyError:
            raise NotFound("There is no such resource.") from None


@pytest.fixture(scope="module", params=[700, 65_536 + 700])
def size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.mark.parametrize("tiles", [False, True])
def test_a_pruned_log_still_leads_to_its_root(size: int, *, tiles: bool) -> None:
    log, minimum = Stored(size), size // 256 * 256 - 200
    log.prune(minimum, tiles=tiles)
    audit = Reaudit(log.read, size, minimum=minimum, earlier=(size - 3, size))
    assert audit.run() == log.root
    assert audit.read == size - minimum // 256 * 256
    assert audit.root_of(size) == log.root
    assert audit.root_of(size - 3) == log.root_at(size - 3)


def test_what_is_missing_above_the_minimum_is_named() -> None:
    log = Stored(700)
    log.prune(512, tiles=True)
    for minimum, first in ((0, 0), (256, 256), (511, 256)):
        with pytest.raises(LogBroken, match="missing") as caught:
            Reaudit(log.read, 700, minimum=minimum).run()
        assert caught.value.first == first


def test_a_checkpoint_that_pruning_made_incomparable_is_said_to_be_so() -> None:
    log = Stored(700)
    log.prune(512, tiles=True)
    audit = Reaudit(log.read, 700, minimum=512, earlier=(300, 512))
    audit.run()
    assert audit.root_of(300) is None
    assert audit.root_of(512) == log.root_at(512)


def test_bent_hashes_above_a_pruned_part_do_not_lead_to_the_root() -> None:
    log = Stored(700)
    log.prune(512, tiles=True)
    path = "tile/1/000.p/2"
    log.resources[path] = bytes(32) + log.resources[path][32:]
    assert Reaudit(log.read, 700, minimum=512).run() != log.root


def test_progress_is_told() -> None:
    log, seen = Stored(700), []
    Reaudit(log.read, 700).run(seen.append)
    assert seen == [256, 512, 700]
