"""Reminders: each stage of each thing once, to who is named or holds the role, and never to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from database_world import DATABASES, opened
from troth.governance.agenda import Agenda
from troth.governance.calendar_letters import composed
from troth.governance.calendar_tables import deliveries, feeds, webhooks
from troth.governance.calendar_tables import reminders as reminder_table
from troth.governance.deliveries import Deliveries, Letter
from troth.governance.dues import Due, plain_due
from troth.governance.looking import DAY_MS
from troth.governance.reminders import Reminders
from troth.governance.tables import records
from troth.identity.store import tenants, users
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Unavailable
from troth.storage.database import Database
from worlds import ListRecorder, MovableClock

TENANT = "ten_a"
A_TENANT = {"name": "A", "jurisdiction": "eu", "created_at": 0}
ROLES = {"owner": ["usr_o"], "admin": ["usr_a", "usr_b"], "member": ["usr_m", "usr_n"]}


class Nowhere:
    def send(self, letter: Letter) -> None:
        """Takes everything."""


@dataclass
class World:
    """Implements what reminders ask of a calendar."""

    database: Database
    clock: MovableClock
    several: list[Due] = field(default_factory=list)
    hooks: Sequence[str] = ()
    away: Sequence[str] = ()
    log: ListRecorder = field(default_factory=ListRecorder)

    def dues(self, by: Any, now: int) -> Agenda:
        if by.tenant in self.away:
            raise Unavailable("Its keys are away.")
        found = [
            replace(one, state="soon" if now < one.grace_until else "lapsed" if one.lapse else "overdue")
            for one in self.several
        ]
        return Agenda(tuple(found), ())

    def now(self) -> int:
        return epoch_ms(self.clock.now())

    def round(self) -> int:
        desk = Deliveries(self.database, self.clock, {"mail": Nowhere(), "webhook": Nowhere()})
        ways = people, lambda *_: self.hooks
        made = Reminders(self.database, self, desk, lambda: [*self.away, TENANT], *ways, self.log)  # type: ignore[arg-type]
        return made.run()

    def add(self, name: str, days: float, by: str = "admin", person: str | None = None) -> None:
        one = plain_due(("risks", "rec_1", name), self.now() + int(days * DAY_MS), by, now=self.now())
        self.several.append(replace(one, person=person))

    def letters(self) -> list[tuple[str, int]]:
        """(to whom, about how many things), as they were put."""
        with self.database.read() as connection:
            rows = connection.execute(select(deliveries).order_by(deliveries.c.put_at, deliveries.c.target)).mappings()
            return [(row["target"], json.loads(row["body"])["data"]["count"]) for row in rows]


def account(name: str, *, tenant: str = TENANT, active: bool = True) -> dict[str, Any]:
    sealed = {"email": b"e", "display_name": b"n", "password": b"p", "password_at": 0, "password_issued": False}
    return {"id": name, "tenant": tenant, "active": active, "created_at": 0, "email_index": name.encode(), **sealed}


def staff(record: str, person: str) -> dict[str, Any]:
    row = {"tenant": TENANT, "form": "staff", "state": "active", "opened_at": 1, "changed_at": 1, "sequence": 1}
    return {"id": record, "account": person, "head": "h", **row}


def people(_connection: Any, _tenant: str, role: str) -> list[str]:
    return ROLES.get(role, [])


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    tables = [tenants, users, feeds, reminder_table, webhooks, deliveries, records]
    with opened(request.param, tmp_path, tables) as database:
        with database.write() as connection:
            connection.execute(insert(tenants), [{"id": one, **A_TENANT} for one in (TENANT, "ten_b")])
            connection.execute(insert(users), [account(one) for one in ("usr_n", "usr_s")])
            connection.execute(insert(users), [account("usr_there", tenant="ten_b"), account("usr_out", active=False)])
        yield World(database, MovableClock())


def test_each_stage_is_told_once_in_one_letter_for_all(world: World) -> None:
    world.add("first", 3)
    world.add("second", 6)
    world.add("far", 60)
    assert (world.round(), world.round()) == (2, 0)
    assert world.letters() == [("usr_a", 2), ("usr_b", 2)]
    world.clock.forward(days=2.5)
    assert world.round() == 1  # the first is due now
    world.clock.forward(days=1)
    assert world.round() == 1  # and now overdue
    assert [count for _, count in world.letters()[2:]] == [1, 1, 1, 1]


def test_who_is_named_is_told_by_either_name_and_nobody_is_left_out(world: World) -> None:
    with world.database.write() as connection:
        connection.execute(insert(records), staff("rec_s", "usr_s"))
    world.add("by-account", 1, person="usr_n")
    world.add("by-record", 2, person="rec_s")
    world.add("no-account", 3, by="member", person="rec_gone")
    world.add("nobody-has-the-role", 4, by="privacy-officer")
    world.round()
    assert world.letters() == [("usr_n", 1), ("usr_o", 2), ("usr_s", 1)]


@pytest.mark.parametrize("named", ["usr_there", "usr_out", "usr_gone", "rec_there", "rec_out"])
def test_nobody_of_another_tenant_and_nobody_who_was_shut_out_is_told(world: World, named: str) -> None:
    """Whoever enters a record may write any id into it: it is told to who holds the role instead."""
    with world.database.write() as connection:
        connection.execute(insert(records), [staff("rec_there", "usr_there"), staff("rec_out", "usr_out")])
    world.add("first", 1, person=named)
    world.round()
    assert world.letters() == [("usr_a", 1), ("usr_b", 1)]


@pytest.mark.parametrize("days", [1, -30], ids=["soon", "escalated"])
def test_what_one_person_owes_is_not_told_to_every_member(world: World, days: int) -> None:
    world.add("trained", days, by="member", person="rec_gone")
    world.several[0] = replace(world.several[0], escalate_at=world.several[0].at, escalate_to="member")
    world.add("of-everybody", days, by="member")
    world.round()
    told = {person for person, _ in world.letters()}
    assert told == {"usr_o", "usr_m", "usr_n"}
    with world.database.read() as connection:
        rows = connection.execute(select(deliveries).where(deliveries.c.target.in_(ROLES["member"]))).mappings().all()
    assert {one["name"] for row in rows for one in json.loads(row["body"])["data"]["dues"]} == {"of-everybody"}


def test_what_nobody_does_goes_to_the_owners(world: World) -> None:
    world.add("late", 1, person="usr_n")
    world.clock.forward(days=8.1)
    assert world.round() == 2
    assert world.letters() == [("usr_n", 1), ("usr_o", 1)]


def test_what_lapsed_is_told_once_in_the_log_and_to_people(world: World) -> None:
    world.add("renewal", 1)
    world.several[0] = replace(world.several[0], lapse="route")
    world.round()
    assert world.log.entries == []
    world.clock.forward(days=1)
    world.log.broken = True
    with pytest.raises(Unavailable):
        world.round()
    world.log.broken = False
    before = len(world.letters())
    assert (world.round(), world.round()) == (1, 0)  # what the log did not take was not told either
    assert len(world.letters()) - before == 2
    world.clock.forward(days=30)
    world.round()
    told = [(one.operation, one.log, one.facts["object"], one.facts["kinds"]) for one in world.log.entries]
    assert told == [("calendar.lapsed", TENANT, "rec_1", {"route": 1})]


def test_webhooks_get_all_of_it_in_bounded_messages(world: World) -> None:
    world.hooks = ("whk_1", "whk_2")
    for number in range(250):
        world.add(f"d{number}", 1 + number / 1000, person="usr_secret")
    assert world.round() == 250
    with world.database.read() as connection:
        rows = connection.execute(select(deliveries).where(deliveries.c.channel == "webhook")).mappings().all()
    told = [(row["target"], one["name"]) for row in rows for one in json.loads(row["body"])["data"]["dues"]]
    assert len(rows) == 6
    assert len(set(told)) == len(told) == 500
    assert "usr_secret" not in "".join(row["body"] for row in rows)


def test_a_tenant_that_cannot_be_looked_at_keeps_no_other_waiting(world: World) -> None:
    world.add("first", 3)
    world.away = ["ten_b"]
    with pytest.raises(Unavailable):
        world.round()
    assert world.letters() == [("usr_a", 1), ("usr_b", 1)]


def test_more_than_a_round_takes_comes_with_the_next(world: World) -> None:
    for number in range(1_100):
        world.add(f"d{number}", 3)
    assert (world.round(), world.round(), world.round()) == (1_000, 100, 0)


def test_a_letter_says_how_much_and_names_nobody(world: World) -> None:
    for number in range(25):
        world.add(f"next-round-{number}", -1 if number == 0 else 3, person="usr_n")
    world.round()
    with world.database.read() as connection:
        row = connection.execute(select(deliveries)).mappings().one()
    letter = Letter(**{name: row[name] for name in Letter.__dataclass_fields__})
    title, text = composed(letter, "https://troth.example.org/calendar")
    assert title == "25 things are due, 1 overdue"
    assert "- and 5 more" in text
    assert "next round 0 (risks), overdue" in text
    assert "https://troth.example.org/calendar" in text
    assert "usr_" not in text
