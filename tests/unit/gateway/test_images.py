"""Pictures: signed, sealed, and made by a vendor that never saw who asked."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gateway_world import DAY, PERSON, TENANT, Upstream, World, drawing, serving
from troth.gateway.assets import Assets
from troth.gateway.wire.images import EditImages, GenerateImages, Images
from troth.gateway.wire.upload import Upload
from troth.kernel.caller import anonymous
from troth.kernel.errors import Denied, Gone, Invalid, NotFound, Unavailable, VendorFailed
from troth.kernel.ids import id_bytes, new_id

PORTRAIT = (Path(__file__).parents[2] / "pictures" / "astronaut.jpg").read_bytes()
PROMPT = "A poster for Jane Doe, jane.doe@example.com"


def photo(width: int = 120, height: int = 80) -> bytes:
    """A JPEG with a GPS position in its EXIF."""
    picture = Image.new("RGB", (width, height), "teal")
    exif = Image.Exif()
    exif[0x010E] = "needle-of-jane"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif)
    return out.getvalue()


def upload(content: bytes, name: str = "jane.jpg", media_type: str = "image/jpeg") -> Upload:
    return Upload(filename=name, media_type=media_type, content=content)


def generate(prompt: str = PROMPT, **more: Any) -> GenerateImages:
    return GenerateImages.model_validate({"prompt": prompt, "size": "128x96"} | more)


def opened(images: Images, number: int = 0) -> tuple[bytes, str]:
    content = base64.b64decode(images.data[number].b64_json or "")
    with Image.open(io.BytesIO(content)) as picture:
        return content, f"{picture.format} {picture.width}x{picture.height}"


def test_local_studio_makes_signed_and_sealed_pictures(world: World) -> None:
    call = world.call()
    images = world.run(world.operations.generate_images(call, generate(n=2)))
    assert len(images.data) == 2
    content, shape = opened(images)
    assert shape == "PNG 128x96"
    assert "by rules, not by a model" in (images.data[0].revised_prompt or "")
    provenance = world.credentials.verify(content, "image/png")
    assert provenance.state == "trusted"
    assert (provenance.source or "").endswith("algorithmicMedia")
    kept = world.objects.list(TENANT, PERSON, kind="output")
    assert len(kept) == 2
    assert {world.objects.open(TENANT, PERSON, one.id)[1] for one in kept} >= {content}
    assert all(one.expires_at and one.expires_at <= world.now + 30 * DAY for one in kept)
    assert call.facts["objects"] == 2


def test_nothing_is_on_disk_in_clear(world: World) -> None:
    world.run(world.images.generate(world.call(), generate()))
    disk = world.bytes_on_disk()
    assert b"jane.doe" not in disk
    assert b"c2pa.created" not in disk  # the picture itself


@pytest.mark.parametrize(("wanted", "shape"), [("jpeg", "JPEG 128x96"), ("webp", "WEBP 128x96"), ("png", "PNG 128x96")])
def test_formats(world: World, wanted: str, shape: str) -> None:
    images = world.run(world.images.generate(world.call(), generate(output_format=wanted)))
    content, found = opened(images)
    assert found == shape
    assert world.credentials.verify(content, f"image/{wanted}").state == "trusted"
    assert images.output_format == wanted


@pytest.mark.parametrize(
    "more",
    [
        {"output_format": "png", "frame_count": 4},
        {"output_format": "svg", "stream": True, "partial_images": 1},
        {"partial_images": 2},
        {"background": "transparent", "output_format": "jpeg"},
        {"background": "transparent", "output_format": "pdf"},
        {"size": "4000x4000"},
        {"size": "16x16"},
    ],
)
def test_what_cannot_be_done_is_refused(world: World, more: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        world.run(world.images.generate(world.call(), generate(**more)))
    assert world.objects.list(TENANT, PERSON, kind="output") == []


def test_links_open_for_an_hour_and_for_one_tenant(world: World) -> None:
    images = world.run(world.images.generate(world.call(), generate(response_format="url")))
    assert images.data[0].b64_json is None
    token = images.data[0].url.rpartition("/")[2]
    _, picture = world.assets.open(token, anonymous())
    assert picture.media_type == "image/png"
    assert world.credentials.verify(picture.content, "image/png").state == "trusted"
    with pytest.raises(NotFound):
        world.assets.open(token, world.call(tenant=new_id("ten")).caller)
    with pytest.raises(NotFound):
        world.assets.open(token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), anonymous())
    with pytest.raises(NotFound):
        world.assets.open("x", anonymous())
    world.clock.forward(minutes=61)
    with pytest.raises(Gone):
        world.assets.open(token, anonymous())


def test_links_say_nothing_and_are_not_to_be_forged(world: World) -> None:
    images = world.run(world.images.generate(world.call(), generate(response_format="url")))
    (kept,) = world.objects.list(TENANT, PERSON, kind="output")
    token = images.data[0].url.rpartition("/")[2]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for name in (TENANT, PERSON, kept.id):
        assert name.encode() not in raw
        assert id_bytes(name) not in raw
    assert world.assets.link(TENANT, PERSON, kept.id) != world.assets.link(TENANT, PERSON, kept.id)
    for at in range(len(raw)):
        forged = bytearray(raw)
        forged[at] ^= 1
        with pytest.raises(NotFound):
            world.assets.open(base64.urlsafe_b64encode(forged).decode().rstrip("="), anonymous())
    elsewhere = Assets(world.objects, b"b" * 32, "https://troth.test", world.clock)
    with pytest.raises(NotFound):
        elsewhere.open(token, anonymous())


def test_vendor_gets_no_name_and_no_link_wish(world: World) -> None:
    async def go() -> tuple[Images, Upstream]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            request = generate(model="acme-image", user="jane", safety_identifier="jane", response_format="url")
            return await world.images.generate(world.call(), request), upstream

    images, upstream = world.run(go())
    sent = upstream.requests[0]
    assert sent["model"] == "upstream-image"
    assert sent["response_format"] == "b64_json"
    assert sent["user"] == sent["safety_identifier"]
    assert b"jane" not in upstream.received.lower()
    assert images.data[0].revised_prompt == PROMPT


def test_edit_strips_the_photo_and_names_its_parent(world: World) -> None:
    async def go() -> tuple[Images, Upstream]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            request = EditImages(prompt="For jane.doe@example.com", model="acme-image", image=[upload(photo())])
            return await world.images.edit(world.call(), request), upstream

    images, upstream = world.run(go())
    for needle in (b"needle-of-jane", b"jane", b"GPS"):
        assert needle not in upstream.received
    content, _ = opened(images)
    provenance = world.credentials.verify(content, "image/png")
    assert provenance.ingredients == 1
    assert (provenance.source or "").endswith("compositeWithTrainedAlgorithmicMedia")
    (kept,) = world.objects.list(TENANT, PERSON, kind="upload")
    (output,) = world.objects.list(TENANT, PERSON, kind="output")
    assert output.derived_from == (kept.id,)
    assert kept.name == "jane.jpg"
    world.objects.delete(TENANT, PERSON, kept.id)
    with pytest.raises(Gone):
        world.objects.open(TENANT, PERSON, output.id)


def test_local_edit_keeps_the_size(world: World) -> None:
    request = EditImages(prompt="brighter", image=[upload(photo())], mask=None)
    _, shape = opened(world.run(world.images.edit(world.call(), request)))
    assert shape == "PNG 120x80"


def test_a_cut_out_is_transparent_signed_and_names_its_photo(world: World) -> None:
    request = EditImages(prompt="remove the background", image=[upload(PORTRAIT)])
    images = world.run(world.images.edit(world.call(), request))
    content, shape = opened(images)
    assert (shape, images.background) == ("PNG 320x320", "transparent")
    assert "found by a small segmentation model" in (images.data[0].revised_prompt or "")
    provenance = world.credentials.verify(content, "image/png")
    assert (provenance.state, provenance.ingredients) == ("trusted", 1)


def test_a_vectorised_photo_is_a_signed_drawing(world: World) -> None:
    request = EditImages(prompt="vectorise it", image=[upload(PORTRAIT)], output_format="svg")
    images = world.run(world.images.edit(world.call(), request))
    content = base64.b64decode(images.data[0].b64_json or "")
    assert content.count(b"<path") > 50
    assert not re.search(rb"<script|href|<image|on\w+=", content)
    assert world.credentials.verify(content, "image/svg+xml").ingredients == 1


@pytest.mark.parametrize(
    ("prompt", "more", "code"),
    [
        ("turn it into a dragon", {}, "edit-not-understood"),
        ("remove the tree", {}, "mask-needed"),
        ("warmer", {"output_format": "svg"}, "format-not-supported"),
        ("vectorise it", {"output_format": "svg", "model": "acme-image"}, "format-not-supported"),
        ("upscale 4x", {"size": "4000x4000"}, "unsupported-size"),
    ],
)
def test_edits_that_the_studio_refuses(world: World, prompt: str, more: dict[str, Any], code: str) -> None:
    call = world.call()
    request = EditImages.model_validate({"prompt": prompt, "image": [upload(photo())]} | more)
    with pytest.raises(Invalid) as refusal:
        world.run(world.images.edit(call, request))
    assert refusal.value.code == code
    assert not world.objects.list(TENANT, PERSON, kind="output")


def test_mask_of_another_size(world: World) -> None:
    mask = upload(drawing(64, 64), "mask.png", "image/png")
    request = EditImages(prompt="brighter", image=[upload(photo())], mask=mask)
    with pytest.raises(Invalid) as refusal:
        world.run(world.images.edit(world.call(), request))
    assert refusal.value.code == "mask-size"


def test_vendor_not_cleared_for_pictures_gets_none(world: World) -> None:
    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url, raw_images=False)
            request = EditImages(prompt="brighter", model="acme-image", image=[upload(photo())])
            with pytest.raises(Denied) as refusal:
                await world.images.edit(world.call(), request)
            assert refusal.value.code == "pictures-not-cleared"
            return upstream

    assert world.run(go()).received == b""


def test_a_vendors_broken_picture_is_the_vendors_failure(world: World) -> None:
    async def go() -> None:
        async with serving(Upstream(picture=b"<html>")) as upstream:
            world.add_vendor(upstream.url)
            call = world.call()
            with pytest.raises(VendorFailed) as refusal:
                await world.images.generate(call, generate(model="acme-image"))
            assert refusal.value.code == "vendor-bad-picture"
            assert world.receipt(call).outcome == "vendor-bad-picture"

    world.run(go())
    assert world.objects.list(TENANT, PERSON, kind="output") == []


def test_when_one_picture_cannot_be_kept_none_is(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, count = world.objects.keep, 0

    def failing(request: Any, **more: Any) -> Any:
        nonlocal count
        count += request.kind == "output"
        if count == 2:
            raise Unavailable("The vault is full.")
        return keep(request, **more)

    monkeypatch.setattr(world.objects, "keep", failing)
    with pytest.raises(Unavailable):
        world.run(world.images.generate(world.call(), generate(n=2)))
    assert world.objects.list(TENANT, PERSON, kind="output") == []
