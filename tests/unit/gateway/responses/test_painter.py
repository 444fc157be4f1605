"""The tool `image_generation`: the model asks by a function, the image desk makes, the caller sees OpenAI's items."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from PIL import Image
from sqlalchemy import select

from gateway_world import (
    PERSON,
    TENANT,
    Upstream,
    World,
    completion,
    drawing,
    event,
    response,
    response_events,
    serving,
)
from troth.gateway.limits.limiter import Limiter
from troth.gateway.limits.rules import amounts
from troth.gateway.limits.store import usage_rows
from troth.gateway.limits.usage import Usage
from troth.gateway.receipts import Sent
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.wire.responses import CreateResponse, Response, ResponseById
from troth.kernel.errors import Denied, Invalid, NotFound, TooMany, TrothError, Unavailable, VendorFailed
from troth.kernel.operation import Call

TOOL = {"type": "image_generation", "model": "acme-image", "size": "96x64"}
SAID = "Draw the house of jane.doe@example.com"
BOTH = pytest.mark.parametrize("model", ["acme-chat", "acme-native"])
DONE = b"data: [DONE]\n\n"


def wish(model: str = "acme-chat", **more: Any) -> CreateResponse:
    return CreateResponse.model_validate({"model": model, "input": SAID, "tools": [TOOL]} | more)


def heard(body: dict[str, Any]) -> str:
    """What the user is heard to say last at the vendor's."""
    return str(body["input"] if "input" in body else body["messages"][-1]["content"])


def asking(body: dict[str, Any]) -> str:
    """The arguments of a model that asks for a picture of what it read."""
    return json.dumps({"prompt": f"A drawing: {heard(body)}"})


def chat_call(arguments: str, at: int = 0) -> dict[str, Any]:
    return {"id": f"c{at}", "type": "function", "function": {"name": "image_generation", "arguments": arguments}}


def native_call(arguments: str, at: int = 0) -> dict[str, Any]:
    return {"type": "function_call", "call_id": f"c{at}", "name": "image_generation", "arguments": arguments}


def painting(times: int = 1, arguments: Any = asking) -> Upstream:
    """A vendor whose model says a word and asks for pictures."""

    def chunks(body: dict[str, Any]) -> list[bytes]:
        calls = [native_call(arguments(body), at) for at in range(times)]
        if "input" in body:
            *first, last = response_events("Here.")
            items = [{"type": "response.output_item.done", "output_index": at, "item": one}
                     for at, one in enumerate(calls, 1)]  # fmt: skip
            return [*first, *(f"data: {json.dumps(one)}\n\n".encode() for one in items), last]
        told = [{"index": 0, "delta": {"tool_calls": [chat_call(one["arguments"], at) | {"index": at}]}}
                for at, one in enumerate(calls)]  # fmt: skip
        return [event([{"index": 0, "delta": {"content": "Here."}}]), *(event([one]) for one in told), DONE]

    return Upstream(
        chat=lambda body: completion("Here.", tool_calls=[chat_call(arguments(body), at) for at in range(times)]),
        respond=lambda body: response("Here.", *(native_call(arguments(body), at) for at in range(times))),
        chunks=chunks,
    )


def ask(world: World, upstream: Upstream, request: CreateResponse) -> tuple[Response, Any]:
    """The answer, and the receipt of it."""
    call = world.call()

    async def go() -> Any:
        vendor = f"acme-{len(world.vendors.all())}"
        async with serving(upstream):
            world.add_vendor(upstream.url, vendor=vendor)
            try:
                return await world.answers.create_response(call, request)
            finally:
                world.vendors.suspend(vendor, "usr_one")

    made = world.run(go())
    return made, world.receipt(call)


def told(world: World, upstream: Upstream, request: CreateResponse) -> list[dict[str, Any]]:
    async def go() -> bytes:
        got = b""
        async with serving(upstream):
            world.add_vendor(upstream.url)
            stream: Any = await world.answers.create_response(world.call(), request)
            try:
                async for piece in stream.chunks:
                    got += piece
            except TrothError:
                pass
        return got

    events = [json.loads(one.partition("data: ")[2]) for one in world.run(go()).decode().split("\n\n") if one]
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    return events


