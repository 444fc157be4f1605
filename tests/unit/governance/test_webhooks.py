"""Webhooks: where they may go and where not, what a receiver can check, secrets that change, and what fails."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from database_world import opened
from troth.governance.alarming import SecondChannel
from troth.governance.calendar_tables import deliveries, reminders, webhooks
from troth.governance.deliveries import Deliveries, Letter, as_body
from troth.governance.webhook_sending import Outside
from troth.governance.webhooks import MOST, Webhooks
from troth.identity.sso.fetching import Reach
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Gone, Invalid, NotFound, TrothError, VendorFailed
from troth.keys.deployment import DeploymentSeal
from troth.mail.alarms import Alarm
from troth.storage.database import Database
from troth.vault.tables import subjects
from worlds import MovableClock

TENANT = "ten_a"
HERE = Reach((ip_network("127.0.0.0/8"),), plain=True)


@dataclass
class Receiver:
    """A server of somebody else."""

    port: int
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            if made.status // 100 == 3:
                self.send_header("location", made.url)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class World:
    hooks: Webhooks
    desk: Deliveries
    clock: MovableClock
    database: Database


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened("sqlite", tmp_path, [reminders, webhooks, deliveries, subjects]) as database:
        clock = MovableClock()
        hooks = Webhooks(database, DeploymentSeal(b"k" * 32), Outside(HERE), clock)
        yield World(hooks, Deliveries(database, clock, {"webhook": hooks}), clock, database)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def holds(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """What a receiver does, by the text of Standard Webhooks and without our code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    mac = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return f"v1,{mac}" in headers["webhook-signature"].split(" ")


def code(refusal: pytest.ExceptionInfo[TrothError]) -> str:
    return refusal.value.code


@pytest.mark.parametrize(
    "url",
    [
        "http://93.184.215.14/hook",  # not https
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://10.1.2.3/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://127.1/hook",
        "https://0/hook",
        "https://[fe80::1%25eth0]/hook",
        "https://[2002:7f00:1::]/hook",  # 127.0.0.1 inside 6to4
        "https://user:secret@example.org/hook",
        "https://example.org/hook#part",
        "https://example.org/ho ok",
        "ftp://example.org/hook",
        "https:///hook",
        "https://example.org/" + "a" * 2048,
    ],
)
def test_where_nothing_may_go(world: World, url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Webhooks(world.database, world.hooks.sealed, Outside(Reach()), world.clock).add(TENANT, url)
    assert code(refusal) == "webhook-address-refused"
    assert world.hooks.list(TENANT) == []


def answering(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """The name server says this of every name."""

    async def found(_loop: Any, _host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", found)


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("192.168.1.1",), ("93.184.215.14", "10.0.0.1")])
def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]) -> None:
    answering(monkeypatch, *addresses)
    with pytest.raises(Invalid) as refusal:
        Outside(Reach()).post("https://hooks.example.org/x", b"{}", {})
    assert code(refusal) == "webhook-address-refused"


