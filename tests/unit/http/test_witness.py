from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from troth.audit.witness import MAX_REQUEST_BYTES
from troth.http.witness import listen, require_private, witness_app
from troth.kernel.errors import Invalid, Unavailable
from witness_world import GrowingLog, answering, witness_in


@pytest.fixture
def log() -> GrowingLog:
    return GrowingLog().grow(10)


@pytest.fixture
def client(log: GrowingLog, tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(witness_app(witness_in(tmp_path, log))) as made:
        yield made


def test_each_status_of_the_specification(client: TestClient, log: GrowingLog) -> None:
    def status(body: bytes) -> int:
        return client.post("/add-checkpoint", content=body).status_code

    assert status(b"old 0\n") == 400
    assert status(GrowingLog("troth.test/log/other").grow(1).ask(0)) == 404
    assert status(GrowingLog(seed=b"\x09" * 32).grow(4).ask(0)) == 403
    answer = client.post("/add-checkpoint", content=log.ask(0, 7))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert [line[:10] for line in answer.text.splitlines()] == ["— w.test/1"] * 2
    behind = client.post("/add-checkpoint", content=log.ask(3, 9))
    assert (behind.status_code, behind.headers["content-type"], behind.text) == (409, "text/x.tlog.size", "7\n")
    fork = client.post("/add-checkpoint", content=GrowingLog().grow(7, b"other").ask(7))
    assert (fork.status_code, fork.headers["content-type"]) == (409, "text/plain; charset=utf-8")
    assert status(GrowingLog().grow(10, b"other").ask(7)) == 422


def test_a_body_beyond_all_requests_is_refused(client: TestClient) -> None:
    assert client.post("/add-checkpoint", content=b"x" * (MAX_REQUEST_BYTES + 1)).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(
    log: GrowingLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.http.witness._BODY_SECONDS", 0.1)
    with answering(witness_app(witness_in(tmp_path, log))) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 9\r\n\r\nold")
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")


def test_nothing_else_is_there(client: TestClient) -> None:
    assert client.get("/add-checkpoint").status_code == 405
    for path in ("/", "/checkpoint", "/add-checkpoint/x", "/livez"):
        assert client.get(path).status_code == 404


def test_a_lost_record_is_a_server_error_without_details(client: TestClient, log: GrowingLog, tmp_path: Path) -> None:
    for path in (tmp_path / "logs").iterdir():
        path.unlink()
    answer = client.post("/add-checkpoint", content=log.ask(0))
    assert answer.status_code == 500
    assert "retire it" in answer.text
    assert str(tmp_path) not in answer.text


def test_only_with_tls_beyond_this_machine() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        require_private(host, tls=False)
    require_private("0.0.0.0", tls=True)
    for host in ("0.0.0.0", "192.0.2.1", "::", "witness.test"):
        with pytest.raises(Invalid) as caught:
            require_private(host, tls=False)
        assert caught.value.code == "no-tls"


def test_a_taken_port_is_said() -> None:
    with listen("127.0.0.1", 0) as first, pytest.raises(Unavailable) as caught:
        first.listen()
        listen("127.0.0.1", first.getsockname()[1])
    assert caught.value.code == "no-port"
