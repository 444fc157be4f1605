"""Every place of every gateway request where a client can put personal data, computed from the wire models: none of it
reaches a recording upstream, and the client's own text comes back (VEN-03). A field without an expectation fails.
"""

from __future__ import annotations

import base64
import importlib
import io
import json
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from pydantic import BaseModel, ValidationError

import troth.gateway
from gateway_expectations import EXPECTED, NO_VENDOR
from gateway_world import Upstream, World, completion, drawing, event, response_events, serving
from picture_world import read_in, saved, written
from troth.gateway.wire.images import EditImages
from troth.gateway.wire.upload import Upload
from troth.kernel.errors import TrothError
from troth.kernel.operation import Group, declarations
from wire_places import Place, places

MAIL, CARD = "needle@leak-test.com", 4111111111111111
CANARIES: dict[type, tuple[Any, ...]] = {
    str: (f"Please answer Jane Needlesworth at {MAIL} today, card 4111 1111 1111 1111.", MAIL, str(CARD)),
    int: (CARD,),
}
MARKS = ("Needlesworth", "leak-test", "4111 1111", str(CARD))
PICTURE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # noqa: E501
MODELS = {
    "chat.complete": ("acme-chat",),
    "response.create": ("acme-chat", "acme-native"),
    "embedding.create": ("acme-vectors",),
    "image.generate": ("acme-image",),
    "image.edit": ("acme-image",),
    "video.create": ("acme-video",),
}
# Operations that make a request of another one, and all that they have of their own.
SAME_WAY = {"video.remix": {"video_id", "prompt"}}
STREAMED = ("chat.complete", "response.create")


@dataclass(frozen=True)
class Ask:
    """How an operation is asked: what runs it, and the text that its answer gives back."""

    run: Callable[[World, Any], Awaitable[Any]]
    text: Callable[[Any], str]


async def ordered(world: World, request: Any) -> Any:
    """A video that is ordered, and called off: only so many are made at once."""
    made = await world.videos.create(world.call(), request)
    await world.videos.delete(world.call(), made.id)
    return made


ASKED: dict[str, Ask] = {
    "chat.complete": Ask(lambda w, r: w.chat.complete(w.call(), r), lambda a: a.choices[0]["message"]["content"]),
    "response.create": Ask(lambda w, r: w.answers.create_response(w.call(), r),
                           lambda a: "".join(part["text"] for part in a.output[0]["content"])),
    "embedding.create": Ask(lambda w, r: w.answers.create_embeddings(w.call(), r), lambda a: ""),
    "image.generate": Ask(lambda w, r: w.operations.generate_images(w.call(), r), lambda a: a.data[0].revised_prompt),
    "image.edit": Ask(lambda w, r: w.operations.edit_images(w.call(), r), lambda a: a.data[0].revised_prompt),
    "video.create": Ask(ordered, lambda a: a.prompt),
}  # fmt: skip


def reaching_vendors() -> dict[str, type[BaseModel]]:
    """The operations of the gateway that may reach a vendor, and their requests."""
    found = {}
    for module in pkgutil.walk_packages(troth.gateway.__path__, "troth.gateway."):
        for owner in vars(importlib.import_module(module.name)).values():
            if isinstance(owner, type):
                for _, one in declarations(owner):
                    if one.group is Group.GENERATE and one.route and one.route.method == "POST":
                        found[one.name] = one.request
    return {name: request for name, request in found.items() if name not in NO_VENDOR}


REQUESTS = reaching_vendors()
SAMPLES = {"url": PICTURE, "image_url": PICTURE, "filename": "a.png", "media_type": "image/png"}
PLACES = {name: places(REQUESTS[name], SAMPLES | {"bytes": drawing(80, 60)}) for name in ASKED}


