"""Folders are synced, or the caller hears that they are not."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from troth.kernel.errors import Unavailable
from troth.storage.durable import sync_folder, write_file


def test_the_folder_itself_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    sync_folder(tmp_path)
    assert synced == [tmp_path.stat().st_ino]


def test_what_was_not_synced_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    for place in ("none", "file"):
        with pytest.raises(Unavailable) as refusal:
            sync_folder(tmp_path / place)
        assert refusal.value.code == "folder-not-synced"

    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "the disk")

    before = len([*Path("/proc/self/fd").iterdir()])
    with monkeypatch.context() as patched, pytest.raises(Unavailable):
        patched.setattr(os, "fsync", fail)
        sync_folder(tmp_path)
    assert len([*Path("/proc/self/fd").iterdir()]) == before, "no descriptor stays open"


@pytest.mark.parametrize("call", ["open", "fsync"])
def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    path, real = tmp_path / "note", getattr(os, call)
    write_file(path, b"before")

    def cut(*args: object) -> None:
        real(*args)
        raise OSError(errno.EIO, "the disk")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, cut)
        with pytest.raises(Unavailable) as refusal:
            write_file(path, b"after")
    assert refusal.value.code == "file-not-written"
    assert path.read_bytes() == b"before"
    write_file(path, b"after")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"after", 0o600)
