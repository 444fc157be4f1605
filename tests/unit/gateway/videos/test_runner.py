"""A round goes on after a fault, and what a job uses is in its name; cases about its video are kept with its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import Connection

from gateway_world import PERSON, TENANT, Upstream, World, serving
from troth.gateway.moderation import Moderator
from troth.gateway.studio.film import film
from troth.gateway.videos import finishing
from troth.gateway.videos.clips import Clip, clip
from troth.gateway.wire.videos import CreateVideo, Video
from troth.kernel.errors import Denied
from troth.kernel.operation import Call
from troth.kernel.uses import VENDOR
from troth.storage.meters import Meters


def created(world: World, model: str | None = None) -> Video:
    wanted = CreateVideo(prompt="waves", size="96x64", seconds="1", model=model)
    made: Video = world.run(world.videos.create(world.call(), wanted))
    return made


def until_ended(world: World, job: str) -> Video:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(AttributeError):
            world.runner.work()
        found = world.videos.show(world.call(), job)
        if found.status in ("completed", "failed"):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def test_a_fault_ends_its_own_job_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    met = list[int]()

    def faulty(content: bytes, marker: Any) -> Clip:
        met.append(1)
        if len(met) == 1:
            raise AttributeError
        return clip(content, marker)

    monkeypatch.setattr(finishing, "clip", faulty)
    jobs = [created(world), created(world)]
    ended = [until_ended(world, one.id) for one in jobs]
    assert sorted(one.status for one in ended) == ["completed", "failed"]
    (error,) = [one.error for one in ended if one.error is not None]
    assert error.code == "video_fault"


class Filing(Moderator):
    """Opens a case about each video, as the office does; refuses it too when it is told so."""

    def __init__(self, refuse: bool) -> None:
        super().__init__()
        self.refuse, self.cases = refuse, list[bool]()
        self.call: Call | None = None

    def of(self, call: Call, side: Any) -> Moderator:
        self.call = call
        return self

    def check_pictures(self, wanted: Iterable[bytes]) -> None:
        assert self.call is not None
        if list(wanted):
            self.call.note(verdict="refuse" if self.refuse else "flag")
            self.call.finish_with(self._open)
            if self.refuse:
                raise Denied("No.", code="moderation-blocked")

    def _open(self, connection: Connection) -> None:
        self.cases.append(connection.in_transaction())


@pytest.mark.parametrize("refuse", [False, True])
def test_a_case_about_a_video_is_kept_with_its_end(world: World, refuse: bool) -> None:
    made = created(world)
    world.moderator = Filing(refuse)
    studio = world.ports._local
    world.runner = world.video_runner(studio)  # type: ignore[arg-type]
    found = until_ended(world, made.id)
    assert found.status == ("failed" if refuse else "completed")
    assert world.moderator.cases == [True]
    entry = world.recorder.entries[-1]
    assert (entry.operation, entry.facts["verdict"]) == ("video.ended", "refuse" if refuse else "flag")
    assert len(world.objects.list(TENANT, PERSON, kind="video")) == (0 if refuse else 1)


def test_what_a_job_asks_of_its_vendor_is_in_its_name(world: World) -> None:
    video = film("waves", (96, 64), 1, seed=1, picture=None, told=lambda _: None)

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/content"):
            return web.Response(body=video, content_type="video/mp4")
        state = "queued" if request.method == "POST" else "completed"
        return web.json_response({"id": "video_abc", "status": state, "progress": 40})

    async def go() -> Video:

        async with serving(Upstream(handler=answer)) as upstream:
            world.add_vendor(upstream.url)
            wanted = CreateVideo(prompt="waves", size="96x64", seconds="1", model="acme-video")
            made = await world.videos.create(world.call(), wanted)
            meters = Meters(world.database)
            world.runner._finishing._meter = meters
            world.runner._ports._meter = meters
            await asyncio.to_thread(world.runner.work)
            return await asyncio.to_thread(world.videos.show, world.call(), made.id)

    assert world.run(go()).status == "completed"
    entry = world.recorder.entries[-1]
    assert entry.operation == "video.ended"
    assert entry.facts["uses"] == {VENDOR: 2}
