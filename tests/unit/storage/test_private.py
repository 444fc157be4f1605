"""Private folders: for their user alone, whatever was there before."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from troth.kernel.errors import Unavailable
from troth.storage.private import only_ours, private_folder


@pytest.fixture(autouse=True)
def lax() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_fresh_folder_is_private(tmp_path: Path) -> None:
    private_folder(tmp_path / "a" / "b")
    assert _mode(tmp_path / "a" / "b") == 0o700


def test_an_existing_folder_and_its_files_are_tightened(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "old", tmp_path / "elsewhere"
    folder.mkdir(mode=0o755)
    (folder / "troth.db").write_bytes(b"")
    elsewhere.write_bytes(b"")
    (folder / "link").symlink_to(elsewhere)
    assert _mode(folder / "troth.db") == _mode(elsewhere) == 0o644
    private_folder(folder)
    assert (_mode(folder), _mode(folder / "troth.db"), _mode(elsewhere)) == (0o700, 0o600, 0o644)


def test_what_is_created_later_is_private(tmp_path: Path) -> None:
    only_ours()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    assert (_mode(tmp_path / "file"), _mode(tmp_path / "folder")) == (0o600, 0o700)


def test_what_cannot_be_private_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable) as refusal:
        private_folder(tmp_path / "file" / "folder")
    assert refusal.value.code == "folder-not-private"
