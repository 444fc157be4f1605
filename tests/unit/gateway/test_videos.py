"""Videos: ordered, made, sealed, signed; taken up again or failed with a code; gone with their person."""

from __future__ import annotations

import io
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import av
import encypher_c2pa
import pytest
from aiohttp import web
from PIL import Image

from gateway_world import PERSON, TENANT, Upstream, World, drawing, serving
from troth.gateway.studio.film import film
from troth.gateway.vendors.film_room import FilmRoom
from troth.gateway.videos import store
from troth.gateway.wire.upload import Upload
from troth.gateway.wire.videos import CreateVideo, ListVideos, RemixVideo, Video, VideoContent
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, TooMany, TrothError, VendorFailed
from troth.kernel.ids import new_id

PROMPT = "Waves for Jane Doe, jane.doe@example.com"
MINUTE = 60_000


@pytest.fixture(scope="module")
def short() -> bytes:
    """A film of a second, as a vendor hands it in: with a title."""
    made, out = film("waves", (96, 64), 1, seed=1, picture=None, told=lambda _: None), io.BytesIO()
    with av.open(io.BytesIO(made)) as source, av.open(out, "w", format="mp4") as container:
        container.metadata["title"] = "needle-of-jane"
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    return out.getvalue()


def order(**more: Any) -> CreateVideo:
    return CreateVideo.model_validate({"prompt": PROMPT, "size": "96x64", "seconds": "1"} | more)


def created(world: World, request: CreateVideo | None = None) -> tuple[Any, Video]:
    call = world.call()
    made = world.run(world.videos.create(call, request or order()))
    world.close(call)
    return call, made


