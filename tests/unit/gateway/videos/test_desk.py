"""Orders whose caller leaves, or deletes them while the vendor answers; what was uploaded goes with its order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from gateway_world import PERSON, TENANT, Upstream, World, drawing, serving
from troth.gateway.videos import store
from troth.gateway.wire.upload import Upload
from troth.gateway.wire.videos import CreateVideo, ListVideos, RemixVideo, Video
from troth.kernel.errors import Gone, TrothError


def order(model: str = "acme-video", picture: bool = False) -> CreateVideo:
    upload = Upload(filename="a.png", media_type="image/png", content=drawing(64, 48)) if picture else None
    return CreateVideo(prompt="waves", size="96x64", seconds="1", model=model, input_reference=upload)


class Slow:
    """A vendor that takes an order and answers when it is let; it notes what it is told to stop."""

    def __init__(self) -> None:
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        self.stopped = list[str]()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            self.stopped.append(request.path.rpartition("/")[2])
            return web.json_response({"deleted": True})
        self.asked.set()
        await self.let.wait()
        return web.json_response({"id": "video_abc", "status": "queued", "progress": 0})


@asynccontextmanager
async def ordering(world: World) -> AsyncIterator[tuple[Slow, asyncio.Task[Video]]]:
    """An order that the vendor has, and has not answered."""
    slow = Slow()
    async with serving(Upstream(handler=slow.answer)) as upstream:
        world.add_vendor(upstream.url)
        asking = asyncio.create_task(world.videos.create(world.call(), order()))
        await slow.asked.wait()
        yield slow, asking


def unended(world: World) -> list[store.Job]:
    with world.database.read() as connection:
        return store.unended(connection)


def test_who_leaves_finds_the_order_in_their_list(world: World) -> None:
    async def go() -> None:
        async with ordering(world) as (slow, asking):
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking
            slow.let.set()
            while unended(world)[0].upstream is None:
                assert world.videos._handing, "nobody waits for the vendor's answer"
                await asyncio.sleep(0.01)
            assert slow.stopped == []

    world.run(go())
    (found,) = world.videos.page(world.call(), ListVideos()).data
    assert (found.status, unended(world)[0].upstream) == ("queued", "video_abc")


def test_what_is_deleted_while_it_is_ordered_is_cancelled(world: World) -> None:
    async def go() -> list[str]:
        async with ordering(world) as (slow, asking):
            (job,) = unended(world)
            await world.videos.delete(world.call(), job.id)
            slow.let.set()
            with pytest.raises(Gone):
                await asking
            return slow.stopped

    assert world.run(go()) == ["video_abc"]
    assert unended(world) == []


def test_a_picture_goes_with_its_order(world: World) -> None:
    made = world.run(world.videos.create(world.call(), order("troth-motion-1", picture=True)))
    assert len(world.objects.list(TENANT, PERSON, kind="upload")) == 1
    world.run(world.videos.delete(world.call(), made.id))
    assert world.objects.list(TENANT, PERSON, kind="upload") == []


def test_a_picture_goes_with_an_order_that_nobody_takes(world: World) -> None:
    async def full(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async def go() -> None:
        async with serving(Upstream(handler=full)) as upstream:
            world.add_vendor(upstream.url)
            with pytest.raises(TrothError):
                await world.videos.create(world.call(), order(picture=True))

    world.run(go())
    assert world.objects.list(TENANT, PERSON, kind="upload") == []
    assert unended(world) == []


def test_the_picture_of_a_remix_goes_with_what_it_was_taken_from(world: World) -> None:
    made = world.run(world.videos.create(world.call(), order("troth-motion-1", picture=True)))
    with world.database.write() as connection:
        store.change(connection, made.id, state=store.DONE, ended_at=world.now)
    world.run(world.videos.remix(world.call(), RemixVideo(video_id=made.id, prompt="at night")))
    assert len(world.objects.list(TENANT, PERSON, kind="upload")) == 2
    world.run(world.videos.delete(world.call(), made.id))
    assert {one.kind for one in world.objects.list(TENANT, PERSON)} <= {"receipt"}
