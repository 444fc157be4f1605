"""A run is kept together with its audit entry; a look that raises is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.promises.check import Check, Facts, Result, counted
from troth.promises.runner import Runner
from troth.promises.status import State
from troth.storage.database import Database
from worlds import FaultList, ListRecorder, MovableClock, sqlite


def _good(_system: object) -> Facts:
    return counted([True, True])


def _bad(_system: object) -> Facts:
    return counted([True, False])


def _raises(_system: object) -> Facts:
    raise OSError("jane@example.com")


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return sqlite(tmp_path)


def _runner(database: Database, check: Check, recorder: ListRecorder | None = None) -> Runner:
    return Runner(
        [check],
        object,
        database=database,
        recorder=recorder or ListRecorder(),
        clock=MovableClock(),
        faults=FaultList(),
    )


def test_a_run_gives_the_promise_a_state_and_the_log_an_entry(database: Database) -> None:
    recorder = ListRecorder()
    runner = _runner(database, Check("one", ("CRY-01",), "x", _good, _bad), recorder)
    runner.run_all()
    states = {promise.id: standing.state for promise, standing in runner.table()}
    assert states["CRY-01"] is State.KEPT
    assert {state for name, state in states.items() if name != "CRY-01"} == {State.UNKNOWN}
    assert recorder.entries[0].facts["checks"] == "one"


def test_a_look_that_raises_is_an_error_and_never_a_pass(database: Database) -> None:
    run = _runner(database, Check("one", ("CRY-01",), "x", _raises, _bad)).run_all()[0]
    assert run.result is Result.ERROR


def test_a_control_that_passes_takes_the_green_away(database: Database) -> None:
    runner = _runner(database, Check("one", ("CRY-01",), "x", _good, _good))
    runner.run_all()
    assert {standing.state for _, standing in runner.table()} == {State.UNKNOWN}


def test_a_run_without_a_record_is_not_kept(database: Database) -> None:
    recorder = ListRecorder(broken=True)
    runner = _runner(database, Check("one", ("CRY-01",), "x", _good, _bad), recorder)
    with pytest.raises(Exception, match="no record"):
        runner.run_all()
    assert {standing.state for _, standing in runner.table()} == {State.UNKNOWN}


def test_a_check_of_an_unknown_promise_stops_the_start(database: Database) -> None:
    with pytest.raises(ValueError, match="CRY-99"):
        _runner(database, Check("one", ("CRY-99",), "x", _good, _bad))
