"""Clearance: what travels beside the payload is judged like what is in it."""

from __future__ import annotations

import asyncio
import base64
import io
import threading
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from gateway_world import PERSON, TENANT, World, drawing
from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.limiter import Limiter
from troth.gateway.limits.rules import amounts
from troth.gateway.receipts import Sent
from troth.gateway.redaction import Redaction
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.images import EditImages, GenerateImages
from troth.gateway.wire.responses import CreateResponse
from troth.gateway.wire.upload import Upload
from troth.gateway.wire.videos import CreateVideo
from troth.kernel.errors import Denied, NotFound, TooMany, TrothError, Unavailable
from troth.kernel.operation import Call


def upload(content: bytes) -> Upload:
    return Upload(filename="a.png", media_type="image/png", content=content)


def blocking(world: World, monkeypatch: pytest.MonkeyPatch, colour: tuple[int, int, int]) -> None:
    """A moderator that refuses pictures of one colour."""

    def check(pictures: Any) -> None:
        for one in pictures:
            with Image.open(io.BytesIO(one)) as opened:
                if opened.convert("RGB").getpixel((1, 1)) == colour:
                    raise Denied("No.", code="moderation-blocked")

    monkeypatch.setattr(world.moderator, "check_pictures", check)


@pytest.mark.parametrize("part", ["image", "mask"])
def test_every_part_of_an_edit_is_judged(world: World, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    good, bad = upload(drawing(64, 48, seed=7)), upload(drawing(64, 48, seed=99))
    blocking(world, monkeypatch, (99, 0, 90))
    parts = {"image": [good], "mask": good} | {part: [bad] if part == "image" else bad}
    with pytest.raises(Denied) as refused:
        world.run(world.images.edit(world.call(), EditImages.model_validate({"prompt": "brighter"} | parts)))
    assert refused.value.code == "moderation-blocked"


def test_the_first_picture_of_a_video_is_judged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    blocking(world, monkeypatch, (99, 0, 90))
    wanted = CreateVideo(prompt="waves", size="96x64", seconds="1", input_reference=upload(drawing(64, 48, seed=99)))
    with pytest.raises(Denied):
        world.run(world.videos.create(world.call(), wanted))


def test_who_has_used_up_their_limits_gets_no_picture_opened(world: World) -> None:
    world.clearance.limiter = limiter = Limiter({"user": amounts({"requests-per-day": 2})}, world.clock, b"s" * 32)
    broken = upload(b"no picture")
    url = f"data:image/png;base64,{base64.b64encode(broken.content).decode()}"
    part = {"type": "image_url", "image_url": {"url": url}}
    item = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url}]}
    chat = {"model": "acme-chat", "messages": [{"role": "user", "content": [part]}]}
    said = {"model": "m", "input": [item]}
    asked = [
        lambda: world.images.edit(world.call(), EditImages(prompt="a", image=[broken])),
        lambda: world.chat.complete(world.call(), CompleteChat.model_validate(chat)),
        lambda: world.answers.create_response(world.call(), CreateResponse.model_validate(said)),
        lambda: world.videos.create(world.call(), CreateVideo(prompt="a", size="96x64", input_reference=broken)),
    ]
    for one in asked:  # opened, and found to be none; nothing is taken by that
        with pytest.raises(TrothError) as refused:
            world.run(one())
        assert not isinstance(refused.value, TooMany)
    for _ in range(2):
        limiter.begin(world.call(), Estimate(), [])
    for one in asked:
        with pytest.raises(TooMany):
            world.run(one())


PART = GenerateImages(prompt="a lighthouse for jane.doe@example.com", size="96x64")


@pytest.mark.parametrize("fails", [False, True])
def test_who_leaves_while_a_part_is_cleared_leaves_nothing_open(
    world: World, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    world.clearance.limiter = limiter = Limiter({"user": amounts({"concurrent": 1})}, world.clock, b"s" * 32)
    reached, left, closed = threading.Event(), threading.Event(), list[Redaction]()
    opening, closing, call = world.receipts.open, Redaction.close, world.call()

    def slow(call: Call, vendor: VendorRecord, sent: Sent) -> ReceiptRow:
        reached.set()
        assert left.wait(10)
        if fails:
            raise Unavailable("The vault is full.")
        return opening(call, vendor, sent)

    def noted(redaction: Redaction) -> None:
        closed.append(redaction)
        closing(redaction)

    monkeypatch.setattr(world.receipts, "open", slow)
    monkeypatch.setattr(Redaction, "close", noted)

    async def go() -> None:
        asking = asyncio.ensure_future(anext(world.images.part(call, PART, 1)))
        await asyncio.to_thread(reached.wait, 10)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        left.set()
        await until(lambda: bool(closed) and (fails or ended()))

    def ended() -> bool:
        try:
            return world.receipts.show(TENANT, PERSON, f"{call.request_id}.part-1").outcome is not None
        except NotFound:
            return False

    world.run(go())
    assert len(closed) == 1
    if not fails:
        assert world.receipts.show(TENANT, PERSON, f"{call.request_id}.part-1").outcome == "cancelled"
    limiter.begin(world.call(), Estimate(), [])  # its place is free


async def until(done: Callable[[], bool]) -> None:
    """Wait for it, five seconds at most."""
    for _ in range(100):
        if done():
            return
        await asyncio.sleep(0.05)