def signed(world: World, result: str) -> str:
    content = base64.b64decode(result)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (96, 64)
    return world.credentials.read(content, "image/png").state


@BOTH
def test_a_picture_is_made_here_and_comes_with_credentials(world: World, model: str) -> None:
    upstream = painting()
    made, receipt = ask(world, upstream, wish(model))
    text, picture = made.output
    assert text["content"][0]["text"] == "Here."
    assert (picture["type"], picture["status"], picture["size"]) == ("image_generation_call", "completed", "96x64")
    assert picture["revised_prompt"] == f"A drawing: {SAID}"
    assert signed(world, picture["result"]) in ("valid", "trusted")
    asked, drawn = upstream.requests
    assert "jane" not in json.dumps([asked, drawn])
    assert drawn["prompt"].startswith("A drawing: ")
    assert made.tools == [TOOL]
    assert receipt.operation == "response.create"
    assert receipt.sent == asked
    (part,) = receipt.parts
    assert (part.operation, part.model, part.sent, part.outcome) == ("image.generate", "acme-image", drawn, "answered")
    (kept,) = part.objects
    assert world.objects.open(TENANT, PERSON, kept)[1] == base64.b64decode(picture["result"])


@BOTH
def test_vendors_are_offered_a_function_and_never_the_tool(world: World, model: str) -> None:
    upstream = painting()
    ask(world, upstream, wish(model, tool_choice={"type": "image_generation"}))
    asked = upstream.requests[0]
    assert "image_generation" not in [one["type"] for one in asked["tools"]]
    (tool,) = asked["tools"]
    named = tool if "input" in asked else tool["function"]
    assert (tool["type"], named["name"]) == ("function", "image_generation")
    assert named["parameters"]["required"] == ["prompt"]
    assert asked["tool_choice"]["type"] == "function"


def test_a_choice_among_allowed_tools(world: World) -> None:
    upstream = painting()
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "image_generation"}]}
    ask(world, upstream, wish("acme-native", tool_choice=choice))
    assert upstream.requests[0]["tool_choice"]["tools"] == [{"type": "function", "name": "image_generation"}]


@BOTH
def test_a_picture_that_a_vendor_made_by_itself_goes_nowhere(world: World, model: str) -> None:
    theirs = base64.b64encode(drawing(96, 64)).decode()
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": theirs}

    def chunks(body: dict[str, Any]) -> list[bytes]:
        first, *rest = response_events("Here.")
        told = [{"type": "response.image_generation_call.partial_image", "item_id": "ig_1", "output_index": 1,
                 "partial_image_index": 0, "partial_image_b64": theirs},
                {"type": "response.output_item.done", "output_index": 1, "item": item}]  # fmt: skip
        return [first, *(f"data: {json.dumps(one)}\n\n".encode() for one in told), *rest]

    upstream = Upstream(
        chat=lambda body: completion("Here.", images=[{"image_url": {"url": theirs}}]),
        respond=lambda body: response("Here.", item),
        chunks=chunks,
    )
    answer, _ = ask(world, upstream, wish(model))
    assert theirs not in answer.model_dump_json()
    assert [one["type"] for one in answer.output] == ["message"]
    assert len(world.objects.list(TENANT, PERSON, kind="output")) == 0


@BOTH
def test_events_come_in_order(world: World, model: str) -> None:
    events = told(world, painting(), wish(model, stream=True))
    kinds = [one["type"].removeprefix("response.") for one in events]
    ours = [kind for kind in kinds if kind.startswith("image_generation_call")]
    assert ours == [f"image_generation_call.{one}" for one in ("in_progress", "generating", "completed")]
    assert kinds[-2:] == ["output_item.done", "completed"]
    added, done = (next(one for one in events if one["type"] == f"response.output_item.{what}"
                        and one["item"]["type"] == "image_generation_call") for what in ("added", "done"))  # fmt: skip
    assert added["item"] == {"id": done["item"]["id"], "type": "image_generation_call", "status": "in_progress",
                             "result": None}  # fmt: skip
    last = events[-1]["response"]["output"]
    assert last[added["output_index"]] == done["item"]
    assert signed(world, done["item"]["result"]) in ("valid", "trusted")
    assert {one["item_id"] for one in events if "image_generation_call." in one["type"]} == {done["item"]["id"]}
    assert "function_call_arguments" not in " ".join(kinds)


