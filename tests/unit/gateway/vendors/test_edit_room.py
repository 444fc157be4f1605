"""Few pictures are changed at once, few wait, and the rest are told so."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest

from troth.gateway.vendors.edit_room import AT_ONCE, MOST, SHARE, EditRoom
from troth.gateway.vendors.local_media import LocalMedia
from troth.gateway.vendors.port import Attachment
from troth.kernel.errors import TooMany
from troth.kernel.scope import Scope, within


def _tenants(places: int) -> list[str]:
    """Whose each of so many places is, when everybody takes no more than a share."""
    return [f"tenant {number // SHARE}" for number in range(places)]


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
        waiting = [asyncio.ensure_future(room.run(work, tenant)) for tenant in _tenants(MOST)]
        await asyncio.sleep(0)
        with pytest.raises(TooMany) as refused:
            await room.run(work, "one more")
        assert refused.value.code == "vendor-busy"
        work.go.set()
        assert sorted(await asyncio.gather(*waiting)) == list(range(1, MOST + 1))
        assert await room.run(lambda: "room again", "one more") == "room again"

    asyncio.run(go())
    assert work.most <= AT_ONCE


def test_what_nobody_waits_for_is_not_begun() -> None:
    room, work = EditRoom(), Watched()

    async def go() -> None:
        places = [asyncio.ensure_future(room.run(work, tenant)) for tenant in _tenants(MOST)]
        under_way, left = places[:AT_ONCE], places[AT_ONCE:]
        await asyncio.sleep(0)
        for one in left:
            one.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        whose = _tenants(MOST)[AT_ONCE:]  # their places are free
        late = [asyncio.ensure_future(room.run(work, tenant)) for tenant in whose]
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
                await room.run(broken, "one")

    asyncio.run(go())


def test_one_tenant_takes_a_share_and_leaves_the_rest_to_others() -> None:
    room, work = EditRoom(), Watched()

    async def go() -> None:
        waiting = [asyncio.ensure_future(room.run(work, "greedy")) for _ in range(SHARE)]
        await asyncio.sleep(0)
        with pytest.raises(TooMany) as refused:
            await room.run(work, "greedy")
        assert refused.value.code == "vendor-busy"
        waiting.append(asyncio.ensure_future(room.run(work, "other")))
        work.go.set()
        await asyncio.gather(*waiting)
        assert await room.run(lambda: "room again", "greedy") == "room again"

    asyncio.run(go())
    assert work.done == SHARE + 1


def test_the_studio_counts_the_edits_of_each_tenant() -> None:
    work = Watched()

    def edit(*_: Any, **__: Any) -> Any:
        work()
        raise KeyError("enough")

    media, sent = LocalMedia(edit, edit, re.compile("x^")), [Attachment(b"", "image/png", 1, 1)]

    async def go() -> list[Any]:
        asked = []
        for tenant in (*["greedy"] * (SHARE + 1), "other"):
            with within(Scope(tenant)):
                asked.append(asyncio.ensure_future(media.edit({"prompt": "brighter"}, sent, None)))
        await asyncio.sleep(0)
        work.go.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    ended = [type(one) for one in asyncio.run(go())]
    assert ended == [*[KeyError] * SHARE, TooMany, KeyError]
