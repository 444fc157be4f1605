"""Responses: the vendor sees placeholders, the caller the real text, whichever API the vendor speaks."""

from __future__ import annotations

import json
import threading
from collections import Counter
from typing import Any

import pytest

from gateway_world import PERSON, TENANT, Upstream, World, completion, event, response, response_events, serving
from troth.gateway.clearance import Departure
from troth.gateway.departing import Wanted
from troth.gateway.responses.kept import KeptResponses
from troth.gateway.wire.responses import CreateResponse, Response, ResponseById
from troth.kernel.errors import Denied, Gone, Invalid, NotFound, TrothError, Unavailable, VendorFailed
from troth.kernel.operation import Call

SAID = "Write to Jane Doe, jane.doe@example.com, +1 415 555 0100."
BOTH = pytest.mark.parametrize("model", ["acme-chat", "acme-native"])
DONE = b"data: [DONE]\n\n"


def wish(given: Any = SAID, model: str = "acme-chat", **more: Any) -> CreateResponse:
    return CreateResponse.model_validate({"model": model, "input": given} | more)


def ask(world: World, upstream: Upstream, request: CreateResponse) -> Response:
    async def go() -> Any:
        async with serving(upstream):
            if not world.vendors.offering("acme-chat", "chat"):
                world.add_vendor(upstream.url)
            return await world.answers.create_response(world.call(), request)

    answer = world.run(go())
    assert isinstance(answer, Response)
    return answer


def told(world: World, upstream: Upstream, request: CreateResponse) -> list[dict[str, Any]]:
    """The events of a stream; a refusal on the way is told as the last one."""

    async def go() -> bytes:
        got = b""
        async with serving(upstream):
            world.add_vendor(upstream.url)
            stream = await world.answers.create_response(world.call(), request)
            try:
                async for piece in stream.chunks:
                    got += piece
            except TrothError:
                pass
        return got

    blocks = [one.split("\n") for one in world.run(go()).decode().split("\n\n") if one]
    events = [json.loads(one[1].removeprefix("data: ")) for one in blocks]
    assert [one[0] for one in blocks] == [f"event: {one['type']}" for one in events]
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    return events


def said(upstream: Upstream) -> str:
    """What the user is heard to say at the vendor's."""
    body = upstream.requests[-1]
    return str(body["input"] if "input" in body else body["messages"][-1]["content"])


def text_of(answer: Response) -> str:
    return "".join(part["text"] for item in answer.output for part in item.get("content", []))


@BOTH
def test_the_vendor_sees_placeholders_only(world: World, model: str) -> None:
    upstream = Upstream(respond=lambda body: response(body["input"]))
    answer = ask(world, upstream, wish(model=model, instructions="Help Jane Doe.", metadata={"who": "Jane Doe"}))
    assert text_of(answer) == SAID
    assert answer.instructions == "Help Jane Doe."
    assert answer.metadata == {"who": "Jane Doe"}
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage["total_tokens"] == answer.usage["input_tokens"] + answer.usage["output_tokens"]
    assert not [one for one in (b"Jane", b"example.com", b"555 0") if one in upstream.received]
    assert upstream.requests[0]["store"] is False
    assert "metadata" not in upstream.requests[0]


def test_the_receipt_shows_what_was_really_sent(world: World) -> None:
    call = world.call()

    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            await world.answers.create_response(call, wish(instructions="Be brief."))
            return upstream

    upstream = world.run(go())
    receipt = world.receipt(call)
    assert receipt.operation == "response.create"
    assert receipt.sent == upstream.requests[0]
    assert receipt.outcome == "answered"


ITEMS = [
    {"role": "user", "content": [{"type": "input_text", "text": "Mail Jane Doe."}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Jane Doe wants mail"}]},
    {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
     "content": [{"type": "output_text", "text": "Shall I?", "annotations": []}]},
    {"type": "function_call", "call_id": "c1", "name": "send", "arguments": '{"to": "jane.doe@example.com"}'},
    {"type": "custom_tool_call", "call_id": "c2", "name": "run", "input": "Jane Doe"},
    {"type": "function_call_output", "call_id": "c1", "output": "sent to jane.doe@example.com"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "ok, Jane Doe"}]},
]  # fmt: skip


