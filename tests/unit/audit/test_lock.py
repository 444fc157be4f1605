from __future__ import annotations

import pytest

from troth.audit.lock import SequencerLock
from troth.kernel.errors import Conflict
from troth.storage.database import Database


def test_only_one_holds_it(database: Database) -> None:
    first, second = SequencerLock(database), SequencerLock(database)
    first.acquire()
    first.acquire()
    with pytest.raises(Conflict) as caught:
        second.acquire()
    assert caught.value.code == "second-sequencer"
    assert first.held
    assert not second.held
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_a_database_in_memory_has_no_other_process() -> None:
    lock = SequencerLock(Database("sqlite://"))
    lock.acquire()
    assert lock.held
    lock.release()
