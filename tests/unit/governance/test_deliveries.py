"""Deliveries: put once, sent at least once with one id, given up never before their time, and red when they fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from database_world import DATABASES, opened
from troth.governance.calendar_tables import deliveries, feeds, reminders, webhooks
from troth.governance.deliveries import FAILING, PAUSES, Deliveries, Letter, as_body, delivery_id
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Gone, Unavailable
from troth.storage.database import Database
from worlds import ListRecorder, MovableClock

TENANT = "ten_a"


@dataclass
class Channel:
    """A channel that remembers what it took, and is down or killed when a test says so."""

    down: bool = False
    killed: bool = False
    gone: bool = False
    took: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    def send(self, letter: Letter) -> None:
        self.tried.append(letter.id)
        if self.gone:
            raise Gone("gone", code="nobody-there")
        if self.down:
            raise Unavailable("down", code="relay-failed")
        self.took.append(letter.id)
        if self.killed:
            raise KeyboardInterrupt  # the process dies between the relay's answer and our note of it


@dataclass
class World:
    database: Database
    clock: MovableClock
    mail: Channel = field(default_factory=Channel)
    hook: Channel = field(default_factory=Channel)
    log: ListRecorder = field(default_factory=ListRecorder)

    @property
    def desk(self) -> Deliveries:
        """As another process would have it."""
        senders = {"mail": self.mail, "webhook": self.hook}
        return Deliveries(self.database, self.clock, senders, elsewhere, self.log)

    def put(self, cause: str = "a", channel: str = "mail", target: str = "usr_a") -> str:
        now = epoch_ms(self.clock.now())
        name = delivery_id(cause, channel, target)
        with self.database.write() as connection:
            self.desk.put(connection, Letter(name, TENANT, channel, target, "test", as_body("test", now, {}), now))
        return name

    def row(self, name: str) -> dict[str, Any]:
        with self.database.read() as connection:
            return dict(connection.execute(select(deliveries).where(deliveries.c.id == name)).mappings().one())

    def pass_(self, **time: float) -> None:
        self.clock.forward(**time)
        self.desk.run()


def elsewhere(_connection: Connection, letter: Letter) -> list[tuple[str, str]]:
    return [("mail", "usr_owner")] if letter.channel == "webhook" else [("webhook", "whk_a")]


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with opened(request.param, tmp_path, [feeds, reminders, webhooks, deliveries]) as database:
        yield World(database, MovableClock())


def test_the_same_thing_is_put_and_taken_once(world: World) -> None:
    one = world.put()
    assert world.put() == one
    assert world.desk.run() == 1
    assert world.desk.run() == 0
    assert world.put() == one
    assert world.desk.run() == 0
    assert (world.mail.took, world.row(one)["state"]) == ([one], "done")


def test_what_is_rolled_back_is_not_sent(world: World) -> None:
    letter = Letter("dlv_a", TENANT, "mail", "usr_a", "test", "{}", 0)
    with pytest.raises(ZeroDivisionError), world.database.write() as connection:
        world.desk.put(connection, letter)
        raise ZeroDivisionError
    assert world.desk.run() == 0


def test_a_relay_that_is_away_for_a_week_loses_nothing(world: World) -> None:
    names = [world.put(str(number)) for number in range(30)]
    world.mail.down = True
    for _ in range(7 * 24):
        world.pass_(hours=1)
    assert world.mail.took == []
    assert {world.row(name)["state"] for name in names} == {"waiting"}
    assert world.desk.trouble(TENANT).failing >= 30  # the page is red meanwhile
    world.mail.down = False
    for _ in range(24):
        world.pass_(hours=1)
    first = [name for name in world.mail.took if name in names]
    assert sorted(first) == sorted(names)  # each once, with the id of every try before
    assert set(names) <= set(world.mail.tried)
    assert world.desk.trouble(TENANT).failing == 0


def test_who_is_killed_after_sending_sends_again_with_the_same_id(world: World) -> None:
    one = world.put()
    world.mail.killed = True
    with pytest.raises(KeyboardInterrupt):
        world.desk.run()
    world.mail.killed = False
    assert world.desk.run() == 0  # perhaps the other is alive and waits for the relay
    world.pass_(minutes=2)
    assert world.mail.took == [one, one]
    assert world.row(one)["state"] == "done"


def test_what_nobody_is_there_for_is_not_sent_and_not_called_done(world: World) -> None:
    one = world.put()
    world.mail.gone = True
    world.desk.run()
    with world.database.read() as connection:
        assert connection.execute(select(deliveries).where(deliveries.c.id == one)).first() is None
    assert world.hook.tried == []


def test_tries_keep_their_pauses_and_end_dead_after_three_days(world: World) -> None:
    one = world.put(channel="webhook", target="whk_a")
    world.hook.down = True
    world.desk.run()
    for number, pause in enumerate(PAUSES, 1):
        assert len([name for name in world.hook.tried if name == one]) == number
        world.pass_(milliseconds=pause - 1)
        assert len([name for name in world.hook.tried if name == one]) == number
        world.pass_(milliseconds=1)
    row = world.row(one)
    assert (row["state"], row["tries"], row["trouble"]) == ("dead", len(PAUSES) + 1, "relay-failed")
    told = [(entry.operation, entry.log, entry.facts["object"], entry.code) for entry in world.log.entries]
    assert told == [("message.given-up", TENANT, one, "relay-failed")]
    assert timedelta(milliseconds=sum(PAUSES)) > timedelta(days=3)
    assert world.desk.trouble(TENANT).dead == 1
    assert world.desk.trouble("ten_b").dead == 0
    world.hook.down = False
    world.pass_(days=1)
    assert one not in world.hook.took
    with world.database.write() as connection:
        assert world.desk.revive(connection, "ten_b", "whk_a") == 0
        assert world.desk.revive(connection, TENANT, "whk_a") == 1
    world.desk.run()
    assert one in world.hook.took


@pytest.mark.parametrize(
    ("broken", "other", "target"), [("webhook", "mail", "usr_owner"), ("mail", "webhook", "whk_a")]
)
def test_what_fails_goes_out_over_the_other_channel_too(world: World, broken: str, other: str, target: str) -> None:
    channels = {"mail": world.mail, "webhook": world.hook}
    channels[broken].down = True
    one = world.put(channel=broken, target="whk_a" if broken == "webhook" else "usr_a")
    world.desk.run()
    for pause in PAUSES[: FAILING - 1]:
        assert channels[other].took == []
        world.pass_(milliseconds=pause)
    world.desk.run()
    second = delivery_id(one, other, target)
    assert channels[other].took == [second]
    assert world.row(second)["instead_of"] == one


def test_when_both_fail_nothing_goes_round_in_circles(world: World) -> None:
    world.hook.down = world.mail.down = True
    world.put(channel="webhook", target="whk_a")
    for _ in range(40):
        world.pass_(hours=6)
    with world.database.read() as connection:
        rows = connection.execute(select(deliveries)).mappings().all()
    assert sorted(row["channel"] for row in rows) == ["mail", "webhook"]


def test_a_target_that_fails_holds_up_no_other(world: World) -> None:
    world.hook.down = True
    for number in range(60):
        world.put(str(number), "webhook", "whk_a")
    one = world.put("z")
    world.desk.run()
    assert world.mail.took == [one]
    assert len(world.hook.tried) == 1  # of those that wait for the same place one is tried


def test_a_channel_that_is_not_set_up_is_not_used(world: World) -> None:
    desk = Deliveries(world.database, world.clock, {"mail": world.mail})
    with world.database.write() as connection:
        assert not desk.put(connection, Letter("dlv_a", TENANT, "webhook", "whk_a", "test", "{}", 0))
        connection.execute(insert(feeds), {"person": "usr_a", "tenant": TENANT, "digest": "d", "made_at": 0})
    assert desk.run() == 0
