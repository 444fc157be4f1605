"""Exposed units are replaced by a job: asked for, agreed to, worked off, whatever stops it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update

from database_world import DATABASES
from key_world import World
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, Unavailable
from troth.kernel.scope import SYSTEM
from troth.keys.incidents import Incidents
from troth.keys.replacement_rows import Progress, Replacement, ReplacementRows, key_replacement
from troth.keys.replacements import Replacements
from troth.keys.transitions import Transitions
from troth.keys.tree import Scope, Use

USER = DataClass.USER_GENERATED
ANN, TENANT = Scope.of_subject("ten_a", "usr_ann"), Scope.of_tenant("ten_a")


@dataclass
class Mover:
    """Everything under a unit of the class, as a number of things; `away` stops it."""

    world: World
    things: dict[bytes, int] = field(default_factory=dict)
    away: str = ""
    calls: int = 0

    def covers(self, data_class: str, period: str) -> bool:
        del period
        return data_class == USER.value

    def beside(self, tenant: str, subject: str) -> list[bytes]:
        del tenant, subject
        return []

    def reencrypt(self, tenant: str, subject: str, unit: bytes) -> int:
        self.calls += 1
        if self.away and self.calls > 1:
            raise Unavailable("away", code=self.away)
        if not (moved := self.things.pop(unit, 0)):
            return 0
        self.world.tree.key(unit, Use.REENCRYPTION)
        self.things[self.world.tree.own_unit(tenant, subject, USER).id] = moved
        return moved


@dataclass
class Officers:
    """Who could decide, and since when."""

    apart: set[str] = field(default_factory=lambda: {"opr_second"})

    def stands_apart(self, connection: Any, approver: str, asker: str, since: int) -> bool:
        del connection, since
        return approver in self.apart and approver != asker


@dataclass
class Desk:
    world: World
    mover: Mover
    above: int = 10

    def jobs(self) -> Replacements:
        """As a process that starts now has them."""
        incidents = Incidents(self.world.reopen(), [self.mover], pause=lambda _: None)
        told = Transitions(None, "eu")
        return Replacements(
            self.world.database, incidents, told, self.world.clock, guard=Officers(), approval_above=self.above
        )

    def keep(self, person: str, count: int) -> list[bytes]:
        made = [one.key.id for one in self.world.own("ten_a", person, count)]
        self.mover.things |= dict.fromkeys(made, 2)
        return made


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    world = World(tmp_path)
    yield Desk(world, Mover(world))
    world.close()


def gone(desk: Desk, units: list[bytes]) -> bool:
    for unit in units:
        with pytest.raises(Gone):
            desk.world.tree.key(unit, Use.REENCRYPTION)
    return True


def test_a_person_is_worked_off_and_the_row_forgets_them(desk: Desk) -> None:
    old, other = desk.keep("usr_ann", 3), desk.keep("usr_bob", 1)
    jobs = desk.jobs()
    asked = jobs.ask(ANN, "lost-laptop", actor="opr_one")
    assert (asked.state, asked.subject, asked.people) == ("open", "usr_ann", 1)
    assert jobs.ask(ANN, "lost-laptop", actor="opr_two") == asked
    assert desk.world.tree.key(old[0])  # nothing happened yet
    assert jobs.resume() == 1
    done = jobs.show(asked.id)
    assert (done.state, done.units, done.done, done.moved, done.subject) == ("done", 3, 3, 6, None)
    assert done.ended_at is not None
    assert gone(desk, old)
    assert desk.world.tree.key(other[0])
    assert jobs.resume() == 0
    assert jobs.list() == [done]
    again = jobs.ask(ANN, "lost-laptop", actor="opr_one")
    assert again.id != asked.id  # it has ended: this is another incident


def test_what_stops_it_is_said_and_the_next_round_goes_on(desk: Desk) -> None:
    old = desk.keep("usr_ann", 3)
    jobs = desk.jobs()
    asked = jobs.ask(ANN, "lost-laptop", actor="opr_one")
    desk.mover.away = "store-away"
    assert jobs.resume() == 0
    halted = jobs.show(asked.id)
    assert (halted.state, halted.fault, halted.units, halted.subject) == ("open", "store-away", 3, "usr_ann")
    assert desk.world.tree.key(old[2], Use.REENCRYPTION)  # no key is destroyed before everything moved
    desk.mover.away = ""
    later = desk.jobs()
    assert later.resume() == 1
    assert (later.show(asked.id).state, later.show(asked.id).fault) == ("done", None)
    assert gone(desk, old)


def test_a_second_job_for_the_same_reason_does_not_count_the_first_ones_marks_as_its_own(desk: Desk) -> None:
    anns, bobs = desk.keep("usr_ann", 2), desk.keep("usr_bob", 2)
    jobs = desk.jobs()
    jobs.ask(ANN, "lost-laptop", actor="opr_one")
    second = jobs.ask(Scope.of_subject("ten_a", "usr_bob"), "lost-laptop", actor="opr_one")
    desk.mover.away = "store-away"
    jobs.resume()
    desk.mover.away = ""
    assert jobs.resume() == 2
    assert jobs.show(second.id).units == 2
    assert gone(desk, anns + bobs)


def test_what_ended_before_a_crash_is_not_begun_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Units destroyed, the end not noted: the fresh units stay."""
    desk.keep("usr_ann", 2)
    jobs = desk.jobs()
    asked = jobs.ask(ANN, "lost-laptop", actor="opr_one")
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "_end", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            jobs.resume()
    fresh = list(desk.mover.things)
    later = desk.jobs()
    assert later.resume() == 1
    assert later.show(asked.id).state == "done"
    assert all(desk.world.tree.key(one) for one in fresh)


