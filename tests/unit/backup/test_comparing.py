"""A restore that loses people or objects is noticed by what the living ledger has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backup_world import World, held, restore, world
from troth.backup import places
from troth.backup.comparing import Compared, compared
from troth.backup.drill import PASSED, UNKNOWN
from troth.kernel.errors import IntegrityError
from troth.kernel.scope import SYSTEM
from troth.promises.check import Result, judge
from troth.promises.checks.backups import _tried
from troth.storage.database import Database


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def test_lost_objects_and_people_are_noticed(home: World, tmp_path: Path) -> None:
    tenant = home.tenant("One")
    stays, gone = home.someone(tenant), home.someone(tenant)
    home.backups.run()
    home.erase(gone)
    home.base.sequencer.flush()  # what is signed while a restore reads the logs would be missing from them
    done = restore(home.settings, tmp_path / "restored")
    assert done.compared == Compared(kept=3, expected=3, forgotten=1, erased=1)
    parts = places.parts_of(held(home.settings), home.backups.chunks)
    restored = Database(f"sqlite:///{tmp_path / 'restored' / 'troth.db'}")
    living, erased = home.base.database, (tenant, gone.subject)
    assert compared(living, restored, parts, [erased]) == done.compared
    with pytest.raises(IntegrityError, match="nobody erased"):
        compared(living, restored, parts, [erased, (tenant, stays.subject)])
    with restored.write(SYSTEM) as connection:
        connection.execute(text("update vault_object set state = 'erased' where id = :id"), {"id": min(stays.kept)})
    with pytest.raises(IntegrityError, match="nobody erased"):
        compared(living, restored, parts, [erased])
    restored.close()


def test_a_drill_with_nothing_to_open_is_unknown(home: World) -> None:
    tenant = home.tenant("One")
    home.backups.run()
    assert home.backups.drill().state == UNKNOWN
    home.base.sequencer.flush()
    assert judge(_tried(home.troth.system)) is Result.ERROR
    assert home.backups.drill_when_due() is None
    home.someone(tenant)
    home.backups.run()
    assert home.backups.drill().state == PASSED
    home.base.sequencer.flush()
    assert judge(_tried(home.troth.system)) is Result.PASS
