"""Short requests are cleared by a few threads; long ones do not stand before them, nor they before long ones."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from datetime import UTC, datetime

import pytest

from troth.gateway.few_threads import FewThreads
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.caller import Connection, anonymous
from troth.kernel.errors import Denied
from troth.kernel.operation import Call

WHO: ContextVar[str] = ContextVar("who")
CALL = Call(anonymous(Connection()), "req_test", datetime(2026, 1, 1, tzinfo=UTC))


def asked(length: int, **more: object) -> CompleteChat:
    return CompleteChat.model_validate(
        {"model": "m", "messages": [{"role": "user", "content": "x" * length}] * 2} | more
    )


def test_no_more_than_four_at_once() -> None:
    threads, lock, running, most = FewThreads(), threading.Lock(), 0, 0
    fifth = threading.Event()

    def work(_call: Call, _request: CompleteChat) -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running > 4:
                fifth.set()
        fifth.wait(0.2)  # who could begin meanwhile would
        with lock:
            running -= 1
        return threading.current_thread().name

    async def all_at_once() -> list[str]:
        return await asyncio.gather(*(threads.run(work, CALL, asked(100)) for _ in range(8)))

    names = asyncio.run(all_at_once())
    assert most == 4
    assert all(name.startswith("clearing") for name in names)


@pytest.mark.parametrize(
    "long",
    [asked(9000), asked(10, tools=[{"type": "function", "function": {"name": "f", "description": "d" * 16_300}}])],
)
def test_long_ones_wait_for_no_short_one(long: CompleteChat) -> None:
    threads, release = FewThreads(), threading.Event()

    def wait(_call: Call, _request: CompleteChat) -> bool:
        return release.wait(10)

    def name(_call: Call, _request: CompleteChat) -> str:
        return threading.current_thread().name

    async def both() -> str:
        held = [asyncio.ensure_future(threads.run(wait, CALL, asked(1))) for _ in range(4)]
        try:
            return await asyncio.wait_for(threads.run(name, CALL, long), 10)
        finally:
            release.set()
            assert await asyncio.gather(*held) == [True] * 4

    assert not asyncio.run(both()).startswith("clearing")


@pytest.mark.parametrize("length", [1, 9000])
def test_who_asks_and_what_is_raised_comes_along(length: int) -> None:
    def work(_call: Call, _request: CompleteChat) -> None:
        raise Denied(f"Not for {WHO.get()}.")

    async def one() -> None:
        WHO.set("somebody")
        await FewThreads().run(work, CALL, asked(length))

    with pytest.raises(Denied, match="Not for somebody"):
        asyncio.run(one())
