"""Small steps of retention rules add up, with erasures; two counts at once see each other."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import text

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict
from troth.kernel.ids import new_id
from troth.vault import ledger, rule_changes
from troth.vault.deadlines import DAY_MS
from vault_world import OFFICER, OTHER, SECOND, TENANT, VaultWorld

PEOPLE = [f"usr_{letter * 25}a" for letter in "ghijk"]


def shorten(world: VaultWorld, days: int, *, actor: str = OFFICER, purpose: str = "") -> None:
    world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, days, actor=actor, request="req_1", purpose=purpose)


def aged(world: VaultWorld) -> None:
    """Each of five people kept something, a day apart: the oldest is five days old."""
    for person in PEOPLE:
        world.keep(subject=person)
        world.clock.forward(days=1)


@pytest.mark.parametrize("swept", [True, False])
def test_steps_between_sweeps_are_added_up(world: VaultWorld, swept: bool) -> None:
    aged(world)
    for days in (5, 4):  # one person each; two are an officer's share
        shorten(world, days)
        if swept:
            assert world.retention.sweep().ended == 1
    with pytest.raises(Conflict) as refusal:
        shorten(world, 3)
    assert refusal.value.code == "second-officer"
    world.erasures.request_period(
        TENANT, DataClass.USER_GENERATED, world.ground.now() - 3 * DAY_MS + 1, actor=OFFICER, request="req_2"
    )
    world.clock.forward(hours=25)  # what was counted is a day old; and the next two people are too, by one day
    shorten(world, 4)


def test_the_same_people_are_counted_once(world: VaultWorld) -> None:
    aged(world)
    shorten(world, 4)  # two people
    world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, 4, actor=OFFICER, request="req_1")  # the same again
    shorten(world, 4, purpose="training")


def test_rules_count_against_erasures_and_officers_apart(world: VaultWorld) -> None:
    aged(world)
    shorten(world, 4)
    asked = world.erasures.request(TENANT, PEOPLE[4], actor=OFFICER, request="req_3")
    assert asked.state == ledger.WAITING
    other = world.erasures.request(TENANT, PEOPLE[3], actor=SECOND, request="req_4")
    assert other.state == ledger.DONE


def test_the_file_of_changes_goes_with_the_officer_and_the_tenant(world: VaultWorld) -> None:
    aged(world)
    shorten(world, 9)
    with world.database.write() as connection:
        (one,) = rule_changes.by_officer(connection, TENANT, OFFICER)
        assert (one.days, one.people) == (9, 0)
        assert rule_changes.forget(connection, OTHER, OFFICER) == []
        assert rule_changes.forget(connection, TENANT, OFFICER) == [one.id]
    shorten(world, 8)
    world.holder.close(TENANT)
    with world.database.read() as connection:
        assert rule_changes.by_officer(connection, TENANT, OFFICER) == []


def test_two_counts_at_once_see_each_other(world: VaultWorld) -> None:
    """The second waits, also when there is no row yet that either could lock."""
    counted: list[int] = []

    def count() -> None:
        with world.database.write() as connection:
            counted.append(ledger.people_asked(connection, OFFICER, 0))

    second = threading.Thread(target=count)
    with world.database.write() as connection:
        assert ledger.people_asked(connection, OFFICER, 0) == 0
        second.start()
        if world.database.dialect == "postgresql":
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while not counted and not connection.execute(waiting).scalar_one():
                second.join(0.01)
        ledger.add(connection, _asked(world))
    second.join()
    assert counted == [7]


def _asked(world: VaultWorld) -> ledger.Erasure:
    identifier = new_id("ers")
    return ledger.Erasure(
        id=identifier,
        target=identifier,
        tenant=TENANT,
        scope=ledger.PERIOD,
        subject=None,
        subject_digest="d",
        object=None,
        state=ledger.WAITING,
        actor=OFFICER,
        request="req_1",
        requested_at=world.ground.now(),
        people=7,
    )
