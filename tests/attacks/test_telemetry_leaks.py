"""10,000 identifiers are planted through every door; none may stand in a journal, metric, trace or file (CLS-09)."""

from __future__ import annotations

import http.client
import json
import os
import re
import smtplib
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

import needle_server
from otlp_collector import Collector, collecting
from troth.cli.demo.stage import Stage, api_key, settle_in, sign_in

MANY = 10_000
SESSION = re.compile("troth_st_[a-z2-7]+")
PASSWORD = "correct horse battery staple 44"
# Each needle holds one of these, and nothing else in the world does.
TOKEN = re.compile(rb"zq[0-9a-f]{8}|7351[0-9]{9}", re.IGNORECASE)
_FORMS = (
    "{w}@mail.example", "Jana {w}", "+49{n}", "{w} Street 5, Kiel", "{n}", "sk-proj-{w}", "tell {w} the plan",
    "{w}.docx", "Browser/{w}", "192.0.2.9/{w}", "https://{w}.example/p?q={w}", "IBAN {n}", "traceparent {w}", "{w}",
)  # fmt: skip


@dataclass
class Hay:
    """Needles by number; each is used once."""

    used: int = 0

    def take(self, count: int) -> list[str]:
        """Fresh needles of all forms in turn."""
        numbers = range(self.used, self.used + count)
        self.used += count
        return [_FORMS[one % len(_FORMS)].format(w=f"zq{one:08x}", n=f"7351{one:09d}") for one in numbers]


@dataclass
class World:
    """A server with everything on."""

    root: Path
    said: dict[str, Any]
    collector: Collector
    hay: Hay = field(default_factory=Hay)
    stage: Any = None
    _open: Any = None

    def send(self, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> int:
        """One request on a connection that is kept; its status."""
        for _ in range(2):
            if self._open is None:
                context = ssl.create_default_context(cafile=self.stage.authority)
                self._open = http.client.HTTPSConnection("localhost", self.stage.port, context=context, timeout=30)
            try:
                self._open.request(method, path, body, headers | self._proof(method, path, headers))
                response = self._open.getresponse()
                response.read()
            except (http.client.HTTPException, OSError):
                self.close()
                continue
            return int(response.status)
        return 0

    def _proof(self, method: str, path: str, headers: dict[str, str]) -> dict[str, str]:
        """What must come with a session, as bearer or in the cookie: a proof by the stage's key."""
        session = SESSION.search(" ".join(headers.values()))
        if session is None:
            return {}
        shown = self.stage.client(session[0]).credential(method, path)
        return {"dpop": shown["dpop"]} | (
            {"Authorization": shown["authorization"]} if "Authorization" in headers else {}
        )

    def close(self) -> None:
        """Give the connection back."""
        if self._open is not None:
            self._open.close()
            self._open = None


@contextmanager
def running(root: Path) -> Iterator[World]:
    with socket.create_server(("127.0.0.1", 0)) as free, collecting() as collector:
        port = int(free.getsockname()[1])
        free.close()
        wish = {
            "DATA__FOLDER": str(root / "data"), "DATA__KEYS": str(root / "keys"), "SERVER__PORT": str(port),
            "SERVER__REQUESTS_PER_MINUTE": "100000", "SERVER__ANONYMOUS_PER_MINUTE": "100000",
            "GATEWAY__REDACTION_TIER": "rules", "MAIL__LISTEN": f"unix:{root / 'l.sock'}",
            "TELEMETRY__ACCESS_LOG": "true", "TELEMETRY__METRICS_PORT": "0", "TELEMETRY__TRACES_SHARE": "1",
            "TELEMETRY__TRACES_ENDPOINT": collector.endpoint, "BACKUP__FIRST_AFTER_SECONDS": "80000",
            "TELEMETRY__PROBE_SECONDS": "1",
        }  # fmt: skip
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
        environment = kept | {f"TROTH_{name}": value for name, value in wish.items()} | {"TROTH_CONFIG": os.devnull}
        with (root / "journal").open("wb") as journal:
            program = [sys.executable, needle_server.__file__]
            server = subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=journal, text=True)
            try:
                assert server.stdout is not None
                said = json.loads(server.stdout.readline())
                world = World(root, said, collector, stage=Stage(root, port, None))
                try:
                    yield world
                finally:
                    world.close()
            finally:
                server.terminate()
                server.wait(30)
                server.stdout.close()


