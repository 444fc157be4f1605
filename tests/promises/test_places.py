"""Places: what is declared, what is refused, and what lies about."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import places
from troth.promises.probe import probe
from troth.promises.status import Run
from troth.promises.system import System

_LONG_AGO = 3 * 3600


def test_nothing_lies_about(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(places.CHECKS, "orphan-scan"))
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


@pytest.mark.parametrize(
    "name",
    ["export.zip", "troth.db.old", "objects/export.zip", "key-pages/kt.txt", "log/tail/1"],
    ids=lambda name: name,
)
def test_a_file_that_belongs_to_nothing_is_seen(name: str, system: System) -> None:
    """A copy of the database is none of its files, nor is what lies beside the names that a store has."""
    stray = system.base.settings.data.folder / name
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"left behind")
    os.utime(stray, (time.time() - _LONG_AGO, time.time() - _LONG_AGO))
    try:
        assert shown(named(places.CHECKS, "orphan-scan"), system) is Result.FAIL
    finally:
        stray.unlink()


def test_a_fresh_upload_is_no_orphan(system: System) -> None:
    name = "objects/aa/obj_fresh"
    system.base.objects.create(name, b"its row comes in a moment")
    try:
        assert shown(named(places.CHECKS, "orphan-scan"), system) is Result.PASS
    finally:
        system.base.objects.delete(name)


def test_a_region_outside_is_seen(run_once: Callable[[Check], Run]) -> None:
    assert run_once(named(places.CHECKS, "allowed-places")).control is Result.FAIL


def test_data_of_another_jurisdiction_is_refused(run_once: Callable[[Check], Run]) -> None:
    assert run_once(named(places.CHECKS, "allowed-places")).result is Result.PASS


def test_an_object_without_a_header_is_counted_and_not_passed_over(system: System) -> None:
    """What says nothing of its jurisdiction is in none that is allowed."""
    with probe(system) as person:
        kept = person.keep()
        path = system.base.settings.data.folder / "objects" / person.row(kept.id)["blob"]
        sealed = path.read_bytes()
        path.write_bytes(b"not TOB1")
        try:
            assert shown(named(places.CHECKS, "allowed-places"), system) is Result.FAIL
        finally:
            path.write_bytes(sealed)
