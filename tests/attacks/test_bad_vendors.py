"""Vendors that hang, flood, lie, break off: a typed error, bounded time and memory, receipt and record closed with it.

Each is a real server on loopback that speaks bytes, not a library; each failure counts for the vendor's rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import struct
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_world import PERSON, TENANT, World, completion, event
from troth.gateway.vendors.bounds import Limits
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import TrothError
from troth.kernel.ids import new_id
from troth.kernel.operation import Registry, Stream
from worlds import FaultList, RoleDecider, person

MEGABYTE = 1 << 20
USUAL = Limits(seconds=20, idle_seconds=20, answer_bytes=MEGABYTE)
STILL = replace(USUAL, idle_seconds=0.2)  # what stands still is cut long before its whole time is over
SHORT = replace(USUAL, seconds=0.5)  # what goes on, or never begins, is cut when its whole time is over
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

BOMB = gzip.compress(bytes(64 * MEGABYTE))
GOOD = json.dumps(completion("Hello")).encode()
SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
CHUNK = event([{"index": 0, "delta": {"content": "Hello"}}])
LONG = event([{"index": 0, "delta": {"content": "Hello " * 2000}}])


def answer(body: bytes, head: str = "content-type: application/json", length: int | None = None) -> bytes:
    count = len(body) if length is None else length
    return f"HTTP/1.1 200 OK\r\n{head}\r\ncontent-length: {count}\r\n\r\n".encode() + body


def says(content: bytes) -> Talk:
    """Says that and hangs up."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return talk


def says_and_waits(content: bytes) -> Talk:
    """Says that, and then nothing, for longer than anybody waits."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await asyncio.sleep(30)

    return talk


def repeats(start: bytes, piece: bytes, pause: float = 0.0) -> Talk:
    """Never ends by itself."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return talk


def resets(content: bytes) -> Talk:
    """Says that, and resets the connection."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(1, 13, linger)  # SOL_SOCKET, SO_LINGER
        writer.transport.abort()

    return talk


@contextlib.asynccontextmanager
async def vendor(talk: Talk) -> AsyncIterator[str]:
    """The address of a server that reads one request and then does as `talk` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].split(b":")[1]))
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()


class Asking:
    """The gateway behind the dispatcher, with a bad vendor."""

    def __init__(self, folder: Path, limits: Limits = USUAL) -> None:
        self.world = World(folder)
        self.world.ports._limits = limits
        registry = Registry(self.world.operations)
        self.dispatcher = Dispatcher(registry, RoleDecider(), self.world.recorder, self.world.clock, FaultList())
        self.caller = replace(person("generate", tenant=TENANT, actor=PERSON), jurisdiction="eu")
        self.told = b""
        self.failures = 0  # of the vendor in a row

    async def once(self, *, stream: bool) -> tuple[str, str]:
        """(code that came out, request id)."""
        said = {"model": "acme-chat", "messages": [{"role": "user", "content": "Hello"}], "stream": stream}
        request, identifier = CompleteChat.model_validate(said), new_id("req")
        try:
            return await self._answered(request, identifier), identifier
        except TrothError as error:
            return error.code, identifier
        finally:
            (known,) = self.world.ports._open.values()
            self.failures = known[1].health._failures

    async def _answered(self, request: CompleteChat, identifier: str) -> str:
        result = await self.dispatcher.run_async("chat.complete", self.caller, request, identifier)
        if isinstance(result, Stream):
            async for piece in result.chunks:
                self.told += piece
        return "done"

    def ended(self, identifier: str) -> tuple[str, list[tuple[str, str | None]]]:
        """(outcome on the receipt, the closing entries)."""
        with self.world.database.write() as connection:
            while self.world.recorder.changes:
                self.world.recorder.changes.pop(0)(connection)
        receipt = self.world.receipts.show(TENANT, PERSON, identifier)
        entries = [one for one in self.world.recorder.entries if one.request == identifier and one.phase == "closed"]
        return receipt.outcome, [(str(one.outcome), one.code) for one in entries]


def run(folder: Path, talk: Talk, code: str, limits: Limits, *, stream: bool = False) -> Asking:
    """Asks once, and judges everything that must be true however a vendor misbehaves."""
    asking = Asking(folder, limits)

    async def go() -> tuple[str, str]:
        async with vendor(talk) as url:
            asking.world.add_vendor(url)
            return await asyncio.wait_for(asking.once(stream=stream), 6)

    tracemalloc.start()
    try:
        found, identifier = asking.world.run(go())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == code
    assert peak < 40 * MEGABYTE
    assert asking.ended(identifier) == (code, [("refused", code)])
    return asking