def through_the_api(world: World, session: dict[str, str], key: dict[str, str]) -> None:
    """Paths, queries, headers, bodies that are none, credentials, faults."""
    hay = world.hay
    for method in ("GET", "POST", "PUT", "BREW"):
        for _ in range(5):
            path = "/".join(quote(one, safe="") for one in hay.take(10))
            world.send(method, f"/{path}?{urlencode({one: one for one in hay.take(10)})}", {})
    for path in ("/v1/objects", "/v1/receipts", "/data", "/v1/certificates", "/static/x", "/v1/log"):
        for one in hay.take(5):
            world.send("GET", f"{path}/{quote(one, safe='')}", session)
    for _ in range(40):
        odd = {f"X-Odd-{number}": one for number, one in enumerate(hay.take(20))}
        named = zip(("User-Agent", "X-Forwarded-For", "Referer", "X-Request-Id", "Idempotency-Key", "Traceparent",
                     "Tracestate", "Cookie", "Origin", "Accept"), hay.take(10), strict=True)  # fmt: skip
        world.send("GET", "/v1/models", odd | dict(named) | key)
    for one in hay.take(60):
        world.send("GET", "/v1/me", {"Authorization": f"Bearer {one}"})
        world.send("GET", "/readyz", {"Authorization": f"Bearer troth_sk_{one}"})
    through_bodies(world, session | {"Content-Type": "application/json"})


def through_bodies(world: World, headers: dict[str, str]) -> None:
    """Sign-ins that fail, JSON that is none, fields that are none, and an operation that fails with what it got."""
    hay = world.hay
    for one in hay.take(10):
        body = json.dumps({"email": one, "password": one, "totp": one}).encode()
        world.send("POST", "/v1/sessions", {"Content-Type": "application/json"}, body)
    for _ in range(10):
        broken = b'{"text": "' + " ".join(hay.take(100)).encode()
        world.send("POST", "/v1/redactions", headers, broken)
        unknown = json.dumps({one: one for one in hay.take(20)}).encode()
        world.send("POST", "/v1/users", headers, unknown)
    for _ in range(10):
        body = json.dumps({"text": " ".join(hay.take(200))}).encode()
        assert world.send("POST", "/v1/redactions", headers, body) == 500


def through_the_gateway(world: World, key: dict[str, str]) -> None:
    """Prompts, pictures, files and their names, models that are none."""
    hay, json_key = world.hay, key | {"Content-Type": "application/json"}
    for number in range(12):
        messages = [{"role": "user", "content": one} for one in (" ".join(hay.take(100)), " ".join(hay.take(100)))]
        wish = {"model": "troth-echo-1", "messages": messages, "user": hay.take(1)[0], "stream": number % 2 == 1}
        assert world.send("POST", "/v1/chat/completions", json_key, json.dumps(wish).encode()) == 200
    for one in hay.take(60):
        wish = {"model": one, "messages": [{"role": "user", "content": one}]}
        world.send("POST", "/v1/chat/completions", json_key, json.dumps(wish).encode())
    for _ in range(2):
        wish = {"model": "troth-studio-1", "prompt": " ".join(hay.take(40)), "size": "256x256"}
        world.send("POST", "/v1/images/generations", json_key, json.dumps(wish).encode())
    for one in hay.take(30):
        body = (f'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--b\r\nContent-Disposition:'
                f' form-data; name="file"; filename="{one}.txt"\r\nContent-Type: text/plain\r\n\r\n'
                f"{' '.join(hay.take(50))}\r\n--b--\r\n")  # fmt: skip
        world.send("POST", "/v1/files", key | {"Content-Type": "multipart/form-data; boundary=b"}, body.encode())


