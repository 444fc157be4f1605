"""False greens to plant: some accident, or somebody who edits, makes a promise look well that nobody may call kept.

Each begins in a world in which a check passed, or found something broken. `tests/promises/test_false_greens.py` reads
every one back through `promise.list`.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from sqlalchemy import insert, select

from check_world import ONE, CheckWorld, bad, check, good
from log_world import TestKey
from troth.kernel.record import Entry, Outcome
from troth.promises import code, store
from troth.promises.check import Facts, Result, counted
from troth.promises.operations import Nothing, PromiseOperations
from troth.promises.runs import Run, statement
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
