"""Where a verifier reads from: limits of size, no pipes, no redirects, https beyond this machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from troth.audit import log_source
from troth.audit.log_source import Website, folder
from troth.kernel.errors import IntegrityError, Invalid, NotFound, Unavailable

ANSWERS = {"/log/checkpoint": (200, b"note"), "/log/tile/0/000": (200, bytes(8193)), "/log/moved": (302, b"")}


ENOUGH = threading.Event()


class Served(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/log/slow":
            self.drip()
        else:
            self.answer()

    def answer(self) -> None:
        status, body = ANSWERS.get(self.path, (404, b"nothing"))
        if self.path == "/log/secret":
            status = 200 if self.headers.get("authorization") == "Bearer x" else 401
        self.send_response(status)
        self.send_header("location", "/log/checkpoint")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self) -> None:
        """An answer whose end never comes."""
        self.send_response(200)
        self.send_header("content-length", "1000000")
        self.end_headers()
        with suppress(OSError):
            while not ENOUGH.wait(0.01):
                self.wfile.write(b"x")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Served) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/log"
        server.shutdown()
        thread.join()


def test_a_folder_gives_what_is_in_it_and_no_more(tmp_path: Path) -> None:
    read = folder(tmp_path)
    (tmp_path / "tile/0").mkdir(parents=True)
    (tmp_path / "tile/0/000").write_bytes(bytes(8192))
    assert len(read("tile/0/000")) == 8192
    (tmp_path / "tile/0/001").write_bytes(bytes(8193))
    with pytest.raises(IntegrityError, match="larger"):
        read("tile/0/001")
    os.mkfifo(tmp_path / "checkpoint")
    for path in ("checkpoint", "tile/0", "tile/0/002", "tile/0/000/more"):
        with pytest.raises(NotFound):
            read(path)


def test_a_web_address_gives_the_same(address: str) -> None:
    read = Website(address)
    assert read("checkpoint") == b"note"
    for path, refusal in {
        "tile/0/000": IntegrityError,
        "none": NotFound,
        "moved": Unavailable,
        "secret": Unavailable,
    }.items():
        with pytest.raises(refusal):
            read(path)
        assert read("checkpoint") == b"note"  # what was left of the answer is not read as this one
    read.close()
    known = Website(f"{address}/", headers=lambda _path: {"authorization": "Bearer x"})
    assert known("secret") == b"nothing"
    known.close()


@pytest.mark.parametrize(
    "url", ["http://log.example.org/", "ftp://localhost/", "https:///x", "https://a@b.test/", "https://b.test/?x=1"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        Website(url)


def test_a_server_that_never_ends_is_left(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_source, "_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="does not answer"):
        Website(address)("slow")
    ENOUGH.set()


def test_nobody_at_home_is_said(address: str) -> None:
    with pytest.raises(Unavailable):
        Website("http://127.0.0.1:1/")("checkpoint")
