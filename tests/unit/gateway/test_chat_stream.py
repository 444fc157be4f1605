"""Chunks out of shape, text held to the end, and streams that nobody reads to the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_world import Upstream, World, event, serving
from troth.gateway.chat_stream import ChatRelay
from troth.gateway.moderation import Moderator
from troth.gateway.places import CHAT
from troth.gateway.redaction import Redactor
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.errors import VendorFailed
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy

MAIL = "jane.doe@example.com"
MODERATOR = Moderator()


def relay() -> tuple[ChatRelay, str]:
    """A relay, and the placeholder of MAIL."""
    redaction = Redactor(rules_detector(), vendor_policy(), b"k" * 32).begin()
    sent = redaction.redact({"messages": [{"content": MAIL}]}, CHAT)
    return ChatRelay(redaction, MODERATOR, "req_x", "m"), sent["messages"][0]["content"]


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def delta(given: dict[str, Any]) -> dict[str, Any]:
    return given["choices"][0]["delta"]


def test_held_text_comes_with_the_finish() -> None:
    stream, placeholder = relay()
    assert delta(stream.chunk(chunk({"role": "assistant", "content": f"a {placeholder[:5]}"}))) == {
        "role": "assistant",
        "content": "a ",
    }
    finished = stream.chunk(chunk({}, "stop"))
    assert delta(finished) == {"content": placeholder[:5]}
    assert list(stream.rest()) == []


def test_held_arguments_come_with_the_finish() -> None:
    stream, placeholder = relay()
    tool = {
        "index": 2,
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": f'{{"a": "{placeholder[:5]}'},
    }
    given = delta(stream.chunk(chunk({"tool_calls": [tool]})))["tool_calls"][0]
    assert given == {"index": 2, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "'}}
    rest = delta(stream.chunk(chunk({}, "tool_calls")))["tool_calls"]
    assert rest == [{"index": 2, "function": {"arguments": placeholder[:5]}}]


def test_held_text_of_a_stream_without_finish() -> None:
    stream, placeholder = relay()
    stream.chunk(chunk({"content": placeholder[:5]}, index=1))
    (rest,) = stream.rest()
    assert rest["choices"] == [{"index": 1, "delta": {"content": placeholder[:5]}, "finish_reason": None}]


def test_other_texts_and_structures_are_restored_too() -> None:
    stream, placeholder = relay()
    custom = {"index": 0, "custom": {"name": "f", "input": placeholder}}
    given = delta(stream.chunk(chunk({"reasoning_content": placeholder, "tool_calls": [custom], "x": [placeholder]})))
    assert given["reasoning_content"] == MAIL
    assert given["tool_calls"][0]["custom"]["input"] == MAIL
    assert given["x"] == [MAIL]


def test_logprobs_pass() -> None:
    stream, _ = relay()
    given = stream.chunk({"choices": [{"index": 0, "delta": {}, "logprobs": {"content": []}}]})
    assert given["choices"][0]["logprobs"] == {"content": []}


@pytest.mark.parametrize(
    "broken",
    [
        {"choices": 1},
        {"choices": [1]},
        {"choices": [{"delta": 1}]},
        {"choices": [{"index": -1, "delta": {}}]},
        {"choices": [{"index": 99, "delta": {}}]},
        {"choices": [{"index": "a", "delta": {}}]},
        {"choices": [{"delta": {"tool_calls": [1]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 1000}]}}]},
    ],
)
def test_chunks_out_of_shape_are_the_vendors_failure(broken: dict[str, Any]) -> None:
    with pytest.raises(VendorFailed):
        relay()[0].chunk(broken)


def test_a_caller_who_leaves_ends_the_request(tmp_path: Any) -> None:
    world = World(tmp_path)
    chunks = [event([{"index": 0, "delta": {"content": "a"}}])] * 9

    async def go() -> str:
        async with serving(Upstream(chunks=lambda body: chunks)) as upstream:
            world.add_vendor(upstream.url)
            call = world.call()
            body = {"model": "acme-chat", "messages": [{"role": "user", "content": "go"}], "stream": True}
            stream = await world.chat.complete(call, CompleteChat.model_validate(body))
            async for piece in stream.chunks:
                assert json.loads(piece.removeprefix(b"data: "))
                break
            await stream.chunks.aclose()
            return world.receipt(call).outcome

    assert world.run(go()) == "cancelled"
