"""False greens to plant in the schedule of the checks: thinned, taken away, or not what the code here asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from check_world import ONE, OTHER, CheckWorld, bad, check
from planted_greens import PLANTS, broken, change, plant
from troth.promises import schedules, store
from troth.promises.schedule import digest_of, text_of
from troth.vault.dsse import IN_TOTO, signature_over

__all__ = ["PLANTS"]


@plant("a check that finds it broken is new and was not confirmed")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    world.scheduler.tick()
    other = world.another([check(), check("two", observe=bad)])
    other.runner.run_all()
    return other


@plant("a check that finds it broken covers the promise since a change that was not confirmed")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    world.another([check(), check("two", (OTHER,), observe=bad)]).scheduler.tick()
    other = world.another([check(), check("two", (ONE, OTHER), observe=bad)])
    other.runner.run_all()
    return other


@plant("the code asks for fresher evidence and nobody confirmed it")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    world.another([check(fresh=86_400)]).scheduler.tick()
    return world.another([check(fresh=7200)])


@plant("the schedule was thinned afterwards")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> None:
    world.scheduler.tick()
    world.clock.forward(hours=3)
    weekly = [replace(one, every=7 * 86_400, fresh=8 * 86_400) for one in world.schedules.proposed()]
    change(world, store.check_schedule, text=text_of(weekly), digest=digest_of(text_of(weekly)))


@plant("the schedule was thinned afterwards, and signed with our key")
def _(world: CheckWorld, _patch: pytest.MonkeyPatch) -> CheckWorld:
    world.scheduler.tick()
    world.place()
    world.clock.forward(hours=3)
    other = world.another([check(every=7 * 86_400, fresh=8 * 86_400)])
    text = text_of(other.schedules.proposed())
    with world.database.read() as connection:
        kept = replace(store.schedules(connection)[0], text=text, digest=digest_of(text))
    signature = signature_over(schedules._statement(kept), IN_TOTO, world.key)
    change(world, store.check_schedule, text=text, digest=kept.digest, signature=signature)
    return other


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
