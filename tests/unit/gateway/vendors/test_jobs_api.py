"""Vendors with jobs, by their shipped descriptions, against servers that behave like them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Coroutine
from email import message_from_bytes
from typing import Any

import pytest
from aiohttp import web

from gateway_world import Upstream, drawing, serving
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel
from troth.gateway.vendors.job_description import Description, shipped
from troth.gateway.vendors.jobs_api import JobVendor, key_header
from troth.gateway.vendors.port import NOTHING_DONE, Attachment, VideoProgress
from troth.kernel.errors import TrothError, Unavailable

PICTURE = drawing(16, 16)
FILM = b"\0\0\0\x18ftypmp42 not really a film"
START = Attachment(PICTURE, "image/png", 16, 16)
WISH = {"model": "flux-pro-1.1", "prompt": "a pump", "size": "512x256", "seed": 7, "user": "psd_1", "n": 1}


LINK = "{own}/delivery/1.png?se=2026&sig=a%2Fb"


class Forest:
    """Black Forest Labs: two questions are answered Pending, then `last`."""

    def __init__(
        self, last: str = "Ready", link: str = "{own}/delivery/1.png?se=2026&sig=a%2Fb", polls: int = 2
    ) -> None:
        self.last, self.link, self.polls = last, link, polls
        self.submitted: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.paths: list[str] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.raw_path)
        self.keys.append(request.headers.get("x-key"))
        if request.path.startswith("/delivery"):
            return web.Response(body=PICTURE, content_type="image/png")
        if request.path == "/v1/get_result":
            self.polls -= 1
            own = f"http://{request.headers['Host']}"
            result = {"sample": self.link.replace("{own}", own)} if self.last == "Ready" else None
            word = "Pending" if self.polls >= 0 else self.last
            return web.json_response({"id": "job-1", "status": word, "result": result if self.polls < 0 else None})
        self.submitted.append(await request.json())
        return web.json_response({"id": "job-1", "polling_url": "https://evil.test/"})


class Stability:
    """Stability's image-to-video: 202 while it runs, then 200 with base64."""

    def __init__(self) -> None:
        self.running = 1
        self.fields: dict[str, Any] = {}
        self.headers: list[Any] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.headers.append(request.headers)
        if request.method == "POST":
            head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
            for part in message_from_bytes(head + await request.read()).walk():
                if name := part.get_param("name", header="content-disposition"):
                    self.fields[str(name)] = part.get_payload(decode=True)
            return web.json_response({"id": "a6dc6c6e20acda010fe14d71f180658f2896ed9b4ec25aa99a6ff06c796987c4"})
        if "gone" in request.path:
            return web.json_response({"errors": ["not found"]}, status=404)
        if self.running:
            self.running -= 1
            return web.json_response({"id": "x", "status": "in-progress"}, status=202)
        return web.json_response({"video": base64.b64encode(FILM).decode(), "finish_reason": "SUCCESS"})


Use = Callable[[JobVendor], Coroutine[Any, Any, Any]]


def asked(use: Use, server: Any, description: Description) -> Any:
    async def no_pause(_seconds: float) -> None:
        await asyncio.sleep(0)

    async def go() -> Any:
        async with serving(Upstream(handler=server)) as upstream:
            base, limits = upstream.url.removesuffix("/v1"), Limits(5)
            channel = Channel(base, None, limits,
                              authorize=key_header(description.key, description.headers, "secret-key"))  # fmt: skip
            opened = lambda place: Channel(place, None, limits)  # noqa: E731
            try:
                return await use(JobVendor(channel, base, description, opened, no_pause))
            finally:
                await channel.close()

    return asyncio.run(go())


def test_a_picture_of_black_forest_is_asked_for_until_it_is_there() -> None:
    server = Forest()
    made = asked(lambda vendor: vendor.image(WISH), server, shipped("black-forest"))
    assert [one.content for one in made] == [PICTURE]
    assert server.submitted == [{"prompt": "a pump", "width": 512, "height": 256, "seed": 7, "output_format": "png",
                                 "prompt_upsampling": False}]  # fmt: skip
    assert server.paths[0] == "/v1/flux-pro-1.1"
    assert server.paths[1:4] == ["/v1/get_result?id=job-1"] * 3
    assert server.keys == ["secret-key"] * 4 + [None]  # the place of the picture never sees the key
    assert server.paths[4] == "/delivery/1.png?se=2026&sig=a%2Fb"


def test_several_pictures_are_several_jobs_with_other_seeds() -> None:
    server = Forest(polls=0)
    made = asked(lambda vendor: vendor.image(WISH | {"n": 2, "size": "auto"}), server, shipped("black-forest"))
    assert len(made) == 2
    assert [one["seed"] for one in server.submitted] == [7, 8]
    assert "width" not in server.submitted[0]


def test_an_edit_sends_the_picture() -> None:
    server = Forest(polls=0)
    asked(lambda vendor: vendor.edit(WISH, [START], None), server, shipped("black-forest"))
    assert base64.b64decode(server.submitted[0]["input_image"]) == PICTURE


