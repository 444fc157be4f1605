"""Every place of every gateway request where a client can put personal data: none of it reaches a recording upstream,
all of it comes back (VEN-03; the places where LiteLLM with Presidio leaks are among them)."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from gateway_world import PERSON, TENANT, Upstream, World, chunks_of, completion, event, serving
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.images import EditImages, GenerateImages
from troth.gateway.wire.upload import Upload
from troth.kernel.errors import TrothError, Unavailable
from troth.redact.detect import Span

MAIL = "needle.{}@leak-test.com"
MARK = b"leak-test"
CARD = 4111111111111111
TEXT = "Please answer Jane Needlesworth at {} today."


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def tool(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f"} | function}]}


def called(arguments: str, name: str = "f") -> dict[str, Any]:
    call = {"id": "c1", "type": "function", "function": {"name": name, "arguments": arguments}}
    answer = {"role": "tool", "tool_call_id": "c1", "content": "ok"}
    return {"messages": [{"role": "assistant", "tool_calls": [call]}, answer, {"role": "user", "content": "go"}]}


def said(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} | more, {"role": "user", "content": "go"}]}


Place = Callable[[str], dict[str, Any]]
# Place -> the fields of a chat request that carry a needle there. True: the vendor's echo brings it back.
PLACES: dict[str, tuple[Place, bool]] = {
    "user text": (lambda n: said("user", n), True),
    "user text part": (lambda n: said("user", [{"type": "text", "text": n}]), True),
    "system text": (lambda n: said("system", n), True),
    "developer text": (lambda n: said("developer", n), True),
    "assistant text": (lambda n: said("assistant", n), True),
    "assistant text part": (lambda n: said("assistant", [{"type": "text", "text": n}]), True),
    "assistant refusal": (lambda n: said("assistant", None, refusal=n), True),
    "assistant refusal part": (lambda n: said("assistant", [{"type": "refusal", "refusal": n}]), True),
    "tool result": (
        lambda n: {
            "messages": [
                *called("{}")["messages"][:1],
                {"role": "tool", "tool_call_id": "c1", "content": n},
            ]
        },
        True,
    ),
    "tool-call arguments": (lambda n: called(json.dumps({"to": n})), True),
    "tool-call arguments, escaped": (lambda n: called(json.dumps({"to": n}).replace("@", "\\u0040")), True),
    "tool-call arguments, key": (lambda n: called(json.dumps({n: 1})), True),
    "tool-call arguments, twice": (lambda n: called(f'{{"a": "{n}", "a": 1}}'), True),
    "tool-call arguments, broken": (lambda n: called(f'{{"to": "{n}'), True),
    "custom tool input": (
        lambda n: {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "f", "input": n}}],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "ok"},
            ]
        },
        True,
    ),
    "tool description": (lambda n: tool(description=n), True),
    "tool schema description": (lambda n: tool(parameters={"properties": {"a": {"description": n}}}), True),
    "tool schema key": (lambda n: tool(parameters={"properties": {n: {"type": "string"}}, "required": [n]}), True),
    "tool schema enum": (lambda n: tool(parameters={"enum": ["x", n]}), True),
    "tool schema default": (lambda n: tool(parameters={"default": n}), True),
    "custom tool description": (
        lambda n: {"tools": [{"type": "custom", "custom": {"name": "f", "description": n}}]},
        True,
    ),
    "custom tool grammar": (
        lambda n: {"tools": [{"type": "custom", "custom": {"name": "f", "format": {"type": "text", "x": n}}}]},
        True,
    ),
    "answer schema": (
        lambda n: {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "description": n, "schema": {"title": n}},
            }
        },
        True,
    ),
    "prediction": (lambda n: {"prediction": {"type": "content", "content": n}}, True),
    "stop": (lambda n: {"stop": [n]}, True),
    "metadata value": (lambda n: {"metadata": {"a": n}}, False),
    "metadata key": (lambda n: {"metadata": {n[:64]: "a"}}, False),
    "user": (lambda n: {"user": n}, False),
    "safety identifier": (lambda n: {"safety_identifier": n}, False),
    "cache key": (lambda n: {"prompt_cache_key": n}, False),
}


def echo(body: dict[str, Any]) -> dict[str, Any]:
    return completion(json.dumps(body, ensure_ascii=False))


def request(fields: dict[str, Any], **more: Any) -> CompleteChat:
    base = {"model": "acme-chat", "messages": [{"role": "user", "content": "go"}]}
    return CompleteChat.model_validate(base | fields | more)


@pytest.mark.parametrize("place", list(PLACES))
def test_no_place_of_a_conversation_leaks(world: World, place: str) -> None:
    fields, comes_back = PLACES[place]
    needle = MAIL.format("one")
    short = place in {"user", "safety identifier", "cache key", "metadata key"} or "key" in place or "twice" in place
    text = needle if short else TEXT.format(needle)

    async def go() -> tuple[str, bytes]:
        async with serving(Upstream(chat=echo)) as upstream:
            world.add_vendor(upstream.url)
            answer = await world.chat.complete(world.call(), request(fields(text)))
            return answer.choices[0]["message"]["content"], upstream.received

    content, received = world.run(go())
    assert received
    assert MARK not in received
    assert b"Needlesworth" not in received
    assert "@" not in received.decode() if place.endswith("escaped") else True
    if comes_back:
        assert needle in content
    else:
        assert needle not in content
    assert MARK not in world.bytes_on_disk()


def test_numbers_in_free_json_are_read(world: World) -> None:
    fields = tool(parameters={"default": CARD, "maximum": 10}) | called(json.dumps({"card": CARD, "n": 3}))

    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            await world.chat.complete(world.call(), request(fields, seed=CARD))
            return upstream

    upstream = world.run(go())
    assert str(CARD).encode() not in upstream.received
    assert upstream.requests[0]["tools"][0]["function"]["parameters"]["maximum"] == 10


def test_all_places_at_once_streamed_back_at_every_cut(world: World) -> None:
    text = TEXT.format(MAIL.format("one")) + " And Bob Stone, " + MAIL.format("two") + "."

    async def go(width: int, number: int) -> tuple[str, bytes]:
        def chunks(body: dict[str, Any]) -> list[bytes]:
            whole = body["messages"][0]["content"]
            cuts = [whole[at : at + width] for at in range(0, len(whole), width)]
            return [*(event([{"index": 0, "delta": {"content": cut}}]) for cut in cuts), b"data: [DONE]\n\n"]

        async with serving(Upstream(chunks=chunks)) as upstream:
            world.add_vendor(upstream.url, vendor=f"acme-{number}")
            answer = await world.chat.complete(world.call(), request(said("user", text), stream=True))
            got = await chunks_of(answer)
        world.vendors.suspend(f"acme-{number}", "usr_one")
        return "".join(c["delta"].get("content", "") for one in got for c in one["choices"]), upstream.received

    async def every_width() -> None:
        for number, width in enumerate((1, 2, 3, 5, 7, 11, 16, 29, 64)):
            back, received = await go(width, number)
            assert back == text
            assert MARK not in received

    world.run(every_width())


def picture(media: str) -> bytes:
    out, image = io.BytesIO(), Image.new("RGB", (80, 60), "teal")
    if media == "png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Comment", MAIL.format("exif"))
        image.save(out, "PNG", pnginfo=info)
    else:
        exif = Image.Exif()
        exif[0x010E] = MAIL.format("exif")
        exif.get_ifd(0x8825)[1] = "N"
        image.save(out, media.upper(), exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("media", ["png", "jpeg", "webp"])
def test_pictures_leave_without_their_metadata(world: World, media: str) -> None:
    content = picture(media)
    assert MARK in content

    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            url = f"data:image/{media};base64,{base64.b64encode(content).decode()}"
            part = {"type": "image_url", "image_url": {"url": url}}
            await world.chat.complete(world.call(), request(said("user", [part])))
            upload = Upload(filename=MAIL.format("name") + f".{media}", media_type=f"image/{media}", content=content)
            edit = EditImages(prompt=TEXT.format(MAIL.format("p")), model="acme-image", image=[upload], mask=upload)
            await world.images.edit(world.call(), edit)
            return upstream

    upstream = world.run(go())
    sent = upstream.requests[0]["messages"][0]["content"][0]["image_url"]["url"]
    assert MARK not in base64.b64decode(sent.partition(",")[2])
    assert MARK not in upstream.received
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("field", ["prompt", "user", "safety_identifier"])
def test_no_place_of_a_picture_request_leaks(world: World, field: str) -> None:
    text = TEXT.format(MAIL.format("one"))
    fields = {"prompt": "a poster", "model": "acme-image"} | {field: text}

    async def go() -> tuple[str | None, bytes]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            images = await world.images.generate(world.call(), GenerateImages.model_validate(fields))
            return images.data[0].revised_prompt, upstream.received

    revised, received = world.run(go())
    assert MARK not in received
    assert b"Needlesworth" not in received
    assert revised == fields["prompt"]


class Broken:
    version = "broken-1"

    def detect(self, text: str) -> list[Span]:
        raise RuntimeError("no memory")


@pytest.mark.parametrize("broken", ["detector", "vault", "database", "moderation"])
@pytest.mark.parametrize("stream", [False, True])
def test_when_something_is_down_the_vendor_gets_no_byte(
    tmp_path: Path, broken: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, Broken() if broken == "detector" else None)

    def refuse(*_: Any, **__: Any) -> Any:
        raise Unavailable("down", code=f"{broken}-down")

    async def go() -> tuple[list[str], bytes]:
        codes = []
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            if broken == "vault":
                monkeypatch.setattr(world.objects, "keep", refuse)
            if broken == "database":
                monkeypatch.setattr(world.database, "write", refuse)
                monkeypatch.setattr(world.database, "apply", refuse)
            if broken == "moderation":
                monkeypatch.setattr(world.moderator, "check", refuse)
            upload = Upload(filename="a.png", media_type="image/png", content=picture("png"))
            works = (
                world.chat.complete(world.call(), request({}, stream=stream)),
                world.images.generate(world.call(), GenerateImages(prompt="x", model="acme-image")),
                world.images.edit(world.call(), EditImages(prompt="x", model="acme-image", image=[upload])),
            )
            for work in works:
                with pytest.raises(TrothError) as refusal:
                    await work
                codes.append(refusal.value.code)
            return codes, upstream.received

    codes, received = world.run(go())
    assert codes == [f"{broken}-down"] * 3
    assert received == b""
    assert world.objects.list(TENANT, PERSON, kind="output") == []


def test_two_requests_never_share_placeholders(world: World) -> None:
    """A vendor that answers one person with another's placeholder gives away nothing."""
    seen: list[str] = []

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        seen.append(body["messages"][0]["content"])
        return completion(" ".join(seen))

    async def go() -> list[str]:
        async with serving(Upstream(chat=answer)) as upstream:
            world.add_vendor(upstream.url)
            answers = []
            for number in ("one", "two"):
                got = await world.chat.complete(world.call(), request(said("user", MAIL.format(number))))
                answers.append(got.choices[0]["message"]["content"])
            return answers

    first, second = world.run(go())
    assert first == MAIL.format("one")
    assert MAIL.format("one") not in second
    assert second.endswith(MAIL.format("two"))