def echo(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def chunks(body: dict[str, Any]) -> list[bytes]:
    whole = echo(body)
    if "input" in body:
        return response_events(whole)
    cuts = [whole[at : at + 7] for at in range(0, len(whole), 7)]
    told = [event([{"index": 0, "delta": {"content": cut}, "finish_reason": None}]) for cut in cuts]
    return [*told, b"data: [DONE]\n\n"]


@asynccontextmanager
async def recording(world: World, upstream: Upstream | None = None) -> AsyncIterator[Upstream]:
    """An upstream that keeps what it gets; a vendor as long as this lasts. Without another it says what it got."""
    upstream = upstream or Upstream(chat=lambda body: completion(echo(body)), chunks=chunks)
    vendor = f"acme-{len(world.vendors.all())}"
    async with serving(upstream):
        world.add_vendor(upstream.url, vendor=vendor)
        try:
            yield upstream
        finally:
            world.vendors.suspend(vendor, "usr_one")


def fitting(operation: str, place: Place, **fixed: Any) -> tuple[Any, BaseModel | None] | None:
    """The first canary that the wire model takes at this place, with its request; no request when it is refused by a
    code of its own; None when nothing fits."""
    for canary in CANARIES.get(place.base) or (picture("png"),):
        try:
            return canary, REQUESTS[operation].model_validate(asked_for(operation, place.build(canary), **fixed))
        except ValidationError:
            continue
        except TrothError:
            return canary, None
    return None


async def outcome(world: World, upstream: Upstream, ask: Ask, request: BaseModel, canary: Any) -> str:
    """`back`, `stays` or `refused`. Fails when a byte of the canary arrived."""
    before = len(upstream.received)
    try:
        answer = await ask.run(world, request)
        text = await streamed(answer) if getattr(request, "stream", None) else ask.text(answer)
    except TrothError as refusal:
        assert len(upstream.received) == before, refusal.code
        return "refused"
    received = upstream.received[before:].decode(errors="replace")
    assert received
    asked = upstream.requests[-1]
    read = received + (json.dumps(asked, ensure_ascii=False) if isinstance(asked, dict) else "")
    assert not [mark for mark in MARKS if mark in read]
    return "back" if str(canary) in str(text) else "stays"


async def streamed(answer: Any) -> str:
    text = b"".join([piece async for piece in answer.chunks]).decode()
    told = [json.loads(one.partition("data: ")[2]) for one in text.split("\n\n") if one and "[DONE]" not in one]
    said = [one["delta"] for one in told if one.get("type") == "response.output_text.delta"]
    return "".join(said + [c["delta"].get("content") or "" for one in told for c in one.get("choices", [])])


def asked_for(operation: str, values: dict[str, Any], **fixed: Any) -> dict[str, Any]:
    """The request with what every request of this operation has: a question at the end, and a model."""
    for name in ("messages", "input"):
        if isinstance(values.get(name), list) and operation != "embedding.create":
            values = values | {name: [*values[name], {"role": "user", "content": "go"}]}
    return values | fixed


def expected(operation: str) -> dict[str, str]:
    return {path: kind for kind, paths in EXPECTED[operation].items() for path in paths.splitlines() if path}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("leaks"))


def test_every_operation_that_may_reach_a_vendor_is_asked() -> None:
    assert set(REQUESTS) == {*ASKED, *SAME_WAY}
    assert all(REQUESTS[name].model_fields.keys() <= fields for name, fields in SAME_WAY.items())


@pytest.mark.parametrize("operation", ASKED)
def test_every_place_has_an_expectation(operation: str) -> None:
    assert {place.path for place in PLACES[operation]} == set(expected(operation))


@pytest.mark.parametrize(
    ("operation", "model", "stream"),
    [(name, model, stream) for name, models in MODELS.items() for model in models
     for stream in ((False, True) if name in STREAMED else (False,))],
)  # fmt: skip
def test_no_place_of_a_request_leaks(world: World, operation: str, model: str, stream: bool) -> None:
    wanted, found = expected(operation), {}
    natively = {"native": "back" if model == "acme-native" else "refused"}

    async def go() -> None:
        async with recording(world) as upstream:
            for place in PLACES[operation]:
                named = {} if place.path == "model" else {"model": model}
                planted = fitting(operation, place, **named, **({"stream": True} if stream else {}))
                if planted is None or planted[1] is None:
                    found[place.path] = "closed" if planted is None else "refused"
                else:
                    found[place.path] = await outcome(world, upstream, ASKED[operation], planted[1], planted[0])

    world.run(go())
    assert found == {path: natively.get(kind, kind) for path, kind in wanted.items()}
    assert not [mark for mark in MARKS if mark.encode() in world.bytes_on_disk()]


def called(arguments: str) -> dict[str, Any]:
    return {"input": [{"type": "function_call", "call_id": "c1", "name": "f", "arguments": arguments}]}


def test_json_inside_a_string_hides_nothing(world: World) -> None:
    hidden = {
        "value": json.dumps({"to": MAIL}),
        "escaped": json.dumps({"to": MAIL}).replace("@", "\\u0040"),
        "key": json.dumps({MAIL: 1}),
        "twice": f'{{"a": "{MAIL}", "a": 1}}',
        "broken": f'{{"to": "{MAIL}',
        "number": json.dumps({"card": CARD}),
    }
    found = {}

    async def go() -> None:
        async with recording(world) as upstream:
            for model in MODELS["response.create"]:
                for name, arguments in hidden.items():
                    request = REQUESTS["response.create"].model_validate(called(arguments) | {"model": model})
                    canary = CARD if name == "number" else MAIL
                    found[model, name] = await outcome(world, upstream, ASKED["response.create"], request, canary)

    world.run(go())
    assert set(found.values()) == {"back"}


def cut(width: int) -> Callable[[dict[str, Any]], list[bytes]]:
    """An upstream that says again what it was told, in pieces of `width` characters."""

    def told(body: dict[str, Any]) -> list[bytes]:
        if "input" in body:
            return response_events(body["input"], width)
        whole = body["messages"][0]["content"]
        cuts = [whole[at : at + width] for at in range(0, len(whole), width)]
        return [*(event([{"index": 0, "delta": {"content": one}}]) for one in cuts), b"data: [DONE]\n\n"]

    return told


