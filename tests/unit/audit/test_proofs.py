from __future__ import annotations

import pytest

from database_world import owned
from log_world import World
from troth.audit.checkpoint import Checkpoint
from troth.audit.note import parse_note
from troth.audit.verify import verify_consistency, verify_proof
from troth.kernel.errors import IntegrityError, NotFound, Unavailable


def test_every_entry_is_provable(world: World) -> None:
    world.grow(270)
    for index, leaf in enumerate(world.leaves()):
        assert verify_proof(world.prover.proof("operator", index), leaf, world.vkey()) == index


def test_an_entry_that_is_not_signed_yet(world: World) -> None:
    world.grow(3)
    world.wait_for(1, start=3)
    world.sequencer.integrate()
    with pytest.raises(Unavailable, match="again in a second"):
        world.prover.proof("operator", 3)
    for index in (-1, 4):
        with pytest.raises(NotFound):
            world.prover.proof("operator", index)
    world.sequencer.flush()
    assert "index 3\n" in world.prover.proof("operator", 3)


def test_consistency_between_checkpoints(world: World) -> None:
    checkpoints = []
    for start, count in ((0, 5), (5, 300), (305, 1)):
        world.grow(count, start=start)
        checkpoints.append(Checkpoint.parse(parse_note(world.reader.head("operator").checkpoint).text))
    for old in checkpoints:
        verify_consistency(old, checkpoints[-1], world.prover.consistency("operator", old.size))
    for size in (0, 307):
        with pytest.raises(NotFound):
            world.prover.consistency("operator", size)


def test_a_request_is_found_in_its_own_log_only(world: World) -> None:
    world.grow(3)
    world.grow(2, start=1, request="req_1")
    world.grow(1, log="ten_a", request="req_1")
    assert world.prover.locate("operator", "req_1") == [1, 3, 4]
    assert world.prover.locate("ten_a", "req_1") == [0]
    assert world.prover.locate("ten_a", "req_2") == []
    assert world.prover.locate("nowhere", "req_1") == []


def test_a_lost_tile_is_an_integrity_error(world: World) -> None:
    world.grow(3)
    with owned(world.database) as connection:
        connection.exec_driver_sql("DELETE FROM audit_tiles")
    with pytest.raises(IntegrityError, match="missing"):
        world.prover.proof("operator", 1)
