"""Every format and every stage of a picture: in shape, judged, signed; and what vendors may not hand in for one."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import encypher_c2pa
import pytest
from aiohttp import web
from PIL import Image

from gateway_world import PERSON, TENANT, Upstream, World, drawing, serving
from troth.gateway.images import ImageDesk
from troth.gateway.pictures import Finisher, Origin
from troth.gateway.wire.images import EditImages, GenerateImages, Images
from troth.gateway.wire.upload import Upload
from troth.kernel.errors import Denied, TrothError, UnsupportedMedia, VendorFailed
from troth.kernel.operation import Stream

MEDIA = {"svg": "image/svg+xml", "gif": "image/gif", "pdf": "application/pdf", "png": "image/png"}


def generate(**more: Any) -> GenerateImages:
    return GenerateImages.model_validate({"prompt": "a lighthouse at dawn", "size": "160x128"} | more)


def edit(*pictures: bytes, **more: Any) -> EditImages:
    uploads = [Upload(filename=f"{n}.png", media_type="image/png", content=one) for n, one in enumerate(pictures)]
    return EditImages.model_validate({"prompt": "warmer", "image": uploads} | more)


def content(images: Images, number: int = 0) -> bytes:
    return base64.b64decode(images.data[number].b64_json or "")


def trusted(world: World, made: bytes, media_type: str) -> bool:
    """Whether both readers accept it."""
    told = encypher_c2pa.verify(
        made, media_type, telemetry=False, online=False, no_default_trust=True, trust_pem=world.credentials.anchor
    )
    return world.credentials.verify(made, media_type).state == "trusted" and told["validation_state"] == "Trusted"


@pytest.mark.parametrize("wanted", MEDIA)
def test_every_format_is_signed_for_both_readers(world: World, wanted: str) -> None:
    images = world.run(world.images.generate(world.call(), generate(output_format=wanted)))
    made = content(images)
    assert trusted(world, made, MEDIA[wanted])
    assert (images.output_format, images.size, images.background) == (wanted, "160x128", "opaque")
    (kept,) = world.objects.list(TENANT, PERSON, kind="output")
    assert (kept.media_type, kept.name.rpartition(".")[2]) == (MEDIA[wanted], wanted)


def test_a_drawing_is_shapes_and_nothing_else(world: World) -> None:
    made = content(world.run(world.images.generate(world.call(), generate(output_format="svg")))).decode()
    assert "<path" in made
    assert all(word not in made.lower() for word in ("<script", "href", "onload", "<image", "<style", "http://evil"))


def test_an_animation_has_its_frames_and_their_length(world: World) -> None:
    asked = generate(output_format="gif", frame_count=3, frame_duration_ms=80)
    with Image.open(io.BytesIO(content(world.run(world.images.generate(world.call(), asked))))) as film:
        assert (getattr(film, "n_frames", 0), film.info["duration"], film.size) == (3, 80, (160, 128))


def test_a_page_is_as_long_as_a4(world: World) -> None:
    made = content(world.run(world.images.generate(world.call(), generate(output_format="pdf"))))
    box = made[made.index(b"/MediaBox") :].partition(b"]")[0].split()
    assert 841 < max(float(side) for side in box[-2:]) < 843  # points


def test_a_transparent_ground_is_transparent(world: World) -> None:
    images = world.run(world.images.generate(world.call(), generate(background="transparent")))
    with Image.open(io.BytesIO(content(images))) as picture:
        assert picture.convert("RGBA").getpixel((1, 1)) == (0, 0, 0, 0)
    assert images.background == "transparent"


def test_what_was_used_is_told(world: World) -> None:
    images = world.run(world.images.generate(world.call(), generate(n=2, quality="hd")))
    assert images.usage is not None
    assert (images.usage.input_tokens, images.usage.output_tokens, images.usage.total_tokens) == (4, 40, 44)
    assert images.quality == "high"


def test_styles_are_two_pictures_of_one_scene(world: World) -> None:
    made = [
        content(world.run(world.images.generate(world.call(), generate(style=style)))) for style in ("vivid", "natural")
    ]
    assert made[0] != made[1]


async def events(stream: Any) -> list[dict[str, Any]]:
    assert isinstance(stream, Stream)
    text = b"".join([piece async for piece in stream.chunks]).decode()
    told = []
    for event in text.strip().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.split("\n"))
        told.append(json.loads(lines["data"]))
        assert lines.get("event", told[-1].get("type")) == told[-1].get("type")
    return told


def test_stages_grow_into_the_picture(world: World) -> None:
    call = world.call()

    async def go() -> list[dict[str, Any]]:
        return await events(await world.images.generate(call, generate(stream=True, partial_images=2)))

    told = world.run(go())
    assert [one["type"] for one in told] == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    assert [one.get("partial_image_index") for one in told] == [0, 1, None]
    pictures = [base64.b64decode(one["b64_json"]) for one in told]
    assert all(trusted(world, one, "image/png") for one in pictures)
    assert len(set(pictures)) == 3
    assert told[-1]["usage"]["total_tokens"] > 0
    assert len(world.objects.list(TENANT, PERSON, kind="output")) == 1
    assert world.receipt(call).outcome == "answered"


def test_edits_of_several_pictures_in_stages(world: World) -> None:
    asked = edit(drawing(200, 150), drawing(90, 160, 9), drawing(100, 100, 3), stream=True, partial_images=1)

    async def go() -> list[dict[str, Any]]:
        return await events(await world.images.edit(world.call(), asked))

    told = world.run(go())
    assert [one["type"] for one in told] == ["image_edit.partial_image", "image_edit.completed"]
    assert told[-1]["size"] == "1024x1024"
    (output,) = world.objects.list(TENANT, PERSON, kind="output")
    assert len(output.derived_from) == 3


def test_a_stage_is_judged_like_a_picture(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(pictures: Any) -> None:
        if list(pictures):
            raise Denied("No.", code="moderation-blocked")

    monkeypatch.setattr(world.moderator, "check_pictures", strict)
    call = world.call()
    with pytest.raises(Denied):
        world.run(world.images.generate(call, generate(stream=True, partial_images=1)))
    assert world.receipt(call).outcome == "moderation-blocked"
    assert world.objects.list(TENANT, PERSON, kind="output") == []


class Striking:
    """A marker that tells what it marked by its colour, and refuses the first `plain` pictures."""

    def __init__(self, plain: int) -> None:
        self.plain = plain

    def mark(self, image: Image.Image) -> Image.Image:
        self.plain -= 1
        if self.plain >= 0:
            raise UnsupportedMedia("Too plain.", code="watermark-no-hold")
        return Image.new("RGB", image.size, "fuchsia")

    def mark_frames(self, frames: Iterable[Image.Image], every: int = 12) -> Iterator[Image.Image]:
        return iter([self.mark(one) for one in frames])


@pytest.mark.parametrize(("plain", "told"), [(0, [True] * 3), (1, [True] * 2), (2, [True])])
def test_no_stage_leaves_unmarked_where_marks_are_required(world: World, plain: int, told: list[bool]) -> None:
    finisher = Finisher(world.credentials, Striking(plain), must_mark=True, fingerprints=world.fingerprints)
    desk = ImageDesk(world.clearance, world.moderator, finisher, world.objects, world.assets)

    async def go() -> list[dict[str, Any]]:
        return await events(await desk.generate(world.call(), generate(stream=True, partial_images=2)))

    made = [base64.b64decode(one["b64_json"]) for one in world.run(go())]
    assert [Image.open(io.BytesIO(one)).getpixel((1, 1)) == (255, 0, 255) for one in made] == told


def test_a_picture_that_is_withheld_was_shown_in_no_stage(world: World) -> None:
    finisher = Finisher(world.credentials, Striking(9), must_mark=True)
    desk = ImageDesk(world.clearance, world.moderator, finisher, world.objects, world.assets)
    with pytest.raises(UnsupportedMedia) as refused:  # before the response begins
        world.run(desk.generate(world.call(), generate(stream=True, partial_images=2)))
    assert refused.value.code == "watermark-required"
    with pytest.raises(UnsupportedMedia):
        finisher.stage(drawing(96, 64), "png", Origin("trainedAlgorithmicMedia"))


@asynccontextmanager
async def vendor(world: World, answer: Any) -> AsyncIterator[ImageDesk]:
    """A desk before a vendor that gives this answer: JSON, events or raw bytes."""

    async def handler(_request: web.Request) -> web.StreamResponse:
        if isinstance(answer, bytes):
            kind = "text/event-stream" if answer.startswith(b"data:") else "text/html"
            return web.Response(body=answer, content_type=kind)
        return web.json_response(answer)

    async with serving(Upstream(handler=handler)) as upstream:
        world.add_vendor(upstream.url)
        yield world.images


def pictures(*made: bytes, **more: Any) -> dict[str, Any]:
    return {"data": [{"b64_json": base64.b64encode(one).decode()} for one in made]} | more


def bomb() -> bytes:
    """A PNG of 900 million pixels in a megabyte."""
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    return out.getvalue()


def film(kind: str) -> bytes:
    """Two frames, of which only the first would be shown as a picture."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("green", "red")]
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


