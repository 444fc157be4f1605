"""A connection that sends nothing, or a request that never ends, is closed; an honest slow answer is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from troth.http import protocol
from troth.http.protocol import BoundedProtocol

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Any]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Reads the body, thinks longer than a head may take, answers."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(0.4)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def talk(what: Talk) -> Any:
    async def run() -> Any:
        config = uvicorn.Config(app, http=BoundedProtocol, ws="none", log_config=None, lifespan="off")
        config.load()
        state, loop = ServerState(), asyncio.get_running_loop()
        server = await loop.create_server(lambda: BoundedProtocol(config, state, {}), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        try:
            return await asyncio.wait_for(what(reader, writer), 5)
        finally:
            writer.close()
            server.close()

    return asyncio.run(run())


async def rest(reader: asyncio.StreamReader) -> bytes:
    """What was answered: whoever goes on sending may find the connection reset behind the answer."""
    answer = b""
    try:
        while part := await reader.read(1 << 16):
            answer += part
    except ConnectionResetError:
        answer += bytes(reader._buffer)  # type: ignore[attr-defined]
    return answer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    monkeypatch.setattr(protocol, "PACE_SECONDS", 0.2)


@pytest.mark.parametrize(
    "sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf"]
)
def test_who_does_not_go_on_is_closed(sent: bytes) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(sent)
        return await reader.read()

    assert b"200" not in talk(half)


def test_an_empty_line_after_an_answer_is_no_request() -> None:
    async def blank(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"ok")
        writer.write(b"\r\n")
        return await asyncio.wait_for(reader.read(), 2)

    assert talk(blank) == b""


def test_one_address_has_so_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "most_of_one_line", 3)
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 2.0)

    async def many(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[bytes]:
        place = writer.get_extra_info("peername")[:2]
        others = [await asyncio.open_connection(*place) for _ in range(3)]
        refused = await asyncio.wait_for(others[-1][0].read(), 1)
        elsewhere = await asyncio.open_connection(*place, local_addr=("127.0.0.2", 0))
        elsewhere[1].write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = await elsewhere[0].readuntil(b"ok")
        for _, other in [*others, elsewhere]:
            other.close()
        return [refused, answer[:12]]

    assert talk(many) == [b"", b"HTTP/1.1 200"]


def test_a_header_now_and_then_is_not_going_on() -> None:
    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(100):
            writer.write(b"X: x\r\n")
            await asyncio.sleep(0.05)
            if reader.at_eof():
                return number
        return 100

    assert talk(trickle) < 20


def test_the_answer_may_take_its_time_and_another_request_may_follow() -> None:
    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[bytes]:
        answers = []
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
            answers.append(await reader.readuntil(b"ok"))
        return answers

    assert [one.startswith(b"HTTP/1.1 200") for one in talk(twice)] == [True, True]


def test_what_is_no_http_is_a_problem() -> None:
    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"nonsense\r\n\r\n")
        return await reader.read()

    answer = talk(nonsense)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b'"code": "broken-http"' in answer


def test_a_long_head_is_a_problem() -> None:
    async def long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * (protocol.MAX_OVERHEAD + 1))
        return await reader.read()

    answer = talk(long)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert b'"code": "head-too-large"' in answer


POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"


def test_a_body_at_a_crawl_is_refused_and_told_so() -> None:
    async def crawl(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(POST)
        while not reader.at_eof():
            writer.write(b"x")
            await asyncio.sleep(0.02)
            if reader._buffer:  # type: ignore[attr-defined]  # refused
                break
        return await rest(reader)

    answer = talk(crawl)
    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'"code": "body-too-slow"' in answer


def test_a_body_at_a_pace_may_last_for_many_looks() -> None:
    async def steady(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(POST)
        for _ in range(20):
            writer.write(b"x" * 50_000)
            await asyncio.sleep(0.04)
        return await reader.readuntil(b"ok")

    assert talk(steady).startswith(b"HTTP/1.1 200")


def test_a_body_has_an_end_however_fast_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.5)

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not reader._buffer:  # type: ignore[attr-defined]
            writer.write(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
            await asyncio.sleep(0.02)
        return await rest(reader)

    assert talk(endless).startswith(b"HTTP/1.1 408")