def until_ended(world: World, job: str) -> Video:
    """Rounds of the runner until the job has ended, for at most a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        world.runner.work()
        found = world.videos.show(world.call(), job)
        if found.status in ("completed", "failed"):
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def content(world: World, job: str, variant: str = "video") -> bytes:
    wanted = VideoContent.model_validate({"video_id": job, "variant": variant})
    return world.videos.content(world.call(), wanted).content


def trusted(world: World, made: bytes, media_type: str) -> bool:
    told = encypher_c2pa.verify(
        made, media_type, telemetry=False, online=False, no_default_trust=True, trust_pem=world.credentials.anchor
    )
    return world.credentials.verify(made, media_type).state == "trusted" and told["validation_state"] == "Trusted"


def test_the_studio_makes_a_film_that_both_readers_trust(world: World) -> None:
    call, ordered = created(world)
    assert (ordered.status, ordered.progress, ordered.size, ordered.seconds) == ("queued", 0, "96x64", "1")
    made = until_ended(world, ordered.id)
    assert (made.status, made.progress, made.prompt, made.error) == ("completed", 100, PROMPT, None)
    assert made.completed_at is not None
    assert made.expires_at is not None
    video = content(world, ordered.id)
    assert trusted(world, video, "video/mp4")
    with av.open(io.BytesIO(video)) as film_:
        frames = [frame.to_image() for frame in film_.decode(video=0)]
    assert (len(frames), frames[0].size) == (24, (96, 64))
    assert frames[0].tobytes() != frames[12].tobytes()
    for variant, media_type, shape in (("thumbnail", "image/webp", "WEBP"), ("spritesheet", "image/jpeg", "JPEG")):
        picture = content(world, ordered.id, variant)
        assert trusted(world, picture, media_type)
        with Image.open(io.BytesIO(picture)) as opened:
            assert opened.format == shape
    receipt = world.receipts.show(TENANT, PERSON, call.request_id)
    assert (receipt.outcome, receipt.operation, len(receipt.objects)) == ("answered", "video.create", 1)
    assert receipt.marked == {"content-credentials": 1, "time-stamp": 0, "watermark": 0, "fingerprint": 1}
    assert "jane.doe" not in json.dumps(receipt.sent)


def test_rows_and_disk_hold_nothing_in_clear(world: World) -> None:
    _, ordered = created(world)
    until_ended(world, ordered.id)
    disk = world.bytes_on_disk()
    assert b"jane.doe" not in disk
    assert b"ftypisom" not in disk
    with world.database.read() as connection:
        (job,) = store.ended(connection, "", 10)
    assert PERSON not in repr(job)


def test_a_film_can_begin_with_a_picture_and_goes_with_it(world: World) -> None:
    reference = Upload(filename="jane.png", media_type="image/png", content=drawing(120, 90))
    _, ordered = created(world, order(input_reference=reference))
    assert until_ended(world, ordered.id).status == "completed"
    (upload,) = world.objects.list(TENANT, PERSON, kind="upload")
    world.objects.delete(TENANT, PERSON, upload.id)
    assert world.objects.list(TENANT, PERSON, kind="video") == []
    with pytest.raises((Gone, NotFound)):
        world.videos.show(world.call(), ordered.id)


def test_a_remix_derives_from_its_video(world: World) -> None:
    _, ordered = created(world)
    with pytest.raises(Conflict) as early:
        world.run(world.videos.remix(world.call(), RemixVideo(video_id=ordered.id, prompt="at night")))
    assert early.value.code == "video-not-ready"
    until_ended(world, ordered.id)
    call = world.call()
    again = world.run(world.videos.remix(call, RemixVideo(video_id=ordered.id, prompt="at night")))
    world.close(call)
    assert (again.remixed_from_video_id, again.size, again.prompt) == (ordered.id, "96x64", "at night")
    assert until_ended(world, again.id).status == "completed"
    world.run(world.videos.delete(world.call(), ordered.id))
    with pytest.raises((Gone, NotFound)):
        world.videos.show(world.call(), again.id)


def test_who_may_not_open_a_video_makes_no_other_from_it(world: World) -> None:
    _, ordered = created(world)
    until_ended(world, ordered.id)
    asked, call = list[str](), world.call()

    def refuse(operation: str) -> None:
        asked.append(operation)
        raise Denied("Not with this key.")

    call.also = refuse
    with pytest.raises(Denied):
        world.run(world.videos.remix(call, RemixVideo(video_id=ordered.id, prompt="at night")))
    assert asked == ["video.content"]
    assert len(world.objects.list(TENANT, PERSON, kind="video-order")) == 1


def test_pages_of_ones_own(world: World) -> None:
    made = [created(world)[1].id for _ in range(2)]
    first = world.videos.page(world.call(), ListVideos(limit=1))
    assert ([one.id for one in first.data], first.has_more) == ([made[1]], True)
    rest = world.videos.page(world.call(), ListVideos(limit=1, after=made[1]))
    assert ([one.id for one in rest.data], rest.has_more) == ([made[0]], False)
    assert world.videos.page(world.call(subject=new_id("usr")), ListVideos()).data == []
    with pytest.raises(NotFound):
        world.videos.show(world.call(subject=new_id("usr")), made[0])
    with pytest.raises(NotFound):
        world.videos.show(world.call(tenant=new_id("ten")), made[0])


def test_a_tenant_has_room_for_so_many(world: World) -> None:
    for _ in range(2):
        created(world)
    with pytest.raises(TooMany) as refused:
        created(world)
    assert refused.value.code == "too-many-videos"
    assert len(world.objects.list(TENANT, PERSON, kind="video-order")) == 2


@pytest.mark.parametrize("wish", [{"size": "97x64"}, {"size": "16x16"}, {"seconds": "13"}])
def test_what_the_studio_does_not_make_leaves_nothing(world: World, wish: dict[str, str]) -> None:
    with pytest.raises(TrothError):
        created(world, order(**wish))
    assert world.objects.list(TENANT, PERSON, kind="video-order") == []
    with world.database.read() as connection:
        assert store.unended(connection) == []


def test_deleting_stops_the_film(world: World) -> None:
    _, ordered = created(world, order(seconds="12", size="1280x720"))
    world.runner.work()
    world.run(world.videos.delete(world.call(), ordered.id))
    world.runner.work()
    assert world.videos.page(world.call(), ListVideos()).data == []
    with pytest.raises(NotFound):
        world.videos.show(world.call(), ordered.id)
    assert world.objects.list(TENANT, PERSON, kind="video") == []


def test_who_is_erased_has_no_job_left(world: World) -> None:
    _, ordered = created(world, order(seconds="12", size="1280x720"))
    (sealed,) = world.objects.list(TENANT, PERSON, kind="video-order")
    world.objects.delete(TENANT, PERSON, sealed.id)  # what an erasure does to every object
    world.runner.work()
    with world.database.read() as connection:
        assert store.find(connection, TENANT, ordered.id) is None
    assert world.recorder.entries[-1].operation == "video.ended"
    assert world.recorder.entries[-1].code == "gone"


def test_a_new_process_takes_a_film_up_again(world: World) -> None:
    _, ordered = created(world)
    world.runner = world.video_runner()  # nothing of the old process's memory
    assert until_ended(world, ordered.id).status == "completed"
    with world.database.read() as connection:
        job = store.find(connection, TENANT, ordered.id)
    assert job is not None
    assert job.tries == 1


def test_a_film_that_ends_every_process_ends_itself(world: World) -> None:
    _, ordered = created(world, order(seconds="12", size="1280x720"))
    for _ in range(5):
        world.runner = world.video_runner()
        world.runner.work()
    found = world.videos.show(world.call(), ordered.id)
    assert found.status == "failed"
    assert found.error is not None
    assert found.error.code == "video_interrupted"


def test_a_film_that_breaks_is_failed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = FilmRoom.begin

    def broken(room: FilmRoom, _work: Callable[..., bytes]) -> str:
        def fail(_told: Callable[[int], None]) -> bytes:
            raise RuntimeError

        return begin(room, fail)

    monkeypatch.setattr(FilmRoom, "begin", broken)
    _, ordered = created(world)
    assert until_ended(world, ordered.id).error is not None


@asynccontextmanager
async def studio_of_others(world: World, video: bytes, states: list[str]) -> AsyncIterator[Upstream]:
    """A vendor that speaks OpenAI's video API and goes through `states`."""
    left = list(states)

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.method == "DELETE":
            return web.json_response({"deleted": True})
        if request.path.endswith("/content"):
            return web.Response(body=video, content_type="video/mp4")
        state = left.pop(0) if len(left) > 1 else left[0]
        if state == "lost":
            return web.json_response({}, status=404)
        return web.json_response({"id": "video_abc", "status": state, "progress": 40})

    async with serving(Upstream(handler=handler)) as upstream:
        world.add_vendor(upstream.url)
        yield upstream