EVIL = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" onload="x()"><script>x()</script>'
    b'<image href="https://evil.test/x.png"/><a href="javascript:x()"><rect width="9" height="9"/></a>'
    b'<rect width="64" height="64" fill="url(https://evil.test/#a)" style="fill:red"/><circle r="5"/></svg>'
)
FAULTS = {
    "none": ({"data": []}, {}, "vendor-bad-answer"),
    "too-many": (pictures(drawing(64, 64), drawing(64, 64)), {}, "vendor-bad-answer"),
    "broken": (pictures(drawing(64, 64)[:-30]), {}, "vendor-bad-picture"),
    "html": (b"<html>sorry</html>", {}, "vendor-bad-answer"),
    "html-inside": (pictures(b"<html>sorry</html>"), {}, "vendor-bad-picture"),
    "no-base64": ({"data": [{"b64_json": "!!!"}]}, {}, "vendor-bad-answer"),
    "bomb": (pictures(bomb()), {}, "vendor-bad-picture"),
    "moving-png": (pictures(film("PNG")), {}, "vendor-bad-picture"),
    "moving-webp": (pictures(film("WEBP")), {"output_format": "webp"}, "vendor-bad-picture"),
    "no-drawing": (pictures(drawing(64, 64)), {"output_format": "svg"}, "vendor-bad-picture"),
    "entities": (pictures(b'<!DOCTYPE svg [<!ENTITY a "b">]>' + EVIL), {"output_format": "svg"}, "vendor-bad-picture"),
    "endless-loop": (pictures(b"GIF89a"), {"output_format": "gif", "frame_count": 2}, "vendor-bad-picture"),
    "stream-of-html": (b"<html>", {"stream": True}, "vendor-bad-answer"),
    "stream-of-nothing": (b"data: [DONE]\n\n", {"stream": True}, "vendor-truncated"),
    "stream-of-chat": (b'data: {"choices": []}\n\n', {"stream": True}, "vendor-bad-answer"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_vendors_are_named_and_nothing_is_kept(world: World, fault: str) -> None:
    answer, wish, code = FAULTS[fault]
    call = world.call()

    async def go() -> None:
        async with vendor(world, answer) as desk:
            with pytest.raises(VendorFailed) as refused:
                await desk.generate(call, generate(model="acme-image", **wish))
            assert refused.value.code == code

    world.run(go())
    assert world.receipt(call).outcome == code
    assert world.objects.list(TENANT, PERSON, kind="output") == []


def test_a_vendors_drawing_is_made_inert_and_its_usage_told(world: World) -> None:
    usage = {"input_tokens": 5, "output_tokens": 7, "total_tokens": 12, "input_tokens_details": {"text_tokens": 5}}

    async def go() -> Images:
        async with vendor(world, pictures(EVIL, usage=usage)) as desk:
            made = await desk.generate(world.call(), generate(model="acme-image", output_format="svg"))
            assert isinstance(made, Images)
            return made

    images = world.run(go())
    made = content(images).decode()
    assert "<circle" in made
    assert all(word not in made for word in ("script", "onload", "evil", "<image", "<a ", "style"))
    assert images.usage is not None
    assert images.usage.total_tokens == 12


def test_a_vendors_stages_come_through_and_a_break_is_told(world: World) -> None:
    part = base64.b64encode(drawing(160, 128)).decode()
    stage = {"type": "image_generation.partial_image", "partial_image_index": 0, "b64_json": part}
    call = world.call()

    async def go() -> list[dict[str, Any]]:
        async with vendor(world, b"data: " + json.dumps(stage).encode() + b"\n\n") as desk:
            stream = await desk.generate(call, generate(model="acme-image", stream=True, partial_images=1))
            assert isinstance(stream, Stream)
            told = [await anext(stream.chunks), await anext(stream.chunks)]
            with pytest.raises(TrothError):
                await anext(stream.chunks)
            return [json.loads(one.split(b"data: ")[1]) for one in told]

    first, second = world.run(go())
    assert trusted(world, base64.b64decode(first["b64_json"]), "image/png")
    assert second["error"]["code"] == "vendor_truncated"
    assert world.receipt(call).outcome == "vendor-truncated"