@pytest.mark.parametrize(
    ("word", "code"),
    [("Request Moderated", "moderation-blocked"), ("Content Moderated", "moderation-blocked"),
     ("Error", "vendor-failed"), ("Task not found", "vendor-failed"), ("A new word", "vendor-failed")],
)  # fmt: skip
def test_what_a_job_ends_with_is_told(word: str, code: str) -> None:
    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.image(WISH), Forest(word, polls=0), shipped("black-forest"))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.test/1.png",
        "https://bfl.ai.evil.test/1.png",
        "http://delivery.bfl.ai/1.png",
        "https://delivery.bfl.ai:8443/1.png",
        "https://user@delivery.bfl.ai/1.png",
        "https://169.254.169.254/latest",
        "http://127.0.0.1:1/1.png",
        "file:///etc/passwd",
        "{own}/1.png\r\nX: y",
        "https://[",
    ],
)
def test_links_to_other_places_are_not_followed(link: str) -> None:
    server = Forest(link=link, polls=0)
    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.image(WISH), server, shipped("black-forest"))
    assert refusal.value.code == "vendor-link-not-allowed"
    assert not any("1.png" in path for path in server.paths)


def test_the_hosts_of_a_description_may_be_asked() -> None:
    opened: list[str] = []

    class Delivery:
        async def fetch(self, path: str) -> bytes:
            opened.append(path)
            return PICTURE

        async def close(self) -> None:
            opened.append("closed")

    async def use(vendor: JobVendor) -> Any:
        vendor._opened = lambda place: opened.append(place) or Delivery()  # type: ignore[func-returns-value,assignment,return-value]
        return await vendor.image(WISH)

    asked(use, Forest(link="https://delivery-eu1.bfl.ai/a/1.png?sig=x", polls=0), shipped("black-forest"))
    assert opened == ["https://delivery-eu1.bfl.ai", "/a/1.png?sig=x", "closed"]


@pytest.mark.parametrize(
    ("place", "status", "count"),
    [("/v1/get_result", 429, 1), ("/v1/get_result", 503, 1), ("/v1/get_result", 401, 1), ("/delivery", 404, 1),
     ("/delivery", 503, 1), ("/v1/flux", 429, 2)],
)  # fmt: skip
def test_a_begun_job_never_counts_as_nothing_done(place: str, status: int, count: int) -> None:
    """Or the next vendor would get the prompt as well, and be paid as well."""
    forest = Forest(polls=0)

    async def server(request: web.Request) -> web.StreamResponse:
        begun = len(forest.submitted) > 0
        if begun and request.path.startswith(place):
            return web.Response(status=status)
        return await forest(request)

    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.image(WISH | {"n": count}), server, shipped("black-forest"))
    assert (refusal.value.code, len(forest.submitted)) == ("vendor-failed", 1)


def test_a_job_that_was_not_taken_does() -> None:
    async def server(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429)

    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.image(WISH), server, shipped("black-forest"))
    assert refusal.value.code in NOTHING_DONE


def test_a_job_that_does_not_end_is_given_up() -> None:
    slow = shipped("black-forest")
    hasty = slow.model_copy(update={"poll": slow.poll.model_copy(update={"seconds": 0.05})})
    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.image(WISH), Forest(polls=10**6), hasty)
    assert refusal.value.code == "vendor-timeout"


def test_a_video_of_stability_from_begin_to_end() -> None:
    server = Stability()

    async def use(vendor: JobVendor) -> Any:
        job = await vendor.video_create({"model": "svd", "prompt": "ignored", "seed": 3, "user": "psd_1"}, [START])
        states = [await vendor.video_poll(job), await vendor.video_poll(job), await vendor.video_poll("gone")]
        return states, await vendor.video_content(job)

    states, film = asked(use, server, shipped("stability-video"))
    assert states == [VideoProgress("in_progress"), VideoProgress("completed", 100), VideoProgress("unknown")]
    assert film == FILM
    assert server.fields == {"image": PICTURE, "seed": b"3", "motion_bucket_id": b"127"}
    assert {one["Authorization"] for one in server.headers} == {"Bearer secret-key"}
    assert {one["Accept"] for one in server.headers} == {"application/json"}


@pytest.mark.parametrize(
    ("use", "name"),
    [
        (lambda vendor: vendor.chat({"model": "m", "messages": []}), "black-forest"),
        (lambda vendor: vendor.responses({"model": "m"}), "black-forest"),
        (lambda vendor: vendor.embeddings({"model": "m"}), "black-forest"),
        (lambda vendor: vendor.image(WISH | {"n": 9}), "black-forest"),
        (lambda vendor: vendor.edit(WISH, [START, START], None), "black-forest"),
        (lambda vendor: vendor.edit(WISH, [START], START), "black-forest"),
        (lambda vendor: vendor.video_create(WISH, []), "black-forest"),
        (lambda vendor: vendor.image(WISH), "stability-video"),
        (lambda vendor: vendor.video_create(WISH, []), "stability-video"),
    ],
)
def test_what_a_description_does_not_offer_is_refused_before_anything_leaves(use: Use, name: str) -> None:
    server = Forest()
    with pytest.raises(TrothError) as refusal:
        asked(use, server, shipped(name))
    assert (refusal.value.code, server.paths) == ("call-not-offered", [])


@pytest.mark.parametrize("answer", [{"id": "../../admin"}, {"id": 7}, {}, ["x"], {"id": "a b"}])
def test_an_id_that_is_none_is_nonsense(answer: Any) -> None:
    async def server(_: web.Request) -> web.StreamResponse:
        return web.Response(text=json.dumps(answer), content_type="application/json")

    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.image(WISH), server, shipped("black-forest"))
    assert refusal.value.code == "vendor-bad-answer"


def test_a_description_that_nobody_wrote() -> None:
    with pytest.raises(Unavailable) as refusal:
        shipped("nobody")
    assert refusal.value.code == "description-unknown"
