"""Folders as an object store: write-once, compare-and-swap, durable, private."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from troth.kernel.errors import Conflict, IntegrityError, NotFound, Unavailable
from troth.storage.blobs import LocalBlobs


@pytest.fixture
def blobs(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path / "store")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_name_is_written_once(blobs: LocalBlobs) -> None:
    blobs.create("a/b", b"one")
    with pytest.raises(Conflict):
        blobs.create("a/b", b"two")
    assert blobs.get("a/b") == b"one"


def test_of_eight_writers_one_wins(blobs: LocalBlobs) -> None:
    won: list[int] = []

    def write(number: int) -> None:
        try:
            blobs.create("race", str(number).encode())
        except Conflict:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert blobs.get("race") == str(won[0]).encode()


def test_swap_needs_the_present_digest(blobs: LocalBlobs) -> None:
    blobs.swap("head", b"1", None)
    blobs.swap("head", b"2", _digest(b"1"))
    with pytest.raises(Conflict):
        blobs.swap("head", b"3", _digest(b"1"))
    with pytest.raises(Conflict):
        blobs.swap("head", b"3", None)
    assert blobs.get("head") == b"2"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", "", "a/../b", "a b", ".hidden", "x" * 513])
def test_names_cannot_leave_the_folder(blobs: LocalBlobs, name: str) -> None:
    with pytest.raises(IntegrityError):
        blobs.create(name, b"")


def test_files_are_private_and_nothing_temporary_stays(blobs: LocalBlobs, tmp_path: Path) -> None:
    blobs.create("a/b", b"one")
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["b"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_what_a_crash_left_is_swept_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    folder = tmp_path / "store" / "a"
    folder.mkdir(parents=True)
    for name in (".new-dead", ".new-young"):
        (folder / name).write_bytes(b"half")
    os.utime(folder / ".new-dead", (0, 0))
    assert list(LocalBlobs(tmp_path / "store").names()) == []
    assert [path.name for path in folder.iterdir()] == [".new-young"]


def test_many_at_once_leave_what_exists(blobs: LocalBlobs, tmp_path: Path) -> None:
    blobs.create("b/1", b"first")
    assert blobs.create_all((f"b/{at}", b"second") for at in range(600)) == 599
    assert (blobs.get("b/1"), blobs.get("b/599")) == (b"first", b"second")
    assert not list((tmp_path / "store").rglob(".new-*"))
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "store" / "b").iterdir()} == {0o600}


def test_missing_names_and_second_deletes(blobs: LocalBlobs) -> None:
    with pytest.raises(NotFound):
        blobs.get("none")
    blobs.create("x", b"1")
    assert (blobs.delete("x"), blobs.delete("x")) == (True, False)


def test_many_deletes_sync_each_folder_once(blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"{folder}/{at}" for folder in "abc" for at in range(20)]
    blobs.create_all((name, b"1") for name in names)
    synced: list[Path] = []
    monkeypatch.setattr("troth.storage.blobs.sync_folder", synced.append)
    assert blobs.delete_all([*names[:-20], "d/none"]) == 40
    # Another house of this process may write in its own store meanwhile.
    assert sorted(folder.name for folder in synced if folder.is_relative_to(tmp_path)) == ["a", "b"]


def test_a_disk_that_does_not_delete_is_told(blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path) -> None:
        raise OSError(30, "Read-only file system")

    blobs.create("a/1", b"1")
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(Unavailable):
        blobs.delete_all(["a/1", "b/1"])


def test_names_are_listed_by_prefix(blobs: LocalBlobs) -> None:
    for name in ("k/2", "k/1", "m/1"):
        blobs.create(name, b"")
    assert list(blobs.names("k/")) == ["k/1", "k/2"]


@pytest.mark.parametrize("lacking", ["open", "link"])
def test_where_files_without_a_name_are_unknown(
    blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    real = getattr(os, lacking)

    def refuse(first: Any, second: Any, *rest: Any, **named: Any) -> Any:
        if lacking == "open" and second & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "no such files here")
        if lacking == "link" and "src_dir_fd" in named:
            raise OSError(errno.ENOENT, "no /proc here")
        return real(first, second, *rest, **named)

    monkeypatch.setattr(f"troth.storage.blobs.os.{lacking}", refuse)
    blobs.create("k/1", b"one")
    with pytest.raises(Conflict):
        blobs.create("k/1", b"two")
    assert blobs.get("k/1") == b"one"
    assert [path.name for path in (tmp_path / "store").rglob("*") if path.is_file()] == ["1"]


def test_a_full_disk_keeps_nothing(blobs: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("troth.storage.blobs.os.fsync", full)
    with pytest.raises(Unavailable):
        blobs.create("x", b"1")
    assert not any(path.is_file() for path in (tmp_path / "store").rglob("*"))
