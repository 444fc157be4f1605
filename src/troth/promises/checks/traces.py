"""Promises about what a deletion leaves on the medium: rows of an account, bytes in database files, root keys."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from troth.keys.roots.local import MARK
from troth.keys.roots.port import Root
from troth.promises.account import account, changed, chunks, rows_of
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe
from troth.promises.system import System
from troth.settings.key_domains import LocalDomain, roots_folder

_SUFFIX = ".root"
_RANDOM = 16  # bytes of a value that cannot be there by chance
_SECONDS, _PAUSE = 1.0, 0.05  # another erasure has two roots for a moment


def _wiped(system: System, forget: Callable[[Probe], object]) -> Facts:
    """An account with a row in every table of people: no row, and none of their bytes in the database's files."""
    with probe(system) as around:
        someone = account(system, around.tenant)
        try:
            before = rows_of(system, someone.person.subject)
            needles = {value for rows in before.values() for row in rows for value in row.values() if _unique(value)}
            outcomes = [bool(rows) for rows in before.values()]  # a table that nothing was put into proves nothing
            forget(someone.person)
            outcomes += [not rows for rows in rows_of(system, someone.person.subject).values()]
            outcomes += [not _on_disk(system, needles), _overwrites(system)]
        finally:
            someone.person.erase()
    return counted([*outcomes, bool(needles)])


def _unique(value: Any) -> bool:
    return isinstance(value, bytes) and len(value) >= _RANDOM


def _on_disk(system: System, needles: set[Any]) -> bool:
    files = [path for path in changed([system.base.settings.data.folder], 0.0, 0) if path.name.startswith("troth.db")]
    return any(needle in content for path in files for content in chunks(path) for needle in needles)


def _overwrites(system: System) -> bool:
    """True when SQLite overwrites what it deletes, on reading and writing connections; a server has its own rules."""
    database = system.base.database
    if database.dialect != "sqlite":
        return True
    with database.read() as reading, database.write() as writing:
        return all(one.exec_driver_sql("PRAGMA secure_delete").scalar() == 1 for one in (reading, writing))


def _eventually(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + _SECONDS
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
    return True


def _root_alone(system: System, forget: Callable[[Probe], object]) -> Facts:
    """After an erasure each key domain holds the one new root and nothing else, in a folder under whatever name."""
    outcomes = []
    with probe(system) as person:
        person.keep()
        lists = [(look, look()) for look in _lists(system)]
        forget(person)
        for look, before in lists:
            outcomes += [bool(before), _eventually(lambda look=look, before=before: _one_new(look(), before))]  # type: ignore[misc]
    return counted(outcomes)


def _one_new(now: set[str], before: set[str]) -> bool:
    return len(now) == 1 and not now & before and all(name.endswith(_SUFFIX) for name in now)


def _lists(system: System) -> list[Callable[[], set[str]]]:
    """A way to list each domain: the names of all files of a folder, of the roots that another provider has."""
    settings = system.base.settings
    folders = [roots_folder(one, settings.data) for one in settings.keys.domains if isinstance(one, LocalDomain)]
    looks: list[Callable[[], set[str]]] = [partial(_names, folder) for folder in folders]
    return looks + [partial(_present, one.root) for one in system.base.domains if one.root.kind != "local"]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {MARK}


def _present(root: Root) -> set[str]:
    return {f"{name}{_SUFFIX}" for name in root.present()}


def _rows_only(person: Probe) -> None:
    """The known-bad deletion: it hides the account and destroys nothing."""
    for info in person.system.vault.objects.list(person.tenant, person.subject):
        person.system.base.objects.delete(person.row(info.id)["blob"])


CHECKS = (
    Check(
        "dropped-rows-overwritten",
        ("DEL-02",),
        "A synthetic account has a row in every table that refers to people and is erased: no such row may stay, and "
        "no value of theirs in the database's file or journal. A database server's own files, and what a disk keeps "
        "of overwritten blocks, are not looked at.",
        lambda system: _wiped(system, Probe.erase),
        lambda system: _wiped(system, _rows_only),
        every=6 * 3600,
        scope="rows and database files of one synthetic account",
        population="tables before and after, and files searched",
    ),
    Check(
        "one-root-left",
        ("DEL-02", "DEL-03"),
        "After a synthetic erasure each key domain is listed: the one new root must be there and nothing else, in a "
        "folder under whatever name. Copies elsewhere are not covered: files (A0), snapshots of a key service (A1).",
        lambda system: _root_alone(system, Probe.erase),
        lambda system: _root_alone(system, _rows_only),
        every=6 * 3600,
        scope="each key domain, after one synthetic erasure",
        population="key domains, listed before and after",
    ),
)
