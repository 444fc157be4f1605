"""Where a restore works."""

from __future__ import annotations

from pathlib import Path

import pytest

from backup_world import restore, world
from troth.kernel.errors import Conflict


def test_a_folder_that_no_restore_made_is_left_alone(tmp_path: Path) -> None:
    with world(tmp_path) as home:
        home.someone(home.tenant("One"), 1)
        home.backups.run()
    part = tmp_path / "restored.part"
    part.mkdir()
    (part / "mine.txt").write_text("mine")
    with pytest.raises(Conflict) as refusal:
        restore(home.settings, tmp_path / "restored")
    assert refusal.value.code == "not-clean"
    assert (part / "mine.txt").read_text() == "mine"
    (part / "mine.txt").rename(part / "unfinished-restore")  # as a restore that was killed leaves it
    (part / "objects").mkdir()
    restore(home.settings, tmp_path / "restored")
    assert not part.exists()
    assert not (tmp_path / "restored" / "unfinished-restore").exists()