@pytest.mark.parametrize("operation", STREAMED)
def test_streams_come_back_at_every_cut(world: World, operation: str) -> None:
    text = f"{CANARIES[str][0]} And Bob Stone, second.{MAIL}."
    asked: dict[str, Any] = (
        {"messages": [{"role": "user", "content": text}]} if operation[0] == "c" else {"input": text}
    )

    async def go() -> None:
        async with recording(world) as upstream:
            for model in MODELS[operation]:
                for width in (1, 2, 3, 5, 7, 11, 16, 29, 64):
                    upstream.chunks = cut(width)
                    request = REQUESTS[operation].model_validate(asked | {"model": model, "stream": True})
                    assert await streamed(await ASKED[operation].run(world, request)) == text
            assert not [mark for mark in MARKS if mark.encode() in upstream.received]

    world.run(go())


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def picture(media: str) -> bytes:
    out, image = io.BytesIO(), Image.new("RGB", (80, 60), "teal")
    if media == "png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", MAIL)
        image.save(out, "PNG", pnginfo=info)
    else:
        exif = Image.Exif()
        exif[0x010E] = MAIL
        exif.get_ifd(0x8825)[1] = "N"
        image.save(out, media.upper(), exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("media", ["png", "jpeg", "webp"])
def test_pictures_leave_without_metadata_and_file_names(world: World, media: str) -> None:
    content = picture(media)
    assert MAIL.encode() in content
    url = f"data:image/{media};base64,{b64(content)}"

    async def go() -> Upstream:
        async with recording(world) as upstream:
            part = {"type": "image_url", "image_url": {"url": url}}
            chat = {"model": "acme-chat", "messages": [{"role": "user", "content": [part]}]}
            await ASKED["chat.complete"].run(world, REQUESTS["chat.complete"].model_validate(chat))
            message = {"role": "user", "content": [{"type": "input_image", "image_url": url}]}
            for model in MODELS["response.create"]:
                wish = REQUESTS["response.create"].model_validate({"model": model, "input": [message]})
                await ASKED["response.create"].run(world, wish)
            upload = Upload(filename=f"{MAIL}.{media}", media_type=f"image/{media}", content=content)
            edit = EditImages(prompt=CANARIES[str][0], model="acme-image", user=MAIL, image=[upload], mask=upload)
            await world.operations.edit_images(world.call(), edit)
            return upstream

    upstream = world.run(go())
    sent = [upstream.requests[n]["messages"][0]["content"][0]["image_url"]["url"] for n in (0, 1)]
    sent.append(upstream.requests[2]["input"][0]["content"][0]["image_url"])
    assert not [one for one in sent if b"leak-test" in base64.b64decode(one.partition(",")[2])]
    assert not [mark for mark in MARKS if mark.encode() in upstream.received]
    assert len(upstream.requests) == 4


def test_text_in_pictures_is_covered(world: World) -> None:
    """Chat and edits: tests/unit/gateway/test_picture_step.py."""
    page = saved(written([f"write to {MAIL}", "See you at noon"], size=(480, 160), letters=26))
    assert MAIL in read_in(page)
    message = {"role": "user", "content": [{"type": "input_image", "image_url": f"data:image/png;base64,{b64(page)}"}]}

    async def go() -> Upstream:
        async with recording(world) as upstream:
            for model in MODELS["response.create"]:
                wish = REQUESTS["response.create"].model_validate({"model": model, "input": [message]})
                await ASKED["response.create"].run(world, wish)
            return upstream

    chat, native = world.run(go()).requests
    sent = [chat["messages"][0]["content"][0]["image_url"]["url"], native["input"][0]["content"][0]["image_url"]]
    read = [read_in(base64.b64decode(url.partition(",")[2])) for url in sent]
    assert not [one for one in read if "leak-test" in one]
    assert all("See you at noon" in one for one in read)


def test_two_requests_never_share_placeholders(world: World) -> None:
    """A vendor that answers one person with another's placeholder gives away nothing."""
    seen: list[str] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        seen.append(body["messages"][0]["content"])
        return completion(" ".join(seen))

    async def go() -> list[str]:
        async with recording(world, Upstream(chat=answer)):
            answers = []
            for number in ("one", "two"):
                wish = {"model": "acme-chat", "input": f"{number}.{MAIL}"}
                got = await ASKED["response.create"].run(world, REQUESTS["response.create"].model_validate(wish))
                answers.append(ASKED["response.create"].text(got))
            return answers

    first, second = world.run(go())
    assert first == f"one.{MAIL}"
    assert f"one.{MAIL}" not in second
    assert second.endswith(f"two.{MAIL}")
