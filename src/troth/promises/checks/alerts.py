"""The promise about detections: what is found reaches people, also when the first channel is down."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from socketserver import TCPServer

from troth.governance.alarming import LIMIT_MS, SecondChannel
from troth.governance.calendar_letters import CHANNEL as MAIL
from troth.governance.calendar_tables import deliveries, webhooks
from troth.governance.deliveries import Deliveries
from troth.governance.webhook_sending import Outside
from troth.governance.webhooks import CHANNEL, Webhooks
from troth.identity.sso.fetching import Reach
from troth.kernel.clock import Clock
from troth.kernel.errors import Unavailable
from troth.kernel.ids import new_id
from troth.keys.deployment import DeploymentSeal
from troth.mail.alarms import Alarm, Alarms, Message
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Ahead
from troth.promises.system import System
from troth.storage.database import Database, metadata
from troth.vault.tables import subjects

_HERE = Reach((ip_network("127.0.0.0/8"),), plain=True)  # the receiver of this check, and nothing else
_MOST_BYTES = 1 << 16
_NONE = Facts(0, 0, 0, configured=False)
Second = Callable[[Alarm], int]


@dataclass
class _Bell:
    """Implements `mail.alarms.Bell` over a list."""

    alarms: list[Alarm]

    def waiting(self) -> Sequence[Alarm]:
        """Those of which nobody was told by mail."""
        return tuple(self.alarms)

    def address(self, person: str) -> str:
        """An address that is nobody's."""
        return f"{person}@example.org"

    def rung(self, alarm: Alarm) -> None:
        """It was told."""
        self.alarms.remove(alarm)


class _Down:
    """A first channel that is down."""

    def post(self, message: Message, sender: str) -> None:  # noqa: ARG002 - the shape of a relay
        """Take nothing."""
        raise Unavailable("The mail relay did not take the message.", code="relay-failed")


@dataclass
class _Receiver:
    """A server on this machine that takes what is posted, or answers with `status`."""

    url: str = ""
    status: int = 204
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def holds(self, secret: str) -> bool:
        """Whether the newest message bears the signature that Standard Webhooks asks for."""
        headers, body = self.got[-1]
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), content, hashlib.sha256).digest()
        return headers["webhook-signature"] == f"v1,{base64.b64encode(mac).decode()}"


def _alert(system: System) -> Facts:
    """The first channel is down: what arrives over the second; and how real ones to the house fared for a week."""
    house, governance = system.governance.house.named(), system.governance
    if house is None or MAIL not in governance.deliveries.senders or not governance.second.test(house.tenant):
        return _NONE
    real = governance.second.arrived(house.tenant)
    facts = counted(_arrives(system.base.clock, lambda channel: channel.tell) + real)
    details = {"real": len(real), "late": real.count(False)}
    return Facts(facts.population, facts.tested, facts.broken, details=details)


def _arrives(clock: Clock, second: Callable[[SecondChannel], Second]) -> list[bool]:
    """An alarm that the relay does not take: once, whole and signed at a receiver that refuses its first try."""
    tenant, alarm_id = new_id("ten"), new_id("run")
    bell = _Bell([Alarm(alarm_id, tenant, ("usr_selfcheck",), "A self-check", "Nothing happened.")])
    with _scratch() as database, _receiving() as receiver:
        hooks = Webhooks(database, DeploymentSeal(bytes(32)), Outside(_HERE), clock)
        _, secret = hooks.add(tenant, receiver.url)
        waiting = Deliveries(database, clock, {CHANNEL: hooks})
        alarms = Alarms(
            bells=[bell], poster=_Down(), sender="alarm@example.org", second=second(SecondChannel(waiting, hooks.of))
        )
        alarms.ring()
        receiver.status = 503
        waiting.run()
        receiver.status = 204
        alarms.ring()
        later = Deliveries(database, Ahead(clock, timedelta(minutes=2)), {CHANNEL: hooks})
        outcomes = [later.run() == 1, later.run() == 0, len(bell.alarms) == 1]  # by mail it is tried on and on
        if len(receiver.got) != 2:
            return [*outcomes, False]
        told = json.loads(receiver.got[-1][1])
        same = receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
        return [*outcomes, same, receiver.holds(secret), told["data"]["title"] == "A self-check"]


@contextmanager
def _scratch() -> Iterator[Database]:
    """An empty database, so that the senders of the service never see what this check puts."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'alarms.db'}")
        try:
            metadata.create_all(database.engine, [deliveries, webhooks, subjects])
            yield database
        finally:
            database.close()


@contextmanager
def _receiving() -> Iterator[_Receiver]:
    from http.server import BaseHTTPRequestHandler  # noqa: PLC0415  for this look alone: a server does without

    made = _Receiver()

    class Handler(BaseHTTPRequestHandler):
        """Keeps what is posted."""

        timeout = 5.0

        def do_POST(self) -> None:
            """Take it."""
            body = self.rfile.read(min(int(self.headers["content-length"]), _MOST_BYTES))
            made.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(made.status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing of it goes to the terminal."""

    server = TCPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_address[1]}/self-check"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _nowhere(_channel: SecondChannel) -> Second:
    """The known-bad second channel: it says that it told somebody."""
    return lambda _alarm: 1


CHECKS = (
    Check(
        "alert-delivery",
        ("INC-04",),
        "With the first channel down an alarm must reach a receiver on this machine over the second, signed, once, and "
        "after a refused try. Webhooks of the house get a test each day; no alarm or test of a week may have taken "
        "over 15 minutes. Whether somebody reads it, and mail itself, is not looked at.",
        _alert,
        lambda system: counted(_arrives(system.base.clock, _nowhere)),
        population="steps of one alarm, and alarms and tests of a week",
        parameters={"limit_ms": LIMIT_MS},
        scope="the second channel of alarms, and webhooks of the house",
    ),
)
