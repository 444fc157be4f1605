"""Bodies made to hurt, at a real server: a typed refusal, one closed record, and memory that does not grow."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from served import Served, answer
from troth.cli.demo.stage import Person

MEGABYTE = 1 << 20
CHAT = "/v1/chat/completions"
FILES = "/v1/files"
MOST_GROWTH = 200 * MEGABYTE  # of resident memory, over all of this: the largest body is 32 MiB


@pytest.fixture(scope="module")
def owner(server: Served) -> Person:
    return server.tenant("bodies")


@pytest.fixture(scope="module")
def bearer(server: Served, owner: Person) -> bytes:
    return b"Authorization: Bearer " + server.key(owner).encode() + b"\r\n"


def peak(server: Served) -> int:
    """Most bytes of memory that the server ever had (VmHWM of proc(5))."""
    mark = f"TROTH_SERVER__PORT={server.stage.port}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                (line,) = [one for one in (folder / "status").read_text().splitlines() if one.startswith("VmHWM")]
                return int(line.split()[1]) * 1024
    raise AssertionError("no server")


@pytest.fixture(scope="module", autouse=True)
def memory_stays_bounded(server: Served, bearer: bytes) -> Iterator[None]:
    assert send(server, bearer, FILES, form(*OK))[0] == 200
    before = peak(server)
    yield
    print("GROWTH", (peak(server) - before) // MEGABYTE, before // MEGABYTE)
    assert peak(server) - before < MOST_GROWTH


def part(name: str, value: bytes, filename: str | None = None, more: bytes = b"") -> bytes:
    file = f'; filename="{filename}"' if filename else ""
    head = f'Content-Disposition: form-data; name="{name}"{file}\r\n'.encode()
    return head + more + b"\r\n" + value


def form(*parts: bytes) -> bytes:
    return b"".join(b"--x\r\n" + one + b"\r\n" for one in parts) + b"--x--\r\n"


def head(path: str, bearer: bytes, kind: str, rest: bytes) -> bytes:
    start = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n".encode()
    return start + bearer + rest + b"\r\n\r\n"


def send(server: Served, bearer: bytes, path: str, body: bytes, kind: str = "") -> tuple[int, str, str]:
    """Status, code and request id of the answer to a whole body."""
    kind = kind or ("application/json" if path == CHAT else "multipart/form-data; boundary=x")
    with server.connection() as secured:
        with contextlib.suppress(OSError):  # refused before everything was sent
            secured.sendall(head(path, bearer, kind, b"Content-Length: %d" % len(body)) + body)
        with contextlib.closing(HTTPResponse(secured)) as response:
            response.begin()
            said = json.loads(response.read())
            return response.status, code_of(said) if response.status >= 400 else "", response.headers["x-request-id"]


def code_of(said: Any) -> str:
    return str(said.get("error", said)["code"]).replace("_", "-")


def refusals(server: Served, owner: Person, code: str) -> list[tuple[str, str]]:
    """(request, operation) of the tenant's newest refused entries with this code."""
    time.sleep(0.1)
    entries = server.stage.client(owner.session).call("GET", "/v1/activity?limit=200").json()["entries"]
    told = [one for one in entries if (one["phase"], one["outcome"], one["code"]) == ("closed", "refused", code)]
    return [(one["request"], one["operation"]) for one in told]


DEEP = b'{"model": "troth-echo-1", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
MANY = b'{"model": "troth-echo-1", "messages": [' + b"{}," * (10 * MEGABYTE) + b"{}]}"
OPEN = b'{"a": "' + b'\\"' * (2 * MEGABYTE) + b",[" * (2 * MEGABYTE)
TWICE = b'{"model": "a", "model": "troth-echo-1", "messages": []}'
LATIN = '{"model": "troth-echo-1", "messages": [{"role": "user", "content": "Größe"}]}'
KIND = "application/json; charset="
OK = (part("file", b"text", "a.txt"), part("purpose", b"user_data"))