def waiting(desk: Desk) -> tuple[Replacements, Replacement]:
    desk.above = 1
    for person in ("usr_ann", "usr_bob"):
        desk.keep(person, 1)
    jobs = desk.jobs()
    return jobs, jobs.ask(TENANT, "memory-image", actor="opr_one")


def test_many_people_wait_for_a_second_operator(desk: Desk) -> None:
    jobs, asked = waiting(desk)
    assert (asked.state, asked.people) == ("waiting", 2)
    assert jobs.resume() == 0
    assert all(desk.world.tree.key(unit) for unit in desk.mover.things)
    for actor, code in (("opr_one", "own-wish"), ("opr_late", "not-apart")):
        with pytest.raises(Denied) as refused:
            jobs.approve(asked.id, actor=actor)
        assert refused.value.code == code
    agreed = jobs.approve(asked.id, actor="opr_second")
    assert (agreed.state, agreed.approver) == ("open", "opr_second")
    with pytest.raises(Conflict):
        jobs.approve(asked.id, actor="opr_second")
    with pytest.raises(Conflict):
        jobs.call_off(asked.id)
    old = list(desk.mover.things)
    assert jobs.resume() == 1
    assert gone(desk, old)


def test_person_by_person_adds_up_over_a_day(desk: Desk) -> None:
    desk.above = 2
    people = [Scope.of_subject("ten_a", f"usr_{name}") for name in ("ann", "bob", "cal", "dan")]
    for one in people:
        desk.keep(str(one.subject), 1)
    jobs = desk.jobs()
    states = [jobs.ask(one, "lost-laptop", actor="opr_one").state for one in people[:3]]
    assert states == ["open", "open", "waiting"]
    assert jobs.ask(people[3], "lost-laptop", actor="opr_second").state == "open"  # each answers for their own
    jobs.resume()
    with desk.world.database.write(SYSTEM) as connection:
        connection.execute(update(key_replacement).values(asked_at=key_replacement.c.asked_at - 25 * 3_600_000))
    assert jobs.ask(people[0], "lost-token", actor="opr_one").state == "open"


def test_what_waits_can_be_called_off(desk: Desk) -> None:
    jobs, asked = waiting(desk)
    assert jobs.call_off(asked.id).state == "called-off"
    assert jobs.resume() == 0
    assert all(desk.world.tree.key(unit) for unit in desk.mover.things)


def test_who_is_erased_meanwhile_is_named_nowhere(desk: Desk) -> None:
    desk.above = 0
    desk.keep("usr_ann", 1)
    jobs = desk.jobs()
    asked = jobs.ask(ANN, "lost-laptop", actor="opr_one")
    assert asked.state == "waiting"
    desk.world.tree.destroy_subject("ten_a", "usr_ann")
    assert jobs.resume() == 1
    assert (jobs.show(asked.id).state, jobs.show(asked.id).subject) == ("called-off", None)


def test_what_nobody_can_move_and_nobody_has_is_refused(desk: Desk) -> None:
    desk.world.shared("ten_a", "usr_ann", "account")
    for scope, kind in ((ANN, Unavailable), (Scope.of_tenant("ten_none"), NotFound)):
        with pytest.raises(kind):
            desk.jobs().ask(scope, "lost-laptop", actor="opr_one")
    with pytest.raises(NotFound):
        desk.jobs().show("rpl_none")
    assert desk.jobs().list() == []


def test_an_open_one_whose_person_was_erased_before_it_began_ends_and_forgets_them(desk: Desk) -> None:
    desk.keep("usr_ann", 2)
    jobs = desk.jobs()
    asked = jobs.ask(ANN, "lost-token", actor="opr_first")
    assert asked.state == "open"
    desk.world.tree.destroy_subject("ten_a", "usr_ann")
    assert desk.jobs().resume() == 1
    ended = jobs.show(asked.id)
    assert (ended.state, ended.subject, ended.fault) == ("called-off", None, None)


def waiting_row() -> Replacement:
    none = dict.fromkeys(field.name for field in fields(Replacement))
    known = {"id": "kre_1", "tenant": "ten_a", "reason": "lost", "state": Progress.WAITING, "actor": "opr_one"}
    return Replacement(**none | known | {"people": 7, "units": 0, "done": 0, "moved": 0, "asked_at": 1})


@pytest.mark.parametrize("kind", DATABASES)
def test_two_counts_at_once_see_each_other(kind: str, tmp_path: Path) -> None:
    """The second waits, also when there is no row yet that either could lock."""
    world, counted = World(tmp_path, kind=kind), list[int]()
    rows = ReplacementRows("eu")

    def count() -> None:
        with world.database.write(SYSTEM) as connection:
            counted.append(rows.people_asked(connection, "opr_one", 0))

    second = threading.Thread(target=count)
    with world.database.write(SYSTEM) as connection:
        assert rows.people_asked(connection, "opr_one", 0) == 0
        second.start()
        if kind == "postgresql":
            waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            while not counted and not connection.execute(waiting).scalar_one():
                second.join(0.01)
        rows.add(connection, waiting_row())
    second.join()
    world.close()
    assert counted == [7]
