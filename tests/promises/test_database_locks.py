"""No self-check opens the living database's files: closing one would drop the locks that keep others out of it."""

from __future__ import annotations

import os
from pathlib import Path

from promise_world import named
from troth.promises.account import chunks
from troth.promises.checks import logs, sealing
from troth.promises.system import System


def held(folder: Path) -> set[tuple[str, str]]:
    """(inode, kind) of the locks that this process holds on files of the folder, as Linux tells them."""
    inodes = {str(path.stat().st_ino): path.name for path in folder.glob("*.db*")}
    found = set()
    for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        _, _, _, kind, pid, place, *_ = line.split()
        if pid == str(os.getpid()) and (name := inodes.get(place.rpartition(":")[2])):
            found.add((name, kind))
    return found


def test_the_checks_leave_the_locks_of_the_database(system: System) -> None:
    folder = system.base.settings.data.folder
    with system.base.database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM tenants")
        before = held(folder)
        assert before, "a reader holds a lock"
        for check in (named(sealing.CHECKS, "sealed-at-rest"), *logs.CHECKS):
            check.observe(system)
            assert before <= held(folder)


def test_a_file_of_the_database_is_read_all_the_same(tmp_path: Path) -> None:
    for name in ("plain.txt", "some.db", "some.db-wal"):
        (tmp_path / name).write_bytes(b"needle" * 300_000)
        assert b"".join(chunks(tmp_path / name)).startswith(b"needle" * 1000)
    assert list(chunks(tmp_path / "none.db")) == []