def test_a_name_that_is_bound_anew_after_it_was_added_is_refused(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is looked at each time something is sent, and the connection goes to what was looked at."""
    strict = Webhooks(world.database, world.hooks.sealed, Outside(Reach()), world.clock)
    webhook, _ = strict.add(TENANT, f"https://hooks.example.org:{receiver.port}/x")
    answering(monkeypatch, "127.0.0.1")
    assert strict.test(TENANT, webhook, world.desk) == "webhook-address-refused"
    assert receiver.got == []


def test_a_redirect_is_not_followed(world: World, receiver: Receiver) -> None:
    receiver.status = 307
    webhook, _ = world.hooks.add(TENANT, receiver.url)
    assert world.hooks.test(TENANT, webhook, world.desk) == "webhook-refused"
    assert len(receiver.got) == 1


def test_a_receiver_can_check_who_sent_it_and_what(world: World, receiver: Receiver) -> None:
    webhook, secret = world.hooks.add(TENANT, receiver.url)
    body = as_body("calendar.reminder", 1, {"count": 1})
    with world.database.write() as connection:
        world.desk.put(connection, Letter("dlv_a", TENANT, "webhook", webhook, "calendar.reminder", body, 1))
    assert world.desk.run() == 1
    ((headers, got),) = receiver.got
    assert (headers["webhook-id"], json.loads(got)["type"]) == ("dlv_a", "calendar.reminder")
    assert headers["webhook-timestamp"] == str(int(world.clock.now().timestamp()))
    assert holds(secret, headers, got)
    assert not holds(secret, headers, got + b" ")
    (shown,) = world.hooks.list(TENANT)
    assert (shown.url, shown.failing, shown.dead) == (receiver.url, 0, 0)
    assert shown.delivered_at is not None


def test_a_secret_is_replaced_while_receivers_change_over(world: World, receiver: Receiver) -> None:
    webhook, before = world.hooks.add(TENANT, receiver.url)
    after = world.hooks.rotate(TENANT, webhook)
    world.hooks.test(TENANT, webhook, world.desk)
    world.clock.forward(days=1)
    world.hooks.test(TENANT, webhook, world.desk)
    assert [(holds(before, *one), holds(after, *one)) for one in receiver.got] == [(True, True), (False, True)]


def test_nothing_of_address_and_secret_stands_in_the_row(world: World, receiver: Receiver) -> None:
    _, secret = world.hooks.add(TENANT, receiver.url)
    with world.database.read() as connection:
        (row,) = connection.execute(select(webhooks)).mappings().all()
    assert not [one for one in (b"127.0.0.1", secret.encode(), secret[6:].encode()) if one in bytes(row["sealed"])]


def test_what_fails_is_seen_and_a_test_that_is_taken_revives_it(world: World, receiver: Receiver) -> None:
    receiver.status = 500
    webhook, _ = world.hooks.add(TENANT, receiver.url)
    with world.database.write() as connection:
        now = epoch_ms(world.clock.now())
        world.desk.put(connection, Letter("dlv_a", TENANT, "webhook", webhook, "test", "{}", now))
    for _ in range(20):
        world.desk.run()
        world.clock.forward(days=1)
    (shown,) = world.hooks.list(TENANT)
    assert (shown.dead, shown.trouble) == (1, "webhook-refused")
    assert world.hooks.test(TENANT, webhook, world.desk) == "webhook-refused"
    receiver.status = 200
    assert world.hooks.test(TENANT, webhook, world.desk) is None
    assert world.desk.run() == 1
    assert receiver.got[-1][0]["webhook-id"] == "dlv_a"
    assert world.hooks.list(TENANT)[0].dead == 0


def test_a_server_that_is_away_is_told_apart(world: World) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(VendorFailed) as refusal:
        Outside(HERE).post(f"http://127.0.0.1:{port}/x", b"{}", {})
    assert code(refusal) == "webhook-away"
    webhook, _ = world.hooks.add(TENANT, f"http://127.0.0.1:{port}/x")
    world.hooks.remove(TENANT, webhook)
    with pytest.raises(Gone):
        world.hooks.send(Letter("dlv_a", TENANT, "webhook", webhook, "test", "{}", 1))


def test_alarms_that_were_late_or_lost_outlive_their_webhook(world: World, receiver: Receiver) -> None:
    second = SecondChannel(world.desk, world.hooks.of)
    webhook, _ = world.hooks.add(TENANT, receiver.url)
    second.test(TENANT)
    world.clock.forward(days=6)
    assert second.test(TENANT) == 1
    assert world.desk.run() == 2
    second.tell(Alarm("elv_1", TENANT, (), "Emergency", "Look."))
    with world.database.write() as connection:
        world.desk.put(connection, Letter("dlv_r", TENANT, "webhook", webhook, "calendar.reminder", "{}", 1))
    world.clock.forward(minutes=40)
    before = second.arrived(TENANT)
    assert sorted(before) == [False, False, True]
    world.hooks.remove(TENANT, webhook)
    world.hooks.add(TENANT, receiver.url)
    assert second.arrived(TENANT) == before
    assert world.desk.run() == 0
    with world.database.read() as connection:
        assert connection.scalar(select(deliveries.c.id).where(deliveries.c.id == "dlv_r")) is None
    world.clock.forward(days=7)
    assert second.arrived(TENANT) == []


def test_an_alarm_under_way_while_its_webhook_is_removed_stays_on_record(world: World, receiver: Receiver) -> None:
    second = SecondChannel(world.desk, world.hooks.of)
    webhook, _ = world.hooks.add(TENANT, receiver.url)
    second.test(TENANT)
    ((letter, tries),) = world.desk._due()
    assert world.desk._claimed(letter, tries)
    world.hooks.remove(TENANT, webhook)
    assert not world.desk._tried(letter, tries + 1)
    world.clock.forward(minutes=40)
    assert second.arrived(TENANT) == [False]


def test_another_tenant_has_none_of_it(world: World, receiver: Receiver) -> None:
    webhook, _ = world.hooks.add(TENANT, receiver.url)
    assert world.hooks.list("ten_b") == []
    for act in (world.hooks.rotate, world.hooks.remove, lambda *one: world.hooks.test(*one, world.desk)):
        with pytest.raises(NotFound):
            act("ten_b", webhook)
    assert receiver.got == []


def test_there_is_an_end_to_them(world: World, receiver: Receiver) -> None:
    for _ in range(MOST):
        world.hooks.add(TENANT, receiver.url)
    with pytest.raises(Conflict) as refusal:
        world.hooks.add(TENANT, receiver.url)
    assert code(refusal) == "too-many-webhooks"