async def rounds(world: World, ordered: str, count: int = 6) -> Video:
    import asyncio  # noqa: PLC0415

    for _ in range(count):
        for tally in world.runner._tallies.values():
            tally.asked = float("-inf")
        await asyncio.to_thread(world.runner.work)
    return await asyncio.to_thread(world.videos.show, world.call(), ordered)


def from_others(world: World, video: bytes, *states: str, after: Callable[[], None] = lambda: None) -> Any:
    async def go() -> tuple[Video, Upstream, Any]:
        async with studio_of_others(world, video, ["queued", *states]) as upstream:
            call = world.call()
            made = await world.videos.create(call, order(model="acme-video"))
            world.close(call)
            after()
            return await rounds(world, made.id), upstream, call

    return world.run(go())


def test_a_vendor_is_asked_until_its_video_is_there(world: World, short: bytes) -> None:
    made, upstream, call = from_others(world, short, "queued", "in_progress", "completed")
    assert made.status == "completed"
    video = content(world, made.id)
    assert trusted(world, video, "video/mp4")
    assert b"needle-of-jane" in short
    assert b"needle-of-jane" not in video
    assert world.credentials.read(video, "video/mp4").source == "trainedAlgorithmicMedia"
    assert b"jane.doe" not in upstream.received
    assert world.receipts.show(TENANT, PERSON, call.request_id).vendor == "acme"


