"""Temporary files, core files and dead uploads."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import scratch
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import keeping
from troth.vault.store import orphans

CHECK = named(scratch.CHECKS, "no-clear-scratch")


def test_nothing_lies_about_in_clear(run_once: Callable[[Check], Run]) -> None:
    run = run_once(CHECK)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


def test_a_vault_that_spools_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    real = keeping.framing.seal
    with tempfile.TemporaryFile() as spool:

        def spooling(*arguments: object) -> bytes:
            spool.write(arguments[2])  # type: ignore[arg-type]
            spool.flush()
            return real(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(keeping.framing, "seal", spooling)
        assert shown(CHECK, system) is Result.FAIL


def test_core_files_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1 << 30, 1 << 30))
    assert shown(CHECK, system) is Result.FAIL


def test_an_upload_that_died_long_ago_is_seen(system: System) -> None:
    with system.base.database.write() as connection:
        connection.execute(orphans.insert(), {"blob": "objects/xx/obj_old", "seen_at": 1})
    assert shown(CHECK, system) is Result.FAIL
    with system.base.database.write() as connection:
        connection.execute(orphans.delete())
    assert shown(CHECK, system) is Result.PASS
