"""kill -9 of the real server while people upload, generate and erase: what it acknowledged is so after the restart."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from served import Served
from troth.audit.guard import blob_name
from troth.audit.note import VerifierKey
from troth.cli.demo.needles import found
from troth.cli.demo.stage import Person, fresh_stage, sign_in
from troth.cli.main import troth
from troth.kernel.errors import TrothError
from troth.vault.certificate import verify_certificate

ROUNDS, THREADS = 5, 4
SEED = 20261122
NEEDLE = "heron-on-the-weir"
CONFIRM = {"confirm": "erase everything about me"}


@dataclass
class Acknowledged:
    """What clients were told. Ids of one thread are touched by that thread only."""

    objects: dict[str, str] = field(default_factory=dict)  # object id -> SHA-256 of its content
    erased: dict[str, str] = field(default_factory=dict)  # object id -> erasure id
    unsure: set[str] = field(default_factory=set)  # asked to erase, and the server died
    requests: list[str] = field(default_factory=list)


class Server:
    """`troth serve`, which can be killed and started again on the same data."""

    def __init__(self, root: Path) -> None:
        self.stage = fresh_stage(root)
        self._process: subprocess.Popen[str] | None = None
        (root / "no.toml").write_text("[promises]\nfirst_after_seconds = 86400\n")

    def start(self) -> dict[str, str]:
        """Start and wait for the first answer; gives what it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
        environment |= {
            "TROTH_DATA__FOLDER": str(self.stage.data),
            "TROTH_DATA__KEYS": str(self.stage.keys),
            "TROTH_SERVER__PORT": str(self.stage.port),
            "TROTH_SERVER__REQUESTS_PER_MINUTE": "100000",
            "TROTH_CONFIG": str(self.stage.root / "no.toml"),
        }
        program = [sys.executable, "-c", "from troth.cli.main import main; main()", "serve", "--show-credentials"]
        with self.stage.journal.open("ab") as journal:
            self._process = subprocess.Popen(
                program, env=environment, stdout=subprocess.PIPE, stderr=journal, text=True
            )
        said: dict[str, str] = {}
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, value = line.strip().partition("  ")
            said[name] = value.strip()
            if name.startswith("certificate authority"):
                return said
        raise AssertionError(f"the server did not start: {self.stage.journal.read_text()[-2000:]}")

    def end(self, how: signal.Signals) -> None:
        """Kill or stop it; nothing happens when it is dead already."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


class Worker(threading.Thread):
    """One client: uploads, generates and erases until the server dies."""

    def __init__(self, served: Served, key: str, number: int, told: Acknowledged) -> None:
        super().__init__(name=f"client-{number}")
        self._client = httpx2.Client(
            base_url=served.stage.address,
            verify=served.context(),
            headers={"authorization": f"Bearer {key}"},
            timeout=20,
        )
        self._random = random.Random(SEED + number)
        self._told = told
        self._number = 0
        self.strange: list[str] = []

    def run(self) -> None:
        with self._client, contextlib.suppress(httpx2.TransportError):
            while True:
                self._random.choice([*[self._upload] * 4, self._generate, self._erase])()

    def _upload(self) -> None:
        self._number += 1
        content = f"{NEEDLE} {self.name} {self._number} {self._random.random()}".encode() * 20
        given = {"files": {"file": (f"{NEEDLE}.txt", content, "text/plain")}, "data": {"purpose": "user_data"}}
        made = self._ok(self._client.post("/v1/files", **given))
        if made:
            self._told.objects[made["id"]] = hashlib.sha256(content).hexdigest()

    def _generate(self) -> None:
        wish = {"prompt": f"{NEEDLE} {self._random.random()}", "size": "96x96", "response_format": "url"}
        response = self._client.post("/v1/images/generations", json=wish)
        made = self._ok(response)
        if made:
            receipt = self._client.get(f"/v1/receipts/{response.headers['x-request-id']}").json()
            content = self._client.get(f"/v1/objects/{receipt['objects'][0]}/content").content
            self._told.objects[receipt["objects"][0]] = hashlib.sha256(content).hexdigest()

    def _erase(self) -> None:
        mine = sorted(self._told.objects)
        if not mine:
            return
        chosen = self._random.choice(mine)
        del self._told.objects[chosen]
        self._told.unsure.add(chosen)
        done = self._ok(self._client.delete(f"/v1/objects/{chosen}"))
        if done and done["state"] in ("done", "running"):
            self._told.unsure.discard(chosen)
            self._told.erased[chosen] = done["id"]

    def _ok(self, response: httpx2.Response) -> Any:
        """The answer's JSON when it was acknowledged."""
        if response.is_success:
            if "x-request-id" in response.headers:
                self._told.requests.append(response.headers["x-request-id"])
            return response.json()
        self.strange.append(f"{response.status_code} {response.text}")
        return None