CASES = [
    ("ten thousand fields", FILES, form(*[part(f"f{n}", b"v") for n in range(10_000)]), "", 400, "broken-multipart"),
    ("ten thousand files", FILES, form(*[part(f"f{n}", b"v", "a") for n in range(10_000)]), "", 400,
     "broken-multipart"),
    ("a part's header without end", FILES, form(part("file", b"x", "a.txt", b"X: " + b"x" * (30 * MEGABYTE) + b"\r\n")),
     "", 400, "broken-multipart"),
    ("a part of many headers", FILES, form(part("file", b"x", "a.txt", b"X: y\r\n" * 100_000)), "", 400,
     "broken-multipart"),
    ("a part of empty headers", FILES, form(part("file", b"x", "a.txt", b":\r\n" * 100_000)), "", 400,
     "broken-multipart"),
    ("a field of megabytes", FILES, form(OK[0], part("purpose", b"x" * (20 * MEGABYTE))), "", 400, "broken-multipart"),
    ("a boundary that never comes", FILES, b"--y\r\n" * MEGABYTE, "", 400, "broken-multipart"),
    ("more than any route takes", FILES, form(part("file", b"x" * (33 * MEGABYTE), "a.txt")), "", 413,
     "body-too-large"),
    ("nested too deep", CHAT, DEEP, "", 400, "broken-json"),
    ("too many values", CHAT, MANY, "", 413, "json-too-many-values"),
    ("a text without end", CHAT, OPEN, "", 400, "broken-json"),
    ("a name twice", CHAT, TWICE, "", 400, "broken-json"),
    ("a charset of another time", CHAT, LATIN.encode("latin-1"), KIND + "latin-1", 415, "wrong-content-type"),
    ("latin letters as UTF-8", CHAT, LATIN.encode("latin-1"), "", 400, "broken-json"),
    ("sixteen bits", CHAT, LATIN.encode("utf-16"), "", 400, "broken-json"),
    ("sixteen bits, declared", CHAT, LATIN.encode("utf-16"), KIND + "utf-16", 415, "wrong-content-type"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "body", "kind", "status", "code"), CASES, ids=[one[0] for one in CASES])
def test_a_bad_body_is_refused_and_recorded(
    server: Served, owner: Person, bearer: bytes, name: str, path: str, body: bytes, kind: str, status: int, code: str
) -> None:
    found, said, request = send(server, bearer, path, body, kind)
    assert (found, said) == (status, code), name
    operation = "file.create" if path == FILES else "chat.complete"
    ends = time.monotonic() + 10
    while (records := refusals(server, owner, code).count((request, operation))) == 0:
        assert time.monotonic() < ends
    assert records == 1


@pytest.mark.parametrize("chunk", [1, 4096])
def test_a_flood_of_chunks_ends_at_the_limit(server: Served, owner: Person, bearer: bytes, chunk: int) -> None:
    """Neither many small chunks nor a body without a declared length gets past the limit of the route."""
    piece = b"%x\r\n" % chunk + b" " * chunk + b"\r\n"

    with server.connection() as secured:
        with contextlib.suppress(OSError):
            secured.sendall(head(CHAT, bearer, "application/json", b"Transfer-Encoding: chunked"))
            for _ in range(40 * MEGABYTE // 65536):
                secured.sendall(piece * (65536 // len(piece) + 1))
        status, said = answer(secured)
    assert (status, code_of(json.loads(said))) in ((413, "body-too-large"), (431, "head-too-large"))


@pytest.mark.parametrize("declared", [1000, 30 * MEGABYTE])
def test_a_body_shorter_than_declared_is_recorded(server: Served, owner: Person, bearer: bytes, declared: int) -> None:
    before = set(refusals(server, owner, "body-incomplete"))
    with server.connection() as secured:
        secured.sendall(head(FILES, bearer, "multipart/form-data; boundary=x", b"Content-Length: %d" % declared))
        secured.sendall(form(*OK)[:-8])
    ends = time.monotonic() + 10
    while not any(name == "file.create" for _, name in {*refusals(server, owner, "body-incomplete")} - before):
        assert time.monotonic() < ends


def test_a_length_beyond_every_limit_is_refused_before_the_body(server: Served, bearer: bytes) -> None:
    with server.connection() as secured:
        secured.sendall(head(FILES, bearer, "multipart/form-data; boundary=x", b"Content-Length: %d" % (1 << 40)))
        status, said = answer(secured)
    assert (status, code_of(json.loads(said))) == (413, "body-too-large")
