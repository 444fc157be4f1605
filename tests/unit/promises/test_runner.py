"""A run is kept in a chain, signed, together with its audit entry; a look that raises or hangs is an error."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from check_world import CheckWorld, bad, check, good
from database_world import opened
from troth.kernel.errors import Unavailable
from troth.kernel.record import Entry
from troth.promises import store
from troth.promises.check import Facts, Result
from troth.promises.runs import statement
from troth.promises.status import State
from troth.storage.outbox import Outbox, pending
from troth.vault.dsse import IN_TOTO, envelope, verify_envelope


def _raises(_system: object) -> Facts:
    raise OSError("jane@example.com")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CheckWorld]:
    with opened("sqlite", tmp_path) as database:
        yield CheckWorld(database, tmp_path)


def _leaves(world: CheckWorld) -> list[bytes]:
    with world.database.read() as connection:
        return [bytes(leaf) for _, _, leaf in pending(connection, 100)]


def test_a_run_gives_the_promise_a_state_and_the_log_an_entry(world: CheckWorld) -> None:
    world.runner.run_all()
    states = {promise.id: standing.state for promise, standing in world.runner.table()}
    assert states["CRY-01"] is State.KEPT
    assert {state for name, state in states.items() if name != "CRY-01"} == {State.UNKNOWN}
    assert b'"checks":"one"' in _leaves(world)[-1]


def test_the_same_holds_once_the_entry_has_its_place(world: CheckWorld) -> None:
    world.runner.run_all()
    world.place()
    assert world.state() is State.KEPT
    assert world.another().state() is State.KEPT


def test_runs_hang_on_one_another_and_each_is_signed(world: CheckWorld) -> None:
    first, second = world.runner.run_all() + world.runner.run_all()
    assert (first.sequence, second.sequence, second.previous) == (1, 2, first.link)
    with world.database.read() as connection:
        kept = store.between(connection, 0, world.now)
    assert [one.run for one in kept] == [first, second]
    told = envelope(statement(second), IN_TOTO, kept[1].signed.signer, kept[1].signed.signature)
    verify_envelope(told, IN_TOTO, {world.key.name: world.key.public_key})
    assert f'"link":"{second.link}"'.encode() in _leaves(world)[-1]


def test_a_look_that_raises_is_an_error_and_never_a_pass(world: CheckWorld) -> None:
    run = world.another([check(observe=_raises)]).runner.run_all()[0]
    assert run.result is Result.ERROR


def test_a_look_that_hangs_is_an_error_and_the_others_go_on(world: CheckWorld) -> None:
    free = threading.Event()

    def hangs(_system: object) -> Facts:
        free.wait(30)
        return good(_system)

    other = world.another([check("slow", observe=hangs), check("other", ("CRY-02",))], seconds=0.05)
    first, second = other.runner.run_all()
    again = other.runner.run(other.checks[0])
    free.set()
    assert (first.result, again.result, second.result) == (Result.ERROR, Result.ERROR, Result.PASS)
    assert other.faults.faults == ["Unavailable", "Unavailable"]


def test_a_control_that_passes_takes_the_green_away(world: CheckWorld) -> None:
    other = world.another([check(sabotage=good)])
    other.runner.run_all()
    assert {standing.state for _, standing in other.runner.table()} == {State.UNKNOWN}


def test_a_run_without_a_record_is_not_kept(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_outbox: Outbox, _connection: object, entry: Entry) -> None:
        raise Unavailable("no record", code="no-record")

    world.schedules.ensure()
    monkeypatch.setattr(Outbox, "record_within", full)
    with pytest.raises(Unavailable, match="no record"):
        world.runner.run_all()
    with world.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(store.check_run)) == 0
    assert {standing.state for _, standing in world.runner.table()} == {State.UNKNOWN}


def test_a_clock_that_goes_back_shows_nothing_until_it_is_right_again(world: CheckWorld) -> None:
    world.runner.run_all()
    world.clock.forward(minutes=-5)
    late = world.runner.run_all()[0]
    assert (late.result, late.clock) == (Result.ERROR, "back")
    world.clock.forward(minutes=6)
    assert world.state() is State.UNKNOWN
    assert world.runner.run_all()[0].clock == ""
    assert world.state() is State.KEPT


def test_a_chain_whose_rows_were_lost_goes_on_where_the_log_left_it(world: CheckWorld) -> None:
    last = [world.runner.run_all()[0] for _ in range(3)][-1]
    world.place()
    with world.database.write() as connection:
        connection.execute(store.check_run.delete())
        connection.execute(store.check_head.delete())
    run = world.another().runner.run_all()[0]
    assert (run.sequence, run.previous) == (4, last.link)


def test_a_check_of_an_unknown_promise_stops_the_start(world: CheckWorld) -> None:
    with pytest.raises(ValueError, match="CRY-99"):
        world.another([check(promises=("CRY-99",))])


def test_what_a_run_looked_at_is_kept_with_it(world: CheckWorld) -> None:
    def counts(_system: object) -> Facts:
        return replace(bad(_system), details={"rows": 7})

    run = world.another([check(observe=counts)]).runner.run_all()[0]
    assert (run.result, run.details, run.schedule) == (Result.FAIL, {"rows": 7}, 1)
