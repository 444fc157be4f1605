"""Nothing of an installation is readable by another user of the machine, from the first file on."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from house import house, house_settings
from troth.wiring import opened


def _open_to_others(*folders: Path) -> list[str]:
    everything = [path for folder in folders for path in (folder, *folder.rglob("*"))]
    assert len(everything) > 20
    return [path.name for path in everything if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_every_file_and_folder_is_for_its_user_alone(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with house(tmp_path) as home:
            home.picture(home.tenant("private"))
            assert _open_to_others(tmp_path / "data", tmp_path / "keys") == []
        for name in ("data", "keys"):
            (tmp_path / name).chmod(0o755)
        (tmp_path / "data" / "troth.db").chmod(0o644)
        os.umask(0o022)
        with opened(house_settings(tmp_path)):
            assert _open_to_others(tmp_path / "data", tmp_path / "keys") == []
    finally:
        os.umask(before)
