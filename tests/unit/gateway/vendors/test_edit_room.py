"""Few pictures are changed at once, few wait, and the rest are told so."""

from __future__ import annotations

import asyncio
import threading

import pytest

from troth.gateway.vendors.edit_room import AT_ONCE, MOST, EditRoom
from troth.kernel.errors import TooMany


class Watched:
    """Work that waits to be let go, and counts how many do it at once."""

    def __init__(self) -> None:
        self.lock, self.go = threading.Lock(), threading.Event()
        self.now = self.most = self.done = 0

    def __call__(self) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go.wait(60)
        with self.lock:
            self.now -= 1
            self.done += 1
        return self.done


def test_so_many_are_made_so_many_wait_and_one_more_is_refused() -> None:
    room, work = EditRoom(), Watched()

    async def go() -> None:
        waiting = [asyncio.ensure_future(room.run(work)) for _ in range(MOST)]
        await asyncio.sleep(0)
        with pytest.raises(TooMany) as refused:
            await room.run(work)
        assert refused.value.code == "vendor-busy"
        work.go.set()
        assert sorted(await asyncio.gather(*waiting)) == list(range(1, MOST + 1))
        assert await room.run(lambda: "room again") == "room again"

    asyncio.run(go())
    assert work.most <= AT_ONCE


def test_what_nobody_waits_for_is_not_begun() -> None:
    room, work = EditRoom(), Watched()

    async def go() -> None:
        under_way = [asyncio.ensure_future(room.run(work)) for _ in range(AT_ONCE)]
        left = [asyncio.ensure_future(room.run(work)) for _ in range(MOST - AT_ONCE)]
        await asyncio.sleep(0)
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        late = [asyncio.ensure_future(room.run(work)) for _ in range(MOST - AT_ONCE)]  # their places are free
        await asyncio.sleep(0)
        work.go.set()
        await asyncio.gather(*under_way, *late)

    asyncio.run(go())
    assert work.done == MOST


def test_what_it_raises_is_raised_and_leaves_its_place() -> None:
    room = EditRoom()

    def broken() -> None:
        raise KeyError("x")

    async def go() -> None:
        for _ in range(2 * MOST):
            with pytest.raises(KeyError):
                await room.run(broken)

    asyncio.run(go())