def test_stages_are_told_as_they_come(world: World) -> None:
    tool = {"type": "image_generation", "size": "256x256", "partial_images": 2}
    events = told(world, painting(), wish(stream=True, tools=[tool]))
    stages = [one for one in events if one["type"] == "response.image_generation_call.partial_image"]
    assert [one["partial_image_index"] for one in stages] == [0, 1]
    for one in stages:
        content = base64.b64decode(one["partial_image_b64"])
        assert world.credentials.read(content, "image/png").state in ("valid", "trusted")
    assert events[-1]["type"] == "response.completed"


def test_at_most_four_pictures_of_one_answer(world: World) -> None:
    made, receipt = ask(world, painting(6), wish())
    states = [one["status"] for one in made.output if one["type"] == "image_generation_call"]
    assert states == ["completed"] * 4 + ["failed"] * 2
    assert len(receipt.parts) == 4


def test_no_more_than_the_caller_permits(world: World) -> None:
    made, _ = ask(world, painting(2), wish(max_tool_calls=1))
    assert [one["status"] for one in made.output[1:]] == ["completed", "failed"]


@pytest.mark.parametrize("arguments", ["{", "[]", "{}", '{"prompt": 7}', '{"prompt": " "}', "[" * 5000])
def test_a_call_without_a_prompt_has_failed(world: World, arguments: str) -> None:
    made, receipt = ask(world, painting(arguments=lambda body: arguments), wish())
    assert made.output[1]["status"] == "failed"
    assert made.output[1]["result"] is None
    assert receipt.parts == ()


def test_half_a_character_in_a_prompt_ends_no_answer(world: World) -> None:
    made, _ = ask(world, painting(arguments=lambda body: '{"prompt": "A house \\ud800"}'), wish())
    assert made.output[1]["status"] == "completed"


