"""Planted false greens: each is read back through `promise.list`, and none of them may come out green.

The world begins with a check that passed, or with one that found something broken; then somebody, or some accident,
makes it look well. `tests/promises/test_checks.py` looks at the real checks; here it is the machinery around them.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import insert, select

from check_world import ONE, CheckWorld, bad, check, good
from database_world import opened
from log_world import TestKey
from troth.kernel.record import Entry, Outcome
from troth.promises import code, store
from troth.promises.check import Facts, Result, counted
from troth.promises.operations import Nothing, PromiseOperations
from troth.promises.runs import Run, statement
from troth.promises.schedule import digest_of, text_of
from troth.promises.status import Period, State, status
from troth.promises.waiving import Waiver
from troth.storage.outbox import outbox, row
from troth.vault.dsse import IN_TOTO, signature_over

Plant: TypeAlias = Callable[[CheckWorld, pytest.MonkeyPatch], CheckWorld | None]
PLANTS: dict[str, Plant] = {}
DAY = 86_400_000


def plant(name: str) -> Callable[[Plant], Plant]:
    def planted(work: Plant) -> Plant:
        PLANTS[name] = work
        return work

    return planted


@pytest.fixture
def world(tmp_path: Path) -> Iterator[CheckWorld]:
    with opened("sqlite", tmp_path) as database:
        yield CheckWorld(database, tmp_path)


def shown(world: CheckWorld, promise: str = ONE) -> str:
    """The state of a promise as a stranger gets it."""
    table = PromiseOperations(world.runner).list(None, Nothing())  # type: ignore[arg-type]
    return next(one.state for one in table.data if one.id == promise)


def looked(world: CheckWorld, observe: Callable[[Any], Facts], **members: Any) -> CheckWorld:
    """The same check from the first day on, with another look, after its first round."""
    other = world.another([check(observe=observe, **members)])
    other.scheduler.tick()
    return other


def change(world: CheckWorld, table: Any, **values: Any) -> None:
    with world.database.write() as connection:
        connection.execute(table.update().values(**values))


def newest(world: CheckWorld) -> Run:
    with world.database.read() as connection:
        return store.latest(connection)[0].run


def broken(world: CheckWorld) -> CheckWorld:
    """A world whose newest run found something broken, and the log has it."""
    other = looked(world, bad)
    assert shown(other) == "not kept"
    other.place()
    return other


def forge(world: CheckWorld, run: Run, key: TestKey, *, entry: bool = True) -> None:
    """Put a run behind the newest one, as somebody could who writes into the database but has no key of ours."""
    signed = store.Signed(world.key.name, signature_over(statement(run), IN_TOTO, key))
    with world.database.write() as connection:
        store.add(connection, run, signed, store.head(connection, run.check))
        if entry:
            facts = {"checks": run.check, "sequence": run.sequence, "link": run.link, "version": run.schedule}
            told = Entry("operator", "check.run", "event", Outcome.DONE, run.request, "svc_promises", None, run.at,
                         code="pass", facts=dict(facts))  # fmt: skip
            connection.execute(insert(outbox), row(told))


def following(run: Run) -> Run:
    """A passing run that hangs on another."""
    return replace(
        run, sequence=run.sequence + 1, previous=run.link, slot=None, result=Result.PASS, request="run_forged"
    )


@plant("the scanner is away")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, lambda _system: counted([bool(subprocess.run(["no-such-scanner"], check=True))]))


@plant("the scanner skips everything and ends well")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    def scanned(_system: object) -> Facts:
        done = subprocess.run([sys.executable, "-S", "-c", "print('5 skipped')"], capture_output=True, check=True)
        return Facts(population=5, tested=0, broken=0 if done.returncode == 0 else 1)

    return looked(world, scanned)


@plant("nothing there to look at")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, lambda _system: counted([]))


@plant("none of many was looked at")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, lambda _system: Facts(population=100, tested=0, broken=0))


@plant("the scheduler stopped")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=3)


@plant("the check hangs")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    free = threading.Event()

    def hangs(system: object) -> Facts:
        free.wait(30)
        return good(system)

    other = world.another([check(observe=hangs)], seconds=0.02)
    other.scheduler.tick()
    free.set()
    return other


@plant("the source is stale")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    old = world.now - 2 * DAY
    return looked(world, lambda system: replace(good(system), source_at=old), source_age=86_400)


@plant("the source does not say how old it is")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, good, source_age=86_400)


@plant("the source is from tomorrow")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    ahead = world.now + DAY
    return looked(world, lambda system: replace(good(system), source_at=ahead), source_age=86_400)


@plant("the source cannot be read")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, lambda _system: counted([(world.folder / "nowhere").read_text() == ""]))


@plant("the known-bad fixture passes")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, good, sabotage=good)


@plant("the known-bad fixture is not looked at")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    def away(_system: object) -> Facts:
        raise OSError

    return looked(world, good, sabotage=away)


@plant("the known-bad fixture is not set up")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    return looked(world, good, sabotage=lambda _system: Facts(0, 0, 0, configured=False))


def _edited(module: str) -> Plant:
    def work(world: CheckWorld, patch: pytest.MonkeyPatch) -> CheckWorld:
        """Broken before; the edit makes it pass, and it runs again."""
        broken(world)
        digests = code._known

        def after(name: str) -> dict[str, str]:
            return {**digests(name), module: "0" * 64}

        patch.setattr(code, "_known", after)
        world.clock.forward(hours=1)
        return looked(world, good)

    return work


PLANTS["the check was edited to pass"] = _edited("check_world")
PLANTS["a helper was edited to pass"] = _edited("troth.promises.probe")
PLANTS["the judgement was edited to pass"] = _edited("troth.promises.check")


@plant("the parameters were edited to pass")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    broken(world)
    world.clock.forward(hours=1)
    return looked(world, good, parameters={"days": 365})


@plant("the check that failed was dropped")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    pair = [check(), check("two", observe=bad)]
    world.another(pair).scheduler.tick()
    world.clock.forward(hours=1)
    return looked(world, good)


@plant("the check that failed was replaced by one of another name")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    broken(world)
    world.clock.forward(hours=1)
    other = world.another([check("new")])
    other.scheduler.tick()
    other.runner.run_all()
    return other


def _waived(**members: Any) -> Plant:
    def work(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
        broken(world)
        plain = Waiver(
            "exc_a", ONE, "one", "old client", "filtered", "usr_a", "usr_b", world.now - DAY, world.now + DAY
        )
        return world.another([check(observe=bad)], waivers=(replace(plain, **members),))

    return work


PLANTS["the waiver ended this very moment"] = lambda world, patch: _waived(ends=world.now)(world, patch)
PLANTS["the waiver begins tomorrow"] = lambda world, patch: _waived(starts=world.now + 1)(world, patch)
PLANTS["the waiver was approved by who asked for it"] = _waived(approved_by="usr_a")
PLANTS["the waiver is for another check"] = _waived(scope="two")
PLANTS["the waiver is for another promise"] = _waived(promise="CRY-02")
PLANTS["the waiver never ends"] = lambda world, patch: _waived(ends=world.now + 4000 * DAY)(world, patch)


@plant("a waiver for what nobody looked at")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    waiver = Waiver("exc_a", ONE, "one", "no time", "none", "usr_a", "usr_b", world.now - DAY, world.now + DAY)
    other = world.another([check(observe=bad)], waivers=(waiver,))
    other.scheduler.tick()
    other.clock.forward(hours=3)
    return other


@plant("the clock was set back")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=-1)
    world.runner.run_all()


@plant("the clock was far ahead while it ran")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(days=100)
    world.scheduler.tick()
    world.clock.forward(days=-100)


@plant("network time said that the clock is off")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    other = world.another(mark="off")
    other.scheduler.tick()
    return other


@plant("the row was edited")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    broken(world)
    change(world, store.check_run, result="pass")


@plant("the row was edited and linked again")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    run = newest(broken(world))
    better = replace(run, result=Result.PASS)
    change(world, store.check_run, result="pass", link=better.link)
    change(world, store.check_head, link=better.link)


@plant("the row was made older than it is, so that it is fresh for longer")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=3)
    change(world, store.check_run, at=world.now)


@plant("the row was deleted and the head moved back")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    first = newest(world)
    world.clock.forward(hours=1)
    broken(world)
    with world.database.write() as connection:
        connection.execute(store.check_run.delete().where(store.check_run.c.sequence == 2))
    change(world, store.check_head, sequence=1, link=first.link, slot=first.slot, at=first.at)


@plant("the row was deleted before its entry had a place")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=1)
    looked(world, bad)
    with world.database.write() as connection:
        connection.execute(store.check_run.delete().where(store.check_run.c.sequence == 2))


@plant("a run was put in without an entry")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    run = newest(broken(world))
    forge(world, following(run), TestKey(), entry=False)


@plant("a run was put in with an entry, and signed with another key")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    run = newest(broken(world))
    forge(world, following(run), TestKey(seed=b"\x09" * 32))
    world.place()


@plant("a run was signed again with another result")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    run = newest(broken(world))
    better = replace(run, result=Result.PASS)
    signature = signature_over(statement(better), IN_TOTO, TestKey(seed=b"\x09" * 32))
    change(world, store.check_run, result="pass", link=better.link, signature=signature)


@plant("evidence from the future")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    run = newest(broken(world))
    forge(world, replace(following(run), at=world.now + DAY), TestKey())


@plant("a row of before the chain")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.schedules.ensure()
    old = {"check_id": "one", "at": world.now, "result": "pass", "control": "fail", "population": 1, "tested": 1}
    with world.database.write() as connection:
        connection.execute(insert(store.check_run), old | {"digest": world.checks[0].digest, "request": "run_old"})


@plant("the schedule was thinned afterwards")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=3)
    weekly = [replace(one, every=7 * 86_400, fresh=8 * 86_400) for one in world.schedules.proposed()]
    change(world, store.check_schedule, text=text_of(weekly), digest=digest_of(text_of(weekly)))


@plant("the schedule was deleted and begun anew, thinner")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    broken(world)
    with world.database.write() as connection:
        for table in (store.check_schedule, store.check_run, store.check_head):
            connection.execute(table.delete())
    other = world.another([check(every=7 * 86_400, fresh=8 * 86_400)])
    other.runner.run_all()
    return other


@plant("the newest version of the schedule was taken away")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    other = world.another([check(), check("two", observe=bad)])
    other.confirm()
    other.scheduler.tick()
    other.place()
    with world.database.write() as connection:
        connection.execute(store.check_schedule.delete().where(store.check_schedule.c.version == 2))


@plant("what runs are kept in was put back from yesterday")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    with world.database.read() as connection:
        kept = {table: [dict(one) for one in connection.execute(select(table)).mappings()]
                for table in (store.check_run, store.check_head)}  # fmt: skip
    world.clock.forward(hours=1)
    broken(world)
    with world.database.write() as connection:
        for table, rows in kept.items():
            connection.execute(table.delete())
            connection.execute(insert(table), rows)


def test_the_world_is_green_without_a_plant(world: CheckWorld) -> None:
    """Otherwise nothing below could fail."""
    assert shown(looked(world, good)) == "kept"
    world.clock.forward(hours=1)
    world.place()
    world.scheduler.tick()
    assert shown(world) == "kept"


def test_there_are_enough_of_them() -> None:
    assert len(PLANTS) >= 24


@pytest.mark.parametrize("name", PLANTS)
def test_no_planted_false_green_comes_out_green(world: CheckWorld, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = PLANTS[name](world, monkeypatch) or world
    assert shown(found) in ("unknown", "not kept")
    assert {one for _, one in _states(found)} & {State.KEPT, State.EXCEPTION} == set()


def _states(world: CheckWorld) -> list[tuple[str, State]]:
    return [(promise.id, standing.state) for promise, standing in world.runner.table()]


def test_evidence_that_comes_late_fills_no_earlier_gap(world: CheckWorld) -> None:
    """Somebody writes the runs of a missed night the next morning, with the key and the log at hand."""
    world.scheduler.tick()
    night = Period(world.now, world.now + 12 * 3_600_000)
    world.clock.forward(hours=12)
    morning = world.runner.run_all()[0]
    late = replace(following(morning), at=morning.at - 6 * 3_600_000)
    forge(world, late, world.key)
    world.clock.forward(minutes=1)
    evidence = world.reading.over(night, 7200)
    found = status(ONE, world.runner.declared(), evidence, waivers=(), period=night, now=world.now)
    assert found.state is State.UNKNOWN


def test_a_run_deleted_from_the_middle_shows_in_its_period(world: CheckWorld) -> None:
    for _ in range(4):
        world.scheduler.tick()
        world.clock.forward(hours=1)
    whole = Period(world.now - 3 * 3_600_000, world.now)

    def over() -> State:
        evidence = world.reading.over(whole, 7200)
        return status(ONE, world.runner.declared(), evidence, waivers=(), period=whole, now=world.now).state

    assert over() is State.KEPT
    with world.database.write() as connection:
        connection.execute(store.check_run.delete().where(store.check_run.c.sequence == 3))
    assert over() is State.UNKNOWN


def test_an_installation_that_nobody_runs_keeps_nothing(world: CheckWorld) -> None:
    assert {state for _, state in _states(world)} == {State.UNKNOWN}
    with world.database.read() as connection:
        assert connection.execute(select(store.check_schedule)).all() == [], "looking at it schedules nothing"


def test_a_waiver_is_said_where_the_promise_is(world: CheckWorld) -> None:
    waiver = Waiver("exc_a", ONE, "one", "old client", "filtered", "usr_a", "usr_b", world.now - DAY, world.now + DAY)
    other = world.another([check(observe=bad)], waivers=(waiver,))
    other.scheduler.tick()
    table = PromiseOperations(other.runner).list(None, Nothing())  # type: ignore[arg-type]
    row = next(one for one in table.data if one.id == ONE)
    assert (row.state, [one.reason for one in row.waivers]) == ("kept with exception", ["old client"])
    other.clock.forward(days=1)
    other.runner.run_all()
    assert shown(other) == "not kept"
