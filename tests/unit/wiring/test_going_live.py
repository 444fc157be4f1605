"""Going live, cut off after every step: database and folder are of one restore once it went on, and never before."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from database_world import DATABASES, SERVER, administrator
from troth.backup import switching
from troth.kernel.errors import IntegrityError, Unavailable
from troth.settings.sections import Data
from troth.storage.databases import Databases, renamed, role
from troth.wiring import going_live
from troth.wiring.backup import half_live

_STEPS: list[tuple[Any, str]] = [
    (os, "open"),
    (os, "fsync"),
    (Path, "rename"),
    (Path, "replace"),
    (Path, "unlink"),
    (switching, "_exchange"),
    (Databases, "swap"),
]


class _Cut(BaseException):
    """The process is gone."""


class _Cutting:
    """Counts steps of this thread, and stops after the last one that is allowed.

    A house of another test may still be up in this process, and its own threads work on files too.
    """

    def __init__(self, patched: pytest.MonkeyPatch, allowed: int) -> None:
        self.done, self._allowed, self._thread = 0, allowed, threading.get_ident()
        for where, name in _STEPS:
            patched.setattr(where, name, self._counted(getattr(where, name)))

    def _counted(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **named: Any) -> Any:
            result = real(*args, **named)
            if threading.get_ident() != self._thread:
                return result
            self.done += 1
            if self.done > self._allowed:
                raise _Cut
            return result

        return step


class _Bench:
    """Folders and databases before a swap, each with what tells it from the other."""

    def __init__(self, folder: Path, kind: str, *, was_there: bool) -> None:
        folder.mkdir()
        self.data = Data(folder=folder / "data", keys=folder / "keys")
        names = [f"g_{os.getpid()}_{one}" for one in ("new", "live", "old")]
        self.names = names if kind == "postgresql" else ["", "", ""]
        meant, aside = folder / "data.restored-1", folder / "data.before-1"
        self.meant = going_live._Meant(str(meant), str(aside), *self.names)
        self.databases = Databases(SERVER) if kind == "postgresql" and SERVER else None
        for path, what in ((meant, "restored"), (self.data.folder, "old"))[: 1 + was_there]:
            path.mkdir()
            (path / "which").write_text(what)
        for name in names[: 1 + was_there]:
            if self.databases is not None and not self.databases.there(name):  # the round before gave them back
                self.databases.create(name, role(SERVER or ""))
        self.fresh = self._oid(self.names[0])

    def swap(self) -> None:
        going_live._swap(self.data, self.databases, self.meant)

    def finish(self) -> None:
        going_live._finish_half(self.data, self.databases)

    def live(self) -> tuple[bool, bool]:
        """Whether folder, and whether database, are the restored ones."""
        folder = (self.data.folder / "which").read_text() == "restored"
        return folder, folder if self.databases is None else self._oid(self.names[1]) == self.fresh

    def require_done(self) -> None:
        assert self.live() == (True, True)
        assert not half_live(self.data).exists()
        assert not Path(self.meant.folder).exists()

    def _oid(self, name: str) -> object:
        if self.databases is None:
            return None
        with administrator() as connection:
            return connection.scalar(text("SELECT oid FROM pg_database WHERE datname = :n"), {"n": name})

    def clear(self) -> None:
        if self.databases is not None:
            for name in self.names:
                self.databases.drop(name)

    def __enter__(self) -> _Bench:
        return self

    def __exit__(self, *_: object) -> None:
        """The names as they were: making a database takes a second."""
        fresh, live, aside = self.names
        if self.databases is not None and not self.databases.there(fresh):
            self.databases.swap(live, fresh, "")
            self.databases.swap(aside, live, "")


@pytest.mark.parametrize("was_there", [True, False], ids=["replaces", "anew"])
@pytest.mark.parametrize("kind", DATABASES)
def test_cut_off_after_any_step_database_and_folder_are_of_one_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, *, was_there: bool
) -> None:
    for allowed in range(60):
        with _Bench(tmp_path / f"s{allowed}", kind, was_there=was_there) as bench:
            try:
                with monkeypatch.context() as patched:
                    _Cutting(patched, allowed)
                    bench.swap()
            except _Cut:
                noted = half_live(bench.data).exists()
                if not noted and bench.data.folder.exists():
                    assert len(set(bench.live())) == 1, "a server may start here"
                bench.finish()
                if noted:
                    bench.require_done()
                if bench.data.folder.exists():
                    assert len(set(bench.live())) == 1
                continue
            bench.require_done()
            assert Path(bench.meant.folder_aside).exists() is was_there
            break
    else:
        raise AssertionError("it never ends")
    bench.clear()


def test_the_mark_of_an_earlier_restore_is_not_this_one(tmp_path: Path) -> None:
    """What went live once may still have its mark when it is replaced: exchanged twice, it would come back."""
    with _Bench(tmp_path / "s", "sqlite", was_there=True) as bench:
        restored, live, aside = Path(bench.meant.folder), bench.data.folder, Path(bench.meant.folder_aside)
        (live / ".restored").write_text("data.restored-0")
        switching.mark(restored)
        switching._exchange(restored, live)
        switching.switch(restored, live, aside)
        assert bench.live() == (True, True)
        assert (aside / "which").read_text() == "old"


def test_without_a_mark_nothing_is_moved(tmp_path: Path) -> None:
    with _Bench(tmp_path / "s", "sqlite", was_there=True) as bench:
        with pytest.raises(Unavailable) as refused:
            switching.switch(Path(bench.meant.folder), bench.data.folder, Path(bench.meant.folder_aside))
        assert refused.value.code == "not-marked"
        assert bench.live() == (False, False)


@pytest.mark.parametrize("note", [b"", b'{"folder": "/x", ', b"\xff", b"[]", b"7", b'{"folder": 7}', b'{"other": "x"}'])
def test_a_note_that_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path, note: bytes) -> None:
    with _Bench(tmp_path / "s", "sqlite", was_there=True) as bench:
        half_live(bench.data).write_bytes(note)
        with pytest.raises(IntegrityError) as refused:
            bench.finish()
        assert refused.value.code == "half-live-unreadable"
        assert bench.live() == (False, False)


@pytest.mark.parametrize("kind", DATABASES)
def test_what_a_killed_restore_left_is_named(tmp_path: Path, kind: str) -> None:
    data = Data(folder=tmp_path / "data", keys=tmp_path / "keys")
    for name in ("data", "data.restored-1", "data.restored-2.part", "data.before-1", "other.restored-1"):
        (tmp_path / name).mkdir()
    left, databases = ["data.restored-1", "data.restored-2.part"], None
    if kind == "postgresql" and SERVER:
        databases, live = Databases(SERVER), f"k_{os.getpid()}"
        data = data.model_copy(update={"database_url": renamed(SERVER, live)})
        databases.create(f"{live}_restored_1", role(SERVER))
        left.append(f"{live}_restored_1")
    assert list(going_live._left(data, databases)) == left
    if databases is not None:
        databases.drop(left[-1])