@dataclass
class World:
    """Five people of one tenant: four work, one is forgotten in each round."""

    server: Server
    served: Served
    owner: Person
    keys: list[str]
    leaving: list[tuple[Person, str]]  # a person and an object of theirs
    told: list[Acknowledged]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Any:
    server = Server(tmp_path_factory.mktemp("kill"))
    try:
        first = server.start()
        operator = sign_in(server.stage, first["e-mail"], first["password"], first["TOTP secret"])
        served = Served(server.stage, operator)
        owner = served.tenant("omega")
        keys = [served.key(owner) for _ in range(THREADS)]
        leaving = [leaver(served, owner, number) for number in range(ROUNDS)]
        yield World(server, served, owner, keys, leaving, [Acknowledged() for _ in range(THREADS)])
    finally:
        server.end(signal.SIGKILL)


def leaver(served: Served, owner: Person, number: int) -> tuple[Person, str]:
    person = served.member(owner, f"leaver-{number}@omega.example.org")
    with served.openai(served.key(person)) as client:
        made = client.files.create(file=(f"{NEEDLE}.txt", f"{NEEDLE} of leaver {number}".encode()), purpose="user_data")
    return person, made.id


def acknowledged(world: World) -> int:
    return sum(len(told.requests) for told in world.told)


def busy(world: World, rounds: int) -> bool:
    """True when these rounds had work: ten answers and one erasure each that was acknowledged."""
    return acknowledged(world) >= 10 * rounds and sum(len(told.erased) for told in world.told) >= rounds


def test_what_was_acknowledged_survives_kill_nine(world: World) -> None:
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        clients = zip(world.keys, world.told, strict=True)
        workers = [Worker(world.served, key, THREADS * number + n, told) for n, (key, told) in enumerate(clients)]
        for worker in workers:
            worker.start()
        time.sleep(chance.uniform(0.4, 1.2))
        patience = time.monotonic() + 60  # a busy machine answers late: no round without work
        while not busy(world, number + 1) and time.monotonic() < patience:
            time.sleep(0.02)
        goodbye = Goodbye(world.served, world.leaving[number][0])
        goodbye.start()
        time.sleep(chance.uniform(0.0, 0.25))
        world.server.end(signal.SIGKILL)
        for thread in [*workers, goodbye]:
            thread.join(30)
            assert not thread.is_alive()
        assert [one for worker in workers for one in worker.strange] == []
        let_an_hour_pass(world)
        world.server.start()
        assert_no_temporary_files(world)
        assert_erasures_are_complete(world)
        assert_whole_or_gone(world, world.leaving[number], told=goodbye.told)
    assert busy(world, ROUNDS), "the rounds did something"
    assert_objects(world)
    logged = assert_no_clear_text_and_logs(world)
    assert {request for told in world.told for request in told.requests} <= logged


class Goodbye(threading.Thread):
    """A person who asks to be forgotten a moment before the server dies."""

    def __init__(self, served: Served, person: Person) -> None:
        super().__init__(name="goodbye")
        self._client = served.stage.client(person.session)
        self.told: dict[str, Any] | None = None

    def run(self) -> None:
        with contextlib.suppress(TrothError):
            self.told = self._client.call("POST", "/v1/erasures/own", CONFIRM).json()


def client_of(world: World, token: str) -> httpx2.Client:
    def prove(request: httpx2.Request) -> None:
        request.headers.update(world.served.stage.client(token).credential(request.method, request.url.path))

    hooks = {"request": [prove]}
    return httpx2.Client(base_url=world.served.stage.address, verify=world.served.context(), event_hooks=hooks)


def published(world: World) -> dict[str, Any]:
    """The public keys."""
    with client_of(world, "x") as client:
        found_keys: dict[str, Any] = client.get("/.well-known/troth.json").json()
    return found_keys


