"""What a deletion leaves on the medium: rows, bytes in database files, copies of root keys."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Column, ForeignKey, String, Table

from promise_world import named, shown
from troth.identity.holder import IdentityHolder
from troth.identity.store import users
from troth.kernel.personal import Forgotten
from troth.keys import keyfile
from troth.promises.check import Check, Result
from troth.promises.checks import traces
from troth.promises.status import Run
from troth.promises.system import System
from troth.settings.load import load
from troth.storage import database as storage
from troth.storage.database import metadata
from troth.vault.erasure_steps import Steps
from troth.wiring import opened

ROWS, ROOT = named(traces.CHECKS, "dropped-rows-overwritten"), named(traces.CHECKS, "one-root-left")


@pytest.mark.parametrize("check", traces.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_copy_of_a_destroyed_root_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    destroy = keyfile.destroy

    def careless(path: Path) -> None:
        if path.exists():
            shutil.copy(path, f"{path}.bak")
        destroy(path)

    monkeypatch.setattr(keyfile, "destroy", careless)
    try:
        assert shown(ROOT, system) is Result.FAIL
    finally:
        for copy in (system.base.settings.data.keys / "roots").glob("*.bak"):
            copy.unlink()


@pytest.mark.parametrize("by_pragma", [True, False])
def test_rows_that_are_only_unlinked_are_seen(by_pragma: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lax = tuple(one.replace("secure_delete=ON", "secure_delete=OFF") for one in storage._SQLITE_PRAGMAS)
    monkeypatch.setattr(storage, "_SQLITE_PRAGMAS", lax)
    if not by_pragma:  # the bytes alone must tell
        monkeypatch.setattr(traces, "_overwrites", lambda _system: True)
    with opened(load(data={"folder": tmp_path / "data", "keys": tmp_path / "keys"})) as troth:
        assert shown(ROWS, troth.system) is Result.FAIL


def test_an_erasure_that_leaves_the_journal_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Steps, "_empty_journal", lambda _self, _erasure: {"journal": "emptied"})
    assert shown(ROWS, system) is Result.FAIL


@pytest.mark.parametrize(
    "row",
    [
        "INSERT INTO totp (user, last_step) VALUES (?, 0)",
        "INSERT INTO recovery_codes (user, digest) VALUES (?, randomblob(32))",
        "INSERT INTO known_devices (user, digest, expires_at) VALUES (?, randomblob(32), 0)",
    ],
)
def test_a_row_that_stays_is_seen(row: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    forget, file = IdentityHolder.forget, system.base.settings.data.folder / "troth.db"

    def forgetful(self: IdentityHolder, tenant: str, subject: str) -> Forgotten:
        done = forget(self, tenant, subject)
        beside = sqlite3.connect(file, timeout=10)
        with beside:
            beside.execute(row, (subject,))
        beside.close()
        return done

    monkeypatch.setattr(IdentityHolder, "forget", forgetful)
    assert shown(ROWS, system) is Result.FAIL


def test_a_new_table_of_people_must_be_planted(system: System) -> None:
    table = Table(
        "probe_badges",
        metadata,
        Column("id", String(64), primary_key=True),
        Column("holder", String(64), ForeignKey(users.c.id)),
    )
    try:
        table.create(system.base.database.engine)
        assert shown(ROWS, system) is Result.FAIL
    finally:
        table.drop(system.base.database.engine)
        metadata.remove(table)