FAULTS: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...], str]] = {
    "failed": (lambda video: video, ("failed",), "vendor_video_failed"),
    "forgotten": (lambda video: video, ("lost",), "video_interrupted"),
    "html": (lambda _: b"<html>sorry</html>", ("completed",), "vendor_bad_video"),
    "cut": (lambda video: video[: len(video) // 3], ("completed",), "vendor_bad_video"),
    "empty": (lambda _: b"", ("completed",), "vendor_bad_video"),
    "picture": (lambda _: drawing(64, 64), ("completed",), "vendor_bad_video"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_vendors_fail_the_job_by_name(world: World, short: bytes, fault: str) -> None:
    spoilt, states, code = FAULTS[fault]
    made, _, call = from_others(world, spoilt(short), *states)
    assert made.status == "failed"
    assert made.error is not None
    assert made.error.code == code
    assert world.receipts.show(TENANT, PERSON, call.request_id).outcome == code.replace("_", "-")
    assert world.objects.list(TENANT, PERSON, kind="video") == []
    with pytest.raises(Conflict):
        content(world, made.id)


def test_a_vendor_that_never_ends_is_given_up(world: World, short: bytes) -> None:
    made, _, _ = from_others(world, short, "in_progress", after=lambda: world.clock.forward(minutes=31))
    assert made.error is not None
    assert made.error.code == "video_timeout"


def test_a_vendor_whose_papers_end_is_asked_nothing_more(world: World, short: bytes) -> None:
    def suspend() -> None:
        world.vendors.suspend("acme", "usr_two")

    made, upstream, _ = from_others(world, short, "completed", after=suspend)
    assert (made.status, made.error) == ("queued", None)
    assert len(upstream.headers) == 1, "the order, and no question after it"
    world.clock.forward(minutes=31)
    assert until_ended(world, made.id).error is not None


def test_an_order_cut_off_is_not_sent_twice(world: World) -> None:
    async def go() -> None:
        async with studio_of_others(world, b"", ["queued"]) as upstream:
            call = world.call()
            made = await world.videos.create(call, order(model="acme-video"))
            with world.database.write() as connection:  # as if the process had died before the vendor's answer
                store.change(connection, made.id, upstream=None)
            world.clock.forward(minutes=1)
            world.runner = world.video_runner()
            found = await rounds(world, made.id, 1)
            assert found.error is not None
            assert found.error.code == "video_interrupted"
            assert upstream.received.count(b"POST") <= 1

    world.run(go())


def test_a_vendor_that_refuses_leaves_nothing(world: World) -> None:
    async def go() -> None:
        async def handler(_request: web.Request) -> web.StreamResponse:
            return web.Response(body=b"<html>", content_type="text/html")

        async with serving(Upstream(handler=handler)) as upstream:
            world.add_vendor(upstream.url)
            with pytest.raises(VendorFailed):
                await world.videos.create(world.call(), order(model="acme-video"))

    world.run(go())
    assert world.objects.list(TENANT, PERSON, kind="video-order") == []


def test_a_judged_frame_fails_the_job(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from troth.kernel.errors import Denied  # noqa: PLC0415

    _, ordered = created(world)

    def strict(_pictures: Any) -> None:
        raise Denied("No.", code="moderation-blocked")

    monkeypatch.setattr(world.moderator, "check_pictures", strict)
    found = until_ended(world, ordered.id)
    assert found.error is not None
    assert found.error.code == "moderation_blocked"
    assert world.objects.list(TENANT, PERSON, kind="video") == []


def test_an_ended_job_does_not_change(world: World) -> None:
    _, ordered = created(world)
    until_ended(world, ordered.id)
    job = world.jobs.find(TENANT, ordered.id)
    world.jobs.change(job, state=store.QUEUED)
    assert world.jobs.find(TENANT, ordered.id) == replace(job, state=store.DONE)
