"""Looks at the own door: an answer as it should be is available, anything else is not, and no door is no look."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from troth.http.tls import local_certificate
from troth.telemetry import samples
from troth.telemetry.probing import Door, Probe, Target
from worlds import MovableClock, sqlite

ANSWERS = {"/good": (200, b"a <form> here"), "/empty": (200, b"nothing"), "/broken": (500, b"a <form> here")}
TARGETS = [Target(name, f"/{name}", b"<form>") for name in ("good", "empty", "broken")]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    authority, certificate, key = local_certificate(tmp_path / "tls", "troth.test")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Door("127.0.0.1", int(server.server_address[1]), "troth.test", authority or certificate)
    server.shutdown()
    thread.join()
    server.server_close()


def seen(tmp_path: Path, door: Door | None, targets: list[Target], rounds: int = 1) -> dict[str, tuple[int, int]]:
    database = sqlite(tmp_path)
    probe = Probe(database, MovableClock(), lambda: door, targets, 60)
    for _ in range(rounds):
        probe.run()
    with database.read() as connection:
        found = {name: one[:2] for name, one in samples.totals(samples.recorded(connection, 0)).items()}
    database.close()
    return found


def test_only_the_right_answer_counts(tmp_path: Path, door: Door) -> None:
    assert seen(tmp_path, door, TARGETS) == {"good": (1, 1), "empty": (1, 0), "broken": (1, 0)}


def test_another_certificate_is_not_our_door(tmp_path: Path, door: Door) -> None:
    stranger = Door(door.host, door.port, "elsewhere.test", door.trusted)
    assert seen(tmp_path, stranger, TARGETS[:1]) == {"good": (1, 0)}


def test_a_shut_door_is_unavailable(tmp_path: Path, door: Door) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    assert seen(tmp_path, Door("127.0.0.1", port, door.name, door.trusted), TARGETS[:1]) == {"good": (1, 0)}


def test_no_door_is_no_look(tmp_path: Path) -> None:
    assert seen(tmp_path, None, TARGETS) == {}


def test_some_targets_are_looked_at_seldom(tmp_path: Path, door: Door) -> None:
    seldom = Target("seldom", "/good", b"<form>", every=3)
    assert seen(tmp_path, door, [TARGETS[0], seldom], rounds=4) == {"good": (4, 4), "seldom": (2, 2)}
    assert Probe(None, MovableClock(), lambda: None, [], 60).due(seldom) == 20  # type: ignore[arg-type]