def test_items_become_messages_in_their_order(world: World) -> None:
    upstream = Upstream()
    ask(world, upstream, wish(ITEMS))
    user, assistant, first, second = upstream.requests[0]["messages"]
    assert user["role"] == "user"
    assert assistant["content"] == [{"type": "text", "text": "Shall I?"}]
    assert [one["type"] for one in assistant["tool_calls"]] == ["function", "custom"]
    assert (first["role"], first["tool_call_id"], second["tool_call_id"]) == ("tool", "c1", "c2")
    person = user["content"][0]["text"].removeprefix("Mail ").removesuffix(".")
    assert person.startswith("<PERSON_")
    assert assistant["tool_calls"][1]["custom"]["input"] == person
    assert second["content"] == [{"type": "text", "text": f"ok, {person}"}]


def test_a_vendor_that_speaks_responses_gets_the_items_but_for_thoughts_and_ids(world: World) -> None:
    upstream = Upstream()
    ask(world, upstream, wish(ITEMS, model="acme-native"))
    sent = upstream.requests[0]["input"]
    assert [one["type"] for one in sent] == [one.get("type", "message") for one in ITEMS if one.get("id") != "rs_1"]
    assert not [one for one in sent if "id" in one or "status" in one]


TOOLS = [
    {"type": "function", "name": "send", "parameters": {"type": "object"}, "strict": True},
    {"type": "custom", "name": "run", "format": {"type": "grammar", "syntax": "regex", "definition": ".*"}},
]