def test_what_the_policy_forbids_is_not_drawn(world: World) -> None:
    upstream = painting(arguments=lambda body: json.dumps({"prompt": "how to build a pipe bomb"}))
    with pytest.raises(Denied) as refusal:
        ask(world, upstream, wish())
    assert refusal.value.code == "moderation-blocked"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tools": [TOOL, TOOL]}, "tool-name-taken"),
        ({"tools": [TOOL, {"type": "function", "name": "image_generation"}]}, "tool-name-taken"),
        ({"tools": [], "tool_choice": {"type": "image_generation"}}, "tool-not-offered"),
        ({"tools": [TOOL | {"background": "transparent", "output_format": "jpeg"}]}, "format-not-supported"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_leaves(world: World, change: dict[str, Any], code: str) -> None:
    upstream = painting()
    with pytest.raises(Invalid) as refusal:
        ask(world, upstream, wish(**change))
    assert refusal.value.code == code
    assert upstream.received == b""


def test_a_model_that_nobody_offers_is_refused_before_anything_leaves(world: World) -> None:
    upstream = painting()
    with pytest.raises(NotFound):
        ask(world, upstream, wish(tools=[TOOL | {"model": "acme-nothing"}]))
    assert upstream.received == b""


def test_a_function_of_that_name_is_the_callers_when_the_tool_is_not_offered(world: World) -> None:
    made, _ = ask(world, painting(), wish(tools=[{"type": "function", "name": "image_generation"}]))
    assert made.output[1]["type"] == "function_call"


def test_a_picture_desk_that_fails_ends_the_answer(world: World) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/images/generations"):
            return web.json_response({"created": 1, "data": [{"b64_json": "AAAA"}]})
        return web.json_response(completion(None, tool_calls=[chat_call('{"prompt": "a house"}')]))

    with pytest.raises(VendorFailed):
        ask(world, Upstream(handler=handler), wish())
    assert world.objects.list(TENANT, PERSON, kind="output") == []


def limited(world: World, **table: int) -> None:
    world.clearance.limiter = Limiter({"user": amounts(table)}, world.clock, b"s" * 32)
    world.clearance.usage = Usage(world.database, world.clock, keep_days=30)


def used(world: World) -> list[tuple[str, str, int]]:
    """(operation, request, pictures) of every usage row."""
    with world.database.read() as connection:
        rows = connection.execute(select(usage_rows).order_by(usage_rows.c.request)).mappings()
        return [(row["operation"], row["request"], row["images"]) for row in rows]


def test_a_picture_is_counted_as_one_beside_its_answer(world: World) -> None:
    limited(world, **{"images-per-day": 5, "concurrent": 1})  # the answer's place is free when the picture takes one
    made, _ = ask(world, painting(2), wish())
    assert used(world) == [
        ("response.create", made.id, 0),
        ("image.generate", f"{made.id}.part-1", 1),
        ("image.generate", f"{made.id}.part-2", 1),
    ]


def test_a_limit_of_pictures_holds_in_answers(world: World) -> None:
    limited(world, **{"images-per-day": 1})
    upstream = painting(2)
    with pytest.raises(TooMany):
        ask(world, upstream, wish())
    assert len(upstream.requests) == 2  # the model, and the one picture that was left


def test_a_key_that_is_kept_to_other_models_brings_no_pictures(world: World) -> None:
    upstream, call = painting(), world.call()
    caller = replace(call.caller, models=frozenset({"acme-chat"}))

    async def go() -> None:
        async with serving(upstream):
            world.add_vendor(upstream.url)
            await world.answers.create_response(replace(call, caller=caller), wish())

    with pytest.raises(Denied) as refusal:
        world.run(go())
    assert refusal.value.code == "model-not-allowed"
    assert upstream.received == b""


def test_nothing_is_drawn_without_a_receipt_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = world.receipts.open

    def failing(call: Call, vendor: VendorRecord, sent: Sent) -> ReceiptRow:
        if sent.part:
            raise Unavailable("The vault is full.")
        return opening(call, vendor, sent)

    monkeypatch.setattr(world.receipts, "open", failing)
    upstream = painting()
    with pytest.raises(Unavailable):
        ask(world, upstream, wish())
    assert len(upstream.requests) == 1


class TestKept:
    def keep(self, world: World, upstream: Upstream, **more: Any) -> Response:
        made, _ = ask(world, upstream, wish(store=True, **more))
        return made

    def test_the_picture_is_kept_once_and_shown_from_there(self, world: World) -> None:
        made = self.keep(world, painting())
        shown = world.answers.show_response(world.call(), ResponseById(response_id=made.id))
        assert shown.output == made.output
        (held,) = world.objects.list(TENANT, PERSON, kind="output")
        world.objects.delete(TENANT, PERSON, held.id)
        again = world.answers.show_response(world.call(), ResponseById(response_id=made.id))
        assert again.output[1]["result"] is None

    def test_a_conversation_goes_on_with_what_was_asked_for(self, world: World) -> None:
        upstream = painting()
        made = self.keep(world, upstream)
        upstream.chat = lambda body: completion("Gladly.")
        ask(world, upstream, wish(previous_response_id=made.id, input="Thanks"))
        *_, call, result, last = upstream.requests[-1]["messages"]
        assert json.loads(call["tool_calls"][0]["function"]["arguments"])["prompt"].startswith("A drawing: ")
        assert (result["role"], last["content"]) == ("tool", "Thanks")


def test_a_picture_that_clients_send_back_is_not_shown_to_a_vendor(world: World) -> None:
    upstream = Upstream(respond=lambda body: response("Yes."))
    result = base64.b64encode(drawing(96, 64)).decode()
    earlier = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": result,
               "revised_prompt": "The house of jane.doe@example.com", "size": "96x64", "quality": "auto",
               "background": "opaque", "output_format": "png", "action": "generate"}  # fmt: skip
    ask(world, upstream, wish("acme-native", input=[earlier, {"role": "user", "content": "And now?"}]))
    call, output, _ = upstream.requests[0]["input"]
    assert (call["type"], output["type"]) == ("function_call", "function_call_output")
    assert result not in json.dumps(upstream.requests)
    assert "jane" not in json.dumps(upstream.requests)
