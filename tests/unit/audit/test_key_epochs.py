"""The newest epoch of the key tree in the operator log."""

from __future__ import annotations

import pytest

from log_world import World
from troth.audit.key_epochs import LoggedEpochs
from troth.kernel.epoch_log import OPERATION, LoggedEpoch
from troth.kernel.errors import IntegrityError


def _epoch(world: World, epoch: int, jurisdiction: str = "eu") -> None:
    facts = {"jurisdiction": jurisdiction, "epoch": epoch, "digest": f"{epoch:064x}"}
    world.wait_for(1, operation=OPERATION, facts=facts)


def test_a_log_without_epochs_knows_none(world: World) -> None:
    epochs = LoggedEpochs(world.reader)
    assert epochs.newest("eu") is None
    world.wait_for(3)
    world.sequencer.flush()
    assert epochs.newest("eu") is None


def test_the_newest_of_the_jurisdiction_is_found_however_far_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.audit.key_epochs._AT_ONCE", 3)
    monkeypatch.setattr("troth.audit.log.SCANNED", 4)
    _epoch(world, 1)
    _epoch(world, 2)
    for at in range(7):
        _epoch(world, 10 + at, "us")
        world.wait_for(3)
    world.sequencer.flush()
    epochs = LoggedEpochs(world.reader)
    assert epochs.newest("eu") == LoggedEpoch(2, f"{2:064x}")
    assert epochs.newest("us") == LoggedEpoch(16, f"{16:064x}")
    assert epochs.newest("au") is None


def test_an_entry_that_cannot_be_read_is_said(world: World) -> None:
    world.wait_for(1, operation=OPERATION, facts={"epoch": 1})
    world.sequencer.flush()
    with pytest.raises(IntegrityError):
        LoggedEpochs(world.reader).newest("eu")
