"""Chat: the vendor sees placeholders, the caller the real text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from gateway_world import PERSON, TENANT, Upstream, World, chunks_of, completion, event, serving
from troth.gateway.wire.chat import CompleteChat, Completion
from troth.kernel.errors import Conflict, Denied, Invalid, Malformed, NotFound, VendorFailed
from troth.kernel.operation import Stream

SAID = "Write to Jane Doe, jane.doe@example.com, +1 415 555 0100."
OWN = "I am Jane Doe, jane.doe@example.com, +1 415 555 0100."


def chat(text: Any = SAID, model: str = "acme-chat", **more: Any) -> CompleteChat:
    messages = [{"role": "user", "content": text}]
    return CompleteChat.model_validate({"model": model, "messages": messages} | more)


def test_local_studio_answers_with_the_callers_own_text(world: World) -> None:
    call = world.call()
    answer = world.run(world.operations.complete_chat(call, chat(OWN, model="troth-echo-1")))
    assert OWN in answer.choices[0]["message"]["content"]
    assert answer.id == call.request_id
    assert call.facts["vendor"] == "local-studio"
    assert call.facts["withheld"] == 3


def test_vendor_sees_placeholders_only(world: World) -> None:
    async def go() -> tuple[Completion, Upstream]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url, credential="sk-vendor")
            return await world.chat.complete(world.call(), chat()), upstream

    answer, upstream = world.run(go())
    assert answer.choices[0]["message"]["content"] == SAID
    assert answer.model == "acme-chat"
    for needle in (b"Jane", b"Doe", b"jane.doe", b"example.com", b"555 0"):
        assert needle not in upstream.received
    assert upstream.requests[0]["store"] is False
    assert upstream.requests[0]["model"] == "upstream-chat"
    assert upstream.headers[0]["Authorization"] == "Bearer sk-vendor"


def test_same_value_has_the_same_placeholder_across_messages(world: World) -> None:
    messages = [
        {"role": "user", "content": "I am Jane Doe."},
        {"role": "assistant", "content": "Hello Jane Doe!"},
        {"role": "user", "content": "And Bob Stone is my boss."},
    ]

    async def go() -> list[str]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            await world.chat.complete(
                world.call(), CompleteChat.model_validate({"model": "acme-chat", "messages": messages})
            )
            return [message["content"] for message in upstream.requests[0]["messages"]]

    first, second, third = world.run(go())
    jane = first.removeprefix("I am ").removesuffix(".")
    assert second == f"Hello {jane}!"
    assert jane not in third
    assert "Bob" not in third


def test_arguments_of_tool_calls_are_restored_as_json(world: World) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        person = body["messages"][0]["content"].split()[-1]
        arguments = json.dumps({"to": person, "n": 1})
        call = {"id": "c1", "type": "function", "function": {"name": "send", "arguments": arguments}}
        return completion(None, tool_calls=[call])

    async def go() -> Completion:
        async with serving(Upstream(chat=answer)) as upstream:
            world.add_vendor(upstream.url)
            answer_ = await world.chat.complete(world.call(), chat("Mail a\\b: jane.doe@example.com"))
            assert isinstance(answer_, Completion)
            return answer_

    message = world.run(go()).choices[0]["message"]
    assert json.loads(message["tool_calls"][0]["function"]["arguments"]) == {"to": "jane.doe@example.com", "n": 1}
    assert message["content"] is None


def test_unknown_model(world: World) -> None:
    with pytest.raises(NotFound) as refusal:
        world.run(world.chat.complete(world.call(), chat(model="nothing")))
    assert refusal.value.code == "model-not-found"
    assert refusal.value.field == "model"


def test_image_model_is_no_chat_model(world: World) -> None:
    with pytest.raises(NotFound):
        world.run(world.chat.complete(world.call(), chat(model="troth-studio-1")))


def test_prohibited_text_never_leaves(world: World) -> None:
    async def go() -> Upstream:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            with pytest.raises(Denied) as refusal:
                await world.chat.complete(world.call(), chat("how to build a pipe bomb"))
            assert refusal.value.code == "moderation-blocked"
            return upstream

    assert world.run(go()).received == b""


def test_prohibited_answer_is_not_delivered(world: World) -> None:
    async def go() -> None:
        upstream = Upstream(chat=lambda body: completion("First, how to build a pipe bomb: ..."))
        async with serving(upstream):
            world.add_vendor(upstream.url)
            call = world.call()
            with pytest.raises(Denied):
                await world.chat.complete(call, chat("hello"))
            assert world.receipt(call).outcome == "moderation-blocked"

    world.run(go())


def test_request_id_cannot_be_used_twice(world: World) -> None:
    call = world.call()
    world.run(world.chat.complete(call, chat(model="troth-echo-1")))
    with pytest.raises(Conflict) as refusal:
        world.run(world.chat.complete(call, chat(model="troth-echo-1")))
    assert refusal.value.code == "duplicate-request"


def test_store_keeps_the_answer_for_the_caller_only(world: World) -> None:
    world.run(world.chat.complete(world.call(), chat(model="troth-echo-1")))
    assert world.objects.list(TENANT, PERSON, kind="answer") == []
    world.run(world.chat.complete(world.call(), chat(OWN, model="troth-echo-1", store=True)))
    (kept,) = world.objects.list(TENANT, PERSON, kind="answer")
    assert OWN in json.loads(world.objects.open(TENANT, PERSON, kept.id)[1])["choices"][0]["message"]["content"]
    assert b"Jane" not in world.bytes_on_disk()


@pytest.mark.parametrize(
    "url", ["https://elsewhere.test/a.png", "data:image/png;base64,@@", "data:image/png;base64,QUJD"]
)
def test_pictures_come_inline_and_whole(world: World, url: str) -> None:
    part = [{"type": "image_url", "image_url": {"url": url}}]
    with pytest.raises((Invalid, Malformed)):
        world.run(world.chat.complete(world.call(), chat(part, model="troth-echo-1")))


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"temperature": 3},
        {"messages": []},
        {"messages": [{"role": "user", "content": "x", "extra": 1}]},
        {"metadata": {f"k{n}": "v" for n in range(17)}},
        {"tools": [{"type": "function", "function": {"name": "bad name!"}}]},
        {"n": 9},
    ],
)
def test_shapes_are_strict(change: dict[str, Any]) -> None:
    base = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    CompleteChat.model_validate(base)
    with pytest.raises(ValidationError):
        CompleteChat.model_validate(base | change)


def test_deep_schemas_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(30):
        deep = {"properties": deep}
    tool = {"type": "function", "function": {"name": "f", "parameters": deep}}
    with pytest.raises(ValidationError, match="nested deeper"):
        chat(tools=[tool])


class TestStream:
    def stream(self, world: World, upstream: Upstream, **more: Any) -> list[dict[str, Any]]:
        async def go() -> list[dict[str, Any]]:
            async with serving(upstream):
                world.add_vendor(upstream.url)
                answer = await world.chat.complete(world.call(), chat(stream=True, **more))
                assert isinstance(answer, Stream)
                return await chunks_of(answer)

        chunks: list[dict[str, Any]] = world.run(go())
        return chunks

    def test_restores_across_chunks_and_keeps_their_number(self, world: World) -> None:
        count = 0

        def chunks(body: dict[str, Any]) -> list[bytes]:
            nonlocal count
            text = body["messages"][0]["content"]
            events = [event([{"index": 0, "delta": {"content": sign}, "finish_reason": None}]) for sign in text]
            count = len(events) + 2
            end = event([{"index": 0, "delta": {}, "finish_reason": "stop"}])
            return [*events, end, event([], usage={"total_tokens": 3}), b"data: [DONE]\n\n"]

        got = self.stream(world, Upstream(chunks=chunks))
        assert "".join(choice["delta"].get("content", "") for one in got for choice in one["choices"]) == SAID
        assert len(got) == count
        assert got[-1]["usage"] == {"total_tokens": 3}
        assert {one["model"] for one in got} == {"acme-chat"}

    def test_choices_and_tool_calls_are_restored_apart(self, world: World) -> None:
        def chunks(body: dict[str, Any]) -> list[bytes]:
            text = body["messages"][0]["content"]
            arguments = json.dumps({"text": text})
            events = []
            for position in range(0, max(len(text), len(arguments)), 3):
                said = {"content": text[position : position + 3]}
                tool = {"index": 0, "function": {"arguments": arguments[position : position + 3]}}
                events.append(event([
                    {"index": 0, "delta": said, "finish_reason": None},
                    {"index": 1, "delta": {"tool_calls": [tool]}, "finish_reason": None},
                ]))  # fmt: skip
            return [*events, b"data: [DONE]\n\n"]

        got = self.stream(world, Upstream(chunks=chunks))
        choices = [choice for one in got for choice in one["choices"]]
        said = "".join(one["delta"].get("content", "") for one in choices if one["index"] == 0)
        arguments = "".join(
            tool["function"]["arguments"]
            for one in choices
            if one["index"] == 1
            for tool in one["delta"].get("tool_calls", [])
        )
        assert said == SAID
        assert json.loads(arguments) == {"text": SAID}

    def test_broken_off_stream_is_told(self, world: World) -> None:
        upstream = Upstream(chunks=lambda body: [event([{"index": 0, "delta": {"content": "a"}}])])

        async def go() -> list[bytes]:
            pieces = []
            async with serving(upstream):
                world.add_vendor(upstream.url)
                answer = await world.chat.complete(world.call(), chat(stream=True))
                with pytest.raises(VendorFailed):
                    async for piece in answer.chunks:
                        pieces.append(piece)
            return pieces

        assert json.loads(world.run(go())[-1].removeprefix(b"data: "))["error"]["code"] == "vendor_truncated"

    def test_refusal_before_the_first_chunk_is_a_refusal(self, world: World) -> None:
        upstream = Upstream(chunks=lambda body: [b"data: {nonsense\n\n"])
        with pytest.raises(VendorFailed):
            self.stream(world, upstream)

    def test_prohibited_phrase_cut_in_pieces_is_stopped(self, world: World) -> None:
        pieces = ["how to bui", "ld a pi", "pe bo", "mb at home"]
        events = [event([{"index": 0, "delta": {"content": one}}]) for one in pieces]

        async def go() -> str:
            got = b""
            async with serving(Upstream(chunks=lambda body: [*events, b"data: [DONE]\n\n"])) as upstream:
                world.add_vendor(upstream.url)
                answer = await world.chat.complete(world.call(), chat(stream=True))
                with pytest.raises(Denied):
                    async for piece in answer.chunks:
                        got += piece
            return got.decode()

        text = world.run(go())
        assert "mb at" not in text
        assert "moderation_blocked" in text

    def test_local_studio_streams(self, world: World) -> None:
        async def go() -> list[dict[str, Any]]:
            options = {"include_usage": True}
            request = chat(OWN, model="troth-echo-1", stream=True, stream_options=options, n=2)
            return await chunks_of(await world.chat.complete(world.call(), request))

        got = world.run(go())
        for index in (0, 1):
            text = "".join(c["delta"].get("content", "") for one in got for c in one["choices"] if c["index"] == index)
            assert OWN in text
        assert got[-1]["usage"]["total_tokens"] > 0
