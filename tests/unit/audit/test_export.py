from __future__ import annotations

from pathlib import Path

import pytest

from log_world import World
from troth.audit.export import export_log
from troth.audit.verify import verify_log
from troth.kernel.errors import Conflict


def test_a_log_becomes_a_folder_that_verifies(world: World, tmp_path: Path) -> None:
    world.grow(300)
    assert export_log(world.resource(), tmp_path / "out").size == 300
    assert verify_log(tmp_path / "out", world.vkey()).size == 300
    files = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert files == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    }


def test_an_old_folder_is_not_mixed_with_a_new_log(world: World, tmp_path: Path) -> None:
    world.grow(3)
    export_log(world.resource(), tmp_path / "out")
    with pytest.raises(Conflict, match="not empty"):
        export_log(world.resource(), tmp_path / "out")
