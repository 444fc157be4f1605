"""Secret files: made once, private, destroyed with their content."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from troth.kernel.errors import IntegrityError, NotFound, Unavailable
from troth.keys import keyfile

KEY = bytes(range(32))


def test_a_file_is_made_once_and_private(tmp_path: Path) -> None:
    folder = keyfile.private_folder(tmp_path / "a" / "keys")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert keyfile.create(folder / "one", KEY)
    assert not keyfile.create(folder / "one", bytes(32))
    assert keyfile.read(folder / "one") == KEY
    assert (folder / "one").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["one"]


def test_what_others_may_read_is_refused(tmp_path: Path) -> None:
    folder = keyfile.private_folder(tmp_path / "keys")
    keyfile.create(folder / "one", KEY)
    (folder / "one").chmod(0o640)
    with pytest.raises(Unavailable) as refusal:
        keyfile.read(folder / "one")
    assert refusal.value.code == "key-file-open"
    folder.chmod(0o750)
    with pytest.raises(Unavailable) as refusal:
        keyfile.private_folder(folder)
    assert refusal.value.code == "key-folder-open"


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_file_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    keyfile.create(tmp_path / "one", bytes(size))
    with pytest.raises(IntegrityError):
        keyfile.read(tmp_path / "one")


def test_a_missing_file_and_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        keyfile.read(tmp_path / "none")
    with pytest.raises(Unavailable):
        keyfile.read(tmp_path)
    with pytest.raises(Unavailable):
        keyfile.create(tmp_path / "no" / "folder", KEY)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Unavailable):
        keyfile.private_folder(tmp_path / "file" / "below")


def test_destroying_overwrites_the_bytes_on_disk(tmp_path: Path) -> None:
    keyfile.create(tmp_path / "one", KEY)
    os.link(tmp_path / "one", tmp_path / "same-blocks")
    keyfile.destroy(tmp_path / "one")
    keyfile.destroy(tmp_path / "one")
    assert not (tmp_path / "one").exists()
    assert (tmp_path / "same-blocks").read_bytes() != KEY
    with pytest.raises(Unavailable) as refusal:
        keyfile.destroy(tmp_path)
    assert refusal.value.code == "key-not-destroyed"


def test_the_sweep_takes_leftovers_but_never_a_second_name_of_a_key_in_use(tmp_path: Path) -> None:
    keyfile.create(tmp_path / "one", KEY)
    os.link(tmp_path / "one", tmp_path / ".new-after-link")  # killed between link and unlink
    (tmp_path / ".new-before-link").write_bytes(KEY)
    keyfile.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert keyfile.read(tmp_path / "one") == KEY
