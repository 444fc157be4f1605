"""The metrics listener: loopback only unless permitted, few paths, no echo of what was sent."""

from __future__ import annotations

import socket
import urllib.request
from urllib.error import HTTPError

import pytest

from troth.kernel.errors import Invalid, Unavailable
from troth.telemetry.listener import Listener, as_json, require_loopback

NEEDLE = "jane.doe@example.com"


@pytest.fixture
def listener() -> object:
    made = Listener("127.0.0.1", 0, {"/metrics": lambda: (200, "text/plain", b"x 1\n"),
                                     "/readyz": lambda: as_json({"log": False}, ready=False)})  # fmt: skip
    made.start()
    yield made
    made.stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_other_addresses_are_refused(host: str) -> None:
    with pytest.raises(Invalid) as refused:
        require_loopback(host, beyond_loopback=False)
    assert refused.value.code == "bad-setting"


def test_they_may_be_permitted_and_names_never() -> None:
    require_loopback("192.0.2.1", beyond_loopback=True)
    require_loopback("::1", beyond_loopback=False)
    with pytest.raises(Invalid):
        require_loopback("example.org", beyond_loopback=True)


def test_what_is_served(listener: Listener) -> None:
    base = f"http://127.0.0.1:{listener.port}"
    assert urllib.request.urlopen(f"{base}/metrics", timeout=10).read() == b"x 1\n"
    with pytest.raises(HTTPError) as unready:
        urllib.request.urlopen(f"{base}/readyz", timeout=10)
    assert (unready.value.code, unready.value.read()) == (503, b'{"log": false}')
    unready.value.close()


@pytest.mark.parametrize(
    "sent",
    [
        f"GET /{NEEDLE} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"BREW /{NEEDLE} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/9.{NEEDLE}\r\n\r\n",
        f"{NEEDLE}\r\n\r\n",
        "GET /" + "a" * 70_000,
    ],
)
def test_nothing_is_repeated(listener: Listener, sent: str, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as client:
        client.sendall(sent.encode())
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(4096):
            answer += piece
    assert NEEDLE.encode() not in answer
    told = capfd.readouterr()
    assert told.err == told.out == ""


def test_a_port_that_is_taken_is_said(listener: Listener) -> None:
    with pytest.raises(Unavailable) as refused:
        Listener("127.0.0.1", listener.port, {})
    assert refused.value.code == "no-port"


def answer_to(listener: Listener, *headers: str) -> bytes:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as client:
        client.sendall("".join(f"{line}\r\n" for line in ("GET /metrics HTTP/1.1", *headers, "")).encode())
        return b"".join(iter(lambda: client.recv(4096), b""))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:9464", "localhost:9464", "[::1]:9464", "127.1.2.3"])
def test_names_of_this_machine_are_answered(listener: Listener, host: str) -> None:
    assert answer_to(listener, f"Host: {host}").endswith(b"x 1\n")


def test_a_probe_that_names_no_host_is_answered(listener: Listener) -> None:
    """Those of load balancers speak HTTP/1.0; a browser always names whom it asks."""
    assert answer_to(listener).endswith(b"x 1\n")


@pytest.mark.parametrize(
    "headers",
    [["Host: evil.example"], ["Host: 127.0.0.1.evil.example:9464"], ["Host: 192.0.2.1"], ["Host: [::1"],
     ["Host: 127.0.0.1", "Host: evil.example"], ["Host:"]],
    ids=["name", "like", "address", "broken", "two", "empty"],
)  # fmt: skip
def test_a_page_whose_name_leads_here_reads_nothing(listener: Listener, headers: list[str]) -> None:
    assert answer_to(listener, *headers).startswith(b"HTTP/1.0 421 ")


def test_who_permits_other_machines_chooses_the_name() -> None:
    made = Listener("127.0.0.1", 0, {"/metrics": lambda: (200, "text/plain", b"x 1\n")}, beyond_loopback=True)
    made.start()
    assert answer_to(made, "Host: metrics.internal").endswith(b"x 1\n")
    made.stop()


def test_a_request_in_drops_is_cut_as_a_whole(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.telemetry.listener._SECONDS", 0.3)
    ended = False
    with socket.create_connection(("127.0.0.1", listener.port), timeout=0.05) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: ")
        for _ in range(400):  # a byte every 50 ms resets the time of each read
            try:
                client.sendall(b"a")
                ended = client.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
            if ended:
                break
    assert ended