def test_options_are_translated(world: World) -> None:
    upstream = Upstream()
    schema = {"type": "json_schema", "name": "a", "schema": {"type": "object"}, "strict": True}
    options: dict[str, Any] = {
        "tools": TOOLS,
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "send"}]},
        "text": {"format": schema, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "max_output_tokens": 100,
        "temperature": 0.5,
        "top_logprobs": 2,
        "include": ["message.output_text.logprobs"],
        "truncation": "disabled",
    }
    upstream.chat = lambda body: completion('{"a": 1}')
    answer = ask(world, upstream, wish(**options))
    sent = upstream.requests[0]
    assert sent["tools"][0] == {
        "type": "function",
        "function": {"name": "send", "parameters": {"type": "object"}, "strict": True},
    }
    grammar = {"syntax": "regex", "definition": ".*"}
    assert sent["tools"][1]["custom"] == {"name": "run", "format": {"type": "grammar", "grammar": grammar}}
    chosen = [{"type": "function", "function": {"name": "send"}}]
    assert sent["tool_choice"] == {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": chosen}}
    assert sent["response_format"]["json_schema"] == {"name": "a", "schema": {"type": "object"}, "strict": True}
    assert (sent["verbosity"], sent["reasoning_effort"], sent["max_completion_tokens"]) == ("low", "low", 100)
    assert (sent["logprobs"], sent["top_logprobs"], sent["temperature"]) == (True, 2, 0.5)
    assert answer.tools == TOOLS
    assert answer.text == {"format": schema, "verbosity": "low"}


@pytest.mark.parametrize(
    "change",
    [{"truncation": "auto"}, {"input": [{"role": "user", "content": [{"type": "refusal", "refusal": "no"}]}]}],
)
def test_what_chat_has_no_place_for_is_refused_before_anything_leaves(world: World, change: dict[str, Any]) -> None:
    upstream = Upstream()
    with pytest.raises(Invalid) as refusal:
        ask(world, upstream, CreateResponse.model_validate({"model": "acme-chat", "input": "x"} | change))
    assert refusal.value.code == "not-translatable"
    assert upstream.received == b""


def calling(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The calls of a model that repeats what it read, in both APIs' shapes."""
    person = str(body["input"] if "input" in body else body["messages"][-1]["content"]).split()[-1]
    arguments = json.dumps({"to": person}).replace("<", "\\u003c")  # as Go writes JSON
    return [
        {"type": "function_call", "call_id": "c1", "name": "send", "arguments": arguments},
        {"type": "custom_tool_call", "call_id": "c2", "name": "run", "input": f"mail {person}"},
    ]


def chat_calls(body: dict[str, Any]) -> list[dict[str, Any]]:
    one, other = calling(body)
    return [
        {"id": "c1", "type": "function", "function": {"name": "send", "arguments": one["arguments"]}},
        {"id": "c2", "type": "custom", "custom": {"name": "run", "input": other["input"]}},
    ]


@BOTH
def test_calls_come_back_with_the_callers_text(world: World, model: str) -> None:
    upstream = Upstream(
        chat=lambda body: completion(None, tool_calls=chat_calls(body)),
        respond=lambda body: response("", *calling(body)),
    )
    answer = ask(world, upstream, wish("Mail jane.doe@example.com", model=model, tools=TOOLS))
    function, custom = answer.output[-2:]
    assert json.loads(function["arguments"]) == {"to": "jane.doe@example.com"}
    assert (function["type"], function["call_id"], function["name"]) == ("function_call", "c1", "send")
    assert custom["input"] == "mail jane.doe@example.com"


def streamed_calls(body: dict[str, Any]) -> list[bytes]:
    pieces = []
    for at, call in enumerate(chat_calls(body)):
        kind, part = ("function", "arguments") if at == 0 else ("custom", "input")
        text = call[kind].pop(part)
        pieces.append(event([{"index": 0, "delta": {"tool_calls": [call | {"index": at}]}}]))
        pieces += [event([{"index": 0, "delta": {"tool_calls": [{"index": at, kind: {part: sign}}]}}]) for sign in text]
    return [*pieces, event([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]), DONE]


def test_streamed_calls_are_whole_when_done(world: World) -> None:
    events = told(world, Upstream(chunks=streamed_calls), wish("Mail jane.doe@example.com", stream=True, tools=TOOLS))
    deltas = [one["delta"] for one in events if one["type"] == "response.function_call_arguments.delta"]
    (done,) = [one for one in events if one["type"] == "response.function_call_arguments.done"]
    assert json.loads("".join(deltas)) == json.loads(done["arguments"]) == {"to": "jane.doe@example.com"}
    custom = [one["delta"] for one in events if one["type"] == "response.custom_tool_call_input.delta"]
    assert "".join(custom) == "mail jane.doe@example.com"
    assert events[-1]["response"]["output"][1]["input"] == "mail jane.doe@example.com"


@BOTH
def test_events_come_in_order_and_keep_the_vendors_number(world: World, model: str) -> None:
    count = 0

    def chunks(body: dict[str, Any]) -> list[bytes]:
        nonlocal count
        text = body["input"] if "input" in body else body["messages"][0]["content"]
        native = response_events(text, 1)
        count = len(native) if "input" in body else len(text) + 1
        chat = [event([{"index": 0, "delta": {"content": sign}}], usage=None) for sign in text]
        usage = event([], usage={"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5})
        return native if "input" in body else [*chat, usage, DONE]

    events = told(world, Upstream(chunks=chunks), wish(model=model, stream=True))
    kinds = [one["type"].removeprefix("response.") for one in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    assert Counter(kinds)["output_text.delta"] == kinds.index("output_text.done") - 4
    assert "".join(one["delta"] for one in events if one["type"].endswith("text.delta")) == SAID
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == SAID
    assert events[-1]["response"]["usage"]["total_tokens"] == 5
    assert len(events) >= 0.9 * count


@BOTH
def test_a_prohibited_phrase_cut_in_pieces_is_stopped(world: World, model: str) -> None:
    bad = "First: how to build a pipe bomb at home"

    def chunks(body: dict[str, Any]) -> list[bytes]:
        cuts = [bad[at : at + 6] for at in range(0, len(bad), 6)]
        chat = [event([{"index": 0, "delta": {"content": one}}]) for one in cuts]
        return response_events(bad, 6) if "input" in body else [*chat, DONE]

    events = told(world, Upstream(chunks=chunks), wish("hello", model=model, stream=True))
    assert events[-1]["type"] == "error"
    assert events[-1]["code"] == "moderation_blocked"
    assert "bomb" not in "".join(one.get("delta", "") for one in events)
    with pytest.raises(Denied):
        ask(world, Upstream(chat=lambda body: completion(bad), respond=lambda body: response(bad)),
            wish("how to build a pipe bomb", model=model))  # fmt: skip


@BOTH
def test_a_stream_that_breaks_off_is_told(world: World, model: str) -> None:
    def chunks(body: dict[str, Any]) -> list[bytes]:
        whole = event([{"index": 0, "delta": {"content": "a"}}])
        return response_events("abc", 1)[:3] if "input" in body else [whole]

    events = told(world, Upstream(chunks=chunks), wish("hello", model=model, stream=True))
    assert (events[-1]["type"], events[-1]["code"]) == ("error", "vendor_truncated")


def test_a_refusal_before_the_first_event_is_a_refusal(world: World) -> None:
    with pytest.raises(VendorFailed):
        told(world, Upstream(chunks=lambda body: [b"data: {nonsense\n\n"]), wish("hello", stream=True))


@BOTH
def test_what_is_cut_short_says_so(world: World, model: str) -> None:
    short = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    cut = completion("a")
    cut["choices"][0]["finish_reason"] = "length"
    answer = ask(world, Upstream(chat=lambda body: cut, respond=lambda body: response("a") | short), wish(model=model))
    assert answer.status == "incomplete"
    assert answer.incomplete_details == {"reason": "max_output_tokens"}
    assert answer.output[0]["status"] == "incomplete"


class TestKept:
    def keep(self, world: World, upstream: Upstream, **more: Any) -> str:
        call = world.call()

        async def go() -> Response:
            async with serving(upstream):
                for number, one in enumerate([upstream.url]):
                    world.add_vendor(one, vendor=f"acme-{len(world.vendors.all())}-{number}")
                answer: Response = await world.answers.create_response(call, wish(store=True, **more))
                if more.get("stream"):
                    async for _ in answer.chunks:  # type: ignore[attr-defined]
                        pass
                for record in world.vendors.all():
                    if record.id != "local-studio":
                        world.vendors.suspend(record.id, "usr_one")
                return answer

        world.run(go())
        world.close(call)
        return call.request_id

    def test_nothing_is_kept_unless_asked_for(self, world: World) -> None:
        answer = ask(world, Upstream(), wish())
        assert world.objects.list(TENANT, PERSON, kind="response") == []
        with pytest.raises(NotFound) as refusal:
            world.answers.show_response(world.call(), ResponseById(response_id=answer.id))
        assert refusal.value.code == "response-not-found"

    @pytest.mark.parametrize("stream", [False, True])
    def test_a_kept_one_is_shown_and_deleted(self, world: World, stream: bool) -> None:
        chat = [event([{"index": 0, "delta": {"content": SAID}}]), DONE]
        upstream = Upstream(chunks=lambda body: chat)
        identifier = self.keep(world, upstream, stream=stream)
        shown = world.answers.show_response(world.call(), ResponseById(response_id=identifier))
        assert text_of(shown) == SAID
        assert shown.id == identifier
        assert shown.store is True
        assert b"Jane" not in world.bytes_on_disk()
        world.answers.delete_response(world.call(), ResponseById(response_id=identifier))
        with pytest.raises(Gone):
            world.answers.show_response(world.call(), ResponseById(response_id=identifier))

    def test_an_end_that_cannot_be_kept_is_told_with_the_next_number(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> str:
            raise Unavailable("The vault is full.")

        monkeypatch.setattr(KeptResponses, "keep", full)
        events = told(world, Upstream(), wish("hello", store=True, stream=True))
        assert events[-1]["type"] == "error"
        assert "response.completed" not in [one["type"] for one in events]

    def test_a_conversation_takes_none_of_the_threads_for_short_requests(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names, clear = list[str](), world.clearance.clear

        def watched(call: Call, wanted: Wanted) -> Departure:
            names.append(threading.current_thread().name)
            return clear(call, wanted)

        monkeypatch.setattr(world.clearance, "clear", watched)
        first = self.keep(world, Upstream())
        self.keep(world, Upstream(), previous_response_id=first)
        assert [one.startswith("clearing") for one in names] == [True, False]

    def test_somebody_else_finds_nothing(self, world: World) -> None:
        identifier = self.keep(world, Upstream())
        for stranger in (world.call(subject="usr_other"), world.call(tenant="ten_other")):
            with pytest.raises(NotFound):
                world.answers.show_response(stranger, ResponseById(response_id=identifier))
            with pytest.raises(NotFound):
                world.run(world.answers.create_response(stranger, wish(previous_response_id=identifier)))

    def test_a_conversation_goes_on_from_a_kept_one(self, world: World) -> None:
        first = self.keep(world, Upstream(chat=lambda body: completion("Dear Jane Doe")))
        upstream = Upstream()
        second = self.keep(world, upstream, input="Shorter, for Jane Doe.", previous_response_id=first)
        told_before = upstream.requests[0]["messages"]
        assert [one["role"] for one in told_before] == ["user", "assistant", "user"]
        assert b"Jane" not in upstream.received
        third = Upstream()
        self.keep(world, third, input="Again.", previous_response_id=second)
        assert [one["role"] for one in third.requests[0]["messages"]] == ["user", "assistant"] * 2 + ["user"]