def rows(world: World, query: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(world.served.stage.data / "troth.db", timeout=10)) as connection:
        return connection.execute(query).fetchall()


def let_an_hour_pass(world: World) -> None:
    """For what the dead server was writing: a start leaves young temporary files, a live process may be at them."""
    stage = world.served.stage
    for path in [*stage.data.rglob(".new-*"), *stage.keys.rglob(".new-*")]:
        os.utime(path, (time.time() - 3600,) * 2)


def assert_no_temporary_files(world: World) -> None:
    first = temporary_files(world)
    if first:  # the server that runs again writes some, and for a moment
        time.sleep(1)
    assert first & temporary_files(world) == set()


def temporary_files(world: World) -> set[Path]:
    stage, stale = world.served.stage, re.compile(r"\.new|\.tmp$|-journal$|^tmp|~$")
    files = (path for folder in (stage.data, stage.keys) for path in folder.rglob("*"))
    return {path for path in files if stale.search(path.name)}


def assert_erasures_are_complete(world: World) -> None:
    """Whatever was asked durably is finished at the start, with a certificate that holds."""
    signers = {name: bytes.fromhex(key) for name, key in published(world)["signers"].items()}
    found_states = rows(
        world, "SELECT e.state, c.envelope FROM erasure e LEFT JOIN erasure_certificate c ON c.erasure = e.id"
    )
    assert {state for state, _ in found_states} <= {"done"}
    for _, envelope in found_states[-10:]:
        assert verify_certificate(bytes(envelope), signers)


def assert_whole_or_gone(world: World, leaving: tuple[Person, str], told: dict[str, Any] | None) -> None:
    """An erasure that was acknowledged is so; one that was not is either complete or never began."""
    person, identifier = leaving
    with client_of(world, person.session) as client:
        me, content = client.get("/v1/me"), client.get(f"/v1/objects/{identifier}/content")
    assert (me.status_code, content.status_code) in ((200, 200), (401, 401))
    if told is not None:
        assert me.status_code == 401
        with client_of(world, world.owner.session) as client:
            shown = client.get(f"/v1/erasures/{told['id']}").json()
            assert shown["state"] == "done"
            assert client.get(f"/v1/certificates/{shown['certificate']}").status_code == 200


def assert_objects(world: World) -> None:
    with client_of(world, world.owner.session) as client:
        for told in world.told:
            for identifier, digest in told.objects.items():
                opened = client.get(f"/v1/objects/{identifier}/content")
                assert opened.status_code == 200, opened.text
                assert hashlib.sha256(opened.content).hexdigest() == digest
            for identifier, erasure in told.erased.items():
                assert client.get(f"/v1/objects/{identifier}/content").status_code == 410
                shown = client.get(f"/v1/erasures/{erasure}").json()
                assert (shown["state"], bool(shown["certificate"])) == ("done", True)
            for identifier in told.unsure:
                assert client.get(f"/v1/objects/{identifier}/content").status_code in (200, 410)


def assert_no_clear_text_and_logs(world: World) -> set[str]:
    """After an orderly stop; gives the ids of all requests whose closing record stands in the tenant's log."""
    trust = published(world)
    world.server.end(signal.SIGTERM)
    stage = world.served.stage
    assert found({"needle": NEEDLE.encode(), "person": b"leaver-"}, [stage.data, stage.keys, stage.journal]) == []
    assert '"event": "fault"' not in stage.journal.read_text()
    closed: set[str] = set()
    for log in (world.owner.tenant, "operator"):
        folder = stage.data / "log" / blob_name(log, "checkpoint").rpartition("/")[0]
        key = str(VerifierKey(f"localhost/log/{log}", bytes.fromhex(trust["logs"]["key"])))
        result = CliRunner().invoke(troth, ["audit", "verify", str(folder), "--key", key, "--json"])
        assert result.exit_code == 0, result.exception
        if log != "operator":
            closed = closing_records(folder)
    return closed


def closing_records(folder: Path) -> set[str]:
    found_requests: set[str] = set()
    for bundle in (path for path in (folder / "tile" / "entries").rglob("*") if path.is_file()):
        content = bundle.read_bytes()
        while content:
            size = int.from_bytes(content[:2], "big")
            leaf = json.loads(content[2 : 2 + size])
            content = content[2 + size :]
            if leaf["phase"] == "closed":
                found_requests.add(leaf["request"])
    return found_requests