WHOLE = [
    ("hangs before the head", says_and_waits(b""), "vendor-timeout"),
    ("hangs in the head", says_and_waits(b"HTTP/1.1 200 OK\r\ncontent-"), "vendor-timeout"),
    ("hangs in the body", says_and_waits(answer(GOOD[:10], length=len(GOOD))), "vendor-timeout"),
    ("drips", repeats(answer(b"{", length=9999), b" ", 0.05), "vendor-timeout"),
    ("interim answers without end", repeats(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.001), "vendor-timeout"),
    ("floods", repeats(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536), "vendor-flood"),
    ("floods in chunks", repeats(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                                 b"10000\r\n" + b" " * 65536 + b"\r\n"), "vendor-flood"),
    ("a bomb of gzip", says(answer(BOMB, "content-encoding: gzip")), "vendor-bad-answer"),
    ("says more than comes", says(answer(GOOD, length=len(GOOD) + 1000)), "vendor-failed"),
    ("says less than comes", says(answer(GOOD, length=10)), "vendor-failed"),
    ("a page", says(answer(b"<html>Sign in</html>", "content-type: text/html")), "vendor-bad-answer"),
    ("no JSON", says(answer(GOOD[:-3])), "vendor-bad-answer"),
    ("JSON too deep", says(answer(b"[" * 200_000)), "vendor-bad-answer"),
    ("JSON of another shape", says(answer(b'{"choices": {}}')), "vendor-bad-answer"),
    ("sends elsewhere", says(b"HTTP/1.1 307 x\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n"),
     "vendor-redirected"),
    ("one header without end", repeats(b"HTTP/1.1 200 OK\r\nx: ", b"x" * 65536), "vendor-failed"),
    ("headers without end", repeats(b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 1000), "vendor-failed"),
    ("chunks of lies", says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
     "vendor-failed"),
    ("resets", resets(answer(GOOD[:10], length=len(GOOD))), "vendor-failed"),
    ("no HTTP", says(b"SSH-2.0-OpenSSH_9.9\r\n"), "vendor-failed"),
    ("hangs up", says(b""), "vendor-failed"),
]  # fmt: skip

STREAMS = [
    ("JSON in place of a stream", says(answer(GOOD)), "vendor-bad-answer"),
    ("stands still before the first event", says_and_waits(SSE), "vendor-timeout"),
    ("stands still between events", says_and_waits(SSE + CHUNK), "vendor-timeout"),
    ("ends without the last event", says(SSE + CHUNK), "vendor-truncated"),
    ("events without end", repeats(SSE, LONG * 20), "vendor-flood"),
    ("a line of megabytes", repeats(SSE + CHUNK + b"data: ", b"x" * 65536), "vendor-flood"),
    ("an event of many lines", repeats(SSE, b"data: " + b"x" * 60_000 + b"\n"), "vendor-flood"),
    ("comments without end", repeats(SSE, b": still here\n\n" * 1000), "vendor-flood"),
    ("an event that is no JSON", says(SSE + CHUNK + b"data: {nonsense\n\n"), "vendor-bad-answer"),
    ("bytes that are no text", says(SSE + b"data: \xff\xfe\n\n"), "vendor-bad-answer"),
    ("resets in the middle", resets(SSE + CHUNK), "vendor-truncated"),
]

ENDS = {
    "hangs before the head": SHORT,
    "hangs in the head": SHORT,
    "drips": SHORT,
    "interim answers without end": SHORT,
    "hangs in the body": STILL,
    "stands still before the first event": STILL,
    "stands still between events": STILL,
}


@pytest.mark.parametrize(("name", "talk", "code"), WHOLE, ids=[one[0] for one in WHOLE])
def test_whole_answers(tmp_path: Path, name: str, talk: Talk, code: str) -> None:
    assert run(tmp_path, talk, code, ENDS.get(name, USUAL)).failures == 1


@pytest.mark.parametrize(("name", "talk", "code"), STREAMS, ids=[one[0] for one in STREAMS])
def test_streams(tmp_path: Path, name: str, talk: Talk, code: str) -> None:
    asking = run(tmp_path, talk, code, ENDS.get(name, USUAL), stream=True)
    assert asking.failures == 1
    assert b"[DONE]" not in asking.told, "a client can tell that it is not whole"


def test_what_comes_after_the_declared_length_is_not_the_next_answer(tmp_path: Path) -> None:
    """The rest of one answer must never be read as the answer to somebody else's request."""
    asking, planted = Asking(tmp_path), answer(json.dumps(completion("planted")).encode())

    async def go() -> list[str]:
        async with vendor(says_and_waits(answer(GOOD) + planted)) as url:
            asking.world.add_vendor(url)
            for _ in range(2):
                result = await asking.dispatcher.run_async(
                    "chat.complete",
                    asking.caller,
                    CompleteChat.model_validate({"model": "acme-chat", "messages": [{"role": "user", "content": "x"}]}),
                )
                yielded.append(result.choices[0]["message"]["content"])
        return yielded

    yielded: list[str] = []
    assert asking.world.run(go()) == ["Hello", "Hello"]


@pytest.mark.parametrize("stream", [False, True])
def test_five_answers_that_nobody_understands_give_it_a_rest(tmp_path: Path, stream: bool) -> None:
    asking, nonsense = Asking(tmp_path), says(SSE + b"data: x\n\n") if stream else says(answer(b"<html>"))

    async def go() -> list[str]:
        async with vendor(nonsense) as url:
            asking.world.add_vendor(url)
            return [(await asking.once(stream=stream))[0] for _ in range(6)]

    assert asking.world.run(go()) == ["vendor-bad-answer"] * 5 + ["vendor-resting"]


def test_a_stream_that_ends_well_counts_as_well(tmp_path: Path) -> None:
    asking = Asking(tmp_path)
    talks = iter([says(answer(b"<html>"))] * 4 + [says(SSE + CHUNK + b"data: [DONE]\n\n")])

    async def in_turn(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await next(talks)(reader, writer)

    async def go() -> list[str]:
        async with vendor(in_turn) as url:
            asking.world.add_vendor(url)
            return [(await asking.once(stream=number == 4))[0] for number in range(5)]

    assert asking.world.run(go())[-1] == "done"
    assert asking.failures == 0