def through_the_portal(world: World, session: str) -> None:
    """Forms, with and without a session, and a page whose operation fails."""
    cookie = {"Cookie": f"__Host-sid={session}", "Sec-Fetch-Site": "same-origin"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/sign-in", "/redact", "/my-requests", "/statements", "/account/correct", "/people", "/nowhere"):
        for _ in range(4):
            names = ("email", "password", "totp", "text", "subject", "detail", "name", "display_name", "kind", "reason")
            body = urlencode([*zip(names, world.hay.take(10), strict=True), ("text", " ".join(world.hay.take(20)))])
            world.send("POST", path, cookie | form, body.encode())
    assert world.send("GET", f"/consent?{urlencode({'q': ' '.join(world.hay.take(50))})}", cookie) == 500


def through_the_mail(world: World, tenant: str) -> None:
    """Envelope, headers and text of messages to the desk."""
    with smtplib.LMTP(str(world.root / "l.sock"), local_hostname="relay.example") as relay:
        for one in world.hay.take(5):
            sender = f"{one.split()[0].split('/')[0].split('@')[0].strip('+')}@mail.example"
            lines = "\r\n".join(world.hay.take(100))
            text = f"From: {sender}\r\nSubject: {' '.join(world.hay.take(10))}\r\n\r\n{lines}\r\n"
            relay.sendmail(sender, [f"privacy+{tenant}@localhost.test"], text.encode())
            relay.rset()


def through_the_commands(world: World, session: str) -> None:
    """Arguments of the command line."""
    environment = os.environ | {
        "TROTH_URL": world.stage.address, "TROTH_SESSION": session, "TROTH_CA": world.stage.authority,
    }  # fmt: skip
    for words in (["object", "show", "--object-id"], ["text", "redact", "--text"]):
        program = [sys.executable, "-c", "from troth.cli.main import main; main()", *words, " ".join(world.hay.take(9))]
        subprocess.run(program, check=False, env=environment, capture_output=True, timeout=60)


def what_is_told(world: World, metrics: bytes) -> dict[str, bytes]:
    """Everything that telemetry said, by where it stands."""
    traces = b"\n".join(world.collector.raw) + "\n".join(world.collector.headers).encode()
    files = [path for path in (world.root / "data").rglob("*") if path.is_file()]
    return {
        "journal": (world.root / "journal").read_bytes(),
        "metrics": metrics,
        "traces": traces,
        "files": b"\n".join(path.read_bytes() for path in files),
    }


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    root = tmp_path_factory.mktemp("n")
    with running(root) as world:
        stage = world.stage
        operator = sign_in(stage, "operator@localhost.test", world.said["password"], world.said["secret"])
        wish = {"name": "needles", "jurisdiction": "eu", "owner_email": "o@needles.example", "owner_name": "Owner"}
        made = stage.client(operator).call("POST", "/v1/tenants", wish).json()
        owner = settle_in(stage, "o@needles.example", made["password"], PASSWORD)
        key = {"Authorization": f"Bearer {api_key(stage, owner, 'generate', 'own-data', 'own-data:write')}"}
        through_the_api(world, {"Authorization": f"Bearer {owner.session}"}, key)
        through_the_gateway(world, key)
        through_the_portal(world, owner.session)
        through_the_mail(world, owner.tenant)
        stage.keep(owner.session)
        through_the_commands(world, owner.session)
        while world.hay.used < MANY:
            wish = {"model": "troth-echo-1", "messages": [{"role": "user", "content": " ".join(world.hay.take(250))}]}
            world.send("POST", "/v1/chat/completions", key | {"Content-Type": "application/json"},
                       json.dumps(wish).encode())  # fmt: skip
        time.sleep(0.2)
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{world.said['metrics']}/metrics", timeout=30).read()
        used, status = world.hay.used, json.dumps(stage.client().call("GET", "/v1/status").json()).encode()
    assert used >= MANY
    return what_is_told(world, metrics) | {"status": status}


@pytest.mark.parametrize("place", ["journal", "metrics", "traces", "files", "status"])
def test_no_needle_is_told(told: dict[str, bytes], place: str) -> None:
    found = TOKEN.findall(told[place])
    assert found[:3] == []


def test_the_search_would_find_one(told: dict[str, bytes]) -> None:
    needle = Hay(used=4711).take(len(_FORMS))
    for one in needle:
        assert TOKEN.search(told["journal"] + one.encode())


def test_something_was_told(told: dict[str, bytes]) -> None:
    lines = [json.loads(line) for line in told["journal"].splitlines()]
    events = {line["event"] for line in lines}
    assert {"access", "fault", "library", "warning", "uncaught", "unraisable", "standard-error"} <= events
    assert not any("dropped" in line for line in lines)
    faults = [line for line in lines if line["event"] == "fault"]
    assert {fault["operation"] for fault in faults} == set(needle_server.LOUD)
    assert {(fault["error"], fault.get("cause")) for fault in faults} == {("RuntimeError", "JSONDecodeError")}
    assert sum(line.get("trace") is not None for line in lines if line["event"] == "access") > 200
    assert b'troth_operations_total{operation="chat.complete",outcome="done"}' in told["metrics"]
    assert told["metrics"].count(b"\n") < 5000  # nobody can make labels
    for name in (b"operation chat.complete", b"vendor troth-echo-1", b"redaction request", b"request other"):
        assert name in told["traces"]


def test_the_door_was_looked_at(told: dict[str, bytes]) -> None:
    status = json.loads(told["status"])
    looks = {name: levels[0] for name, levels in status["targets"].items()}
    assert set(looks) == {"sign-in", "readiness", "gateway"}
    assert all(one["looks"] == one["available"] > 0 for one in looks.values()), looks
    assert status["days"][-1]["figures"]["looks"] > 0
    assert {day["figures"]["state"] for day in status["days"][:-1]} == {"no data"}
