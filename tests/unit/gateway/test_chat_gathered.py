"""A streamed answer that was asked to be kept is kept as it was seen, and opens as a whole one does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_world import PERSON, TENANT, Upstream, World, chunks_of, event, serving
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.errors import VendorFailed

SAID = "Write to Jane Doe, jane.doe@example.com."
DONE = b"data: [DONE]\n\n"


def chunks(body: dict[str, Any]) -> list[bytes]:
    text = body["messages"][0]["content"]
    arguments = json.dumps({"text": text})
    told = [event([{"index": 1, "delta": {"role": "assistant", "content": one}}]) for one in text]
    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "send", "arguments": ""}}
    told.append(event([{"index": 0, "delta": {"tool_calls": [call]}}]))
    for one in arguments:
        told.append(event([{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": one}}]}}]))
    ends = [event([{"index": n, "delta": {}, "finish_reason": "stop"}]) for n in (0, 1)]
    return [*told, *ends, event([], usage={"total_tokens": 3}), DONE]


def ask(world: World, upstream: Upstream, *, store: bool) -> list[dict[str, Any]]:
    wish = {"model": "acme-chat", "messages": [{"role": "user", "content": SAID}], "stream": True, "store": store}

    async def go() -> list[dict[str, Any]]:
        async with serving(upstream):
            world.add_vendor(upstream.url)
            return await chunks_of(await world.chat.complete(world.call(), CompleteChat.model_validate(wish)))

    got: list[dict[str, Any]] = world.run(go())
    return got


def test_what_was_streamed_is_kept_whole(world: World) -> None:
    upstream = Upstream(chunks=chunks)
    told = ask(world, upstream, store=True)
    (kept,) = world.objects.list(TENANT, PERSON, kind="answer")
    answer = json.loads(world.objects.open(TENANT, PERSON, kept.id)[1])
    call, said = answer["choices"]
    assert (said["index"], said["message"]["content"], said["finish_reason"]) == (1, SAID, "stop")
    assert json.loads(call["message"]["tool_calls"][0]["function"]["arguments"]) == {"text": SAID}
    assert call["message"]["tool_calls"][0]["function"]["name"] == "send"
    assert answer["usage"] == {"total_tokens": 3}
    assert answer["id"] == told[0]["id"]
    assert upstream.requests[0]["store"] is False
    assert b"Jane" not in world.bytes_on_disk()


def test_nothing_is_kept_unless_asked_for(world: World) -> None:
    ask(world, Upstream(chunks=chunks), store=False)
    assert world.objects.list(TENANT, PERSON, kind="answer") == []


def test_a_stream_that_breaks_off_is_not_kept(world: World) -> None:
    with pytest.raises(VendorFailed):
        ask(world, Upstream(chunks=lambda body: chunks(body)[:4]), store=True)
    assert world.objects.list(TENANT, PERSON, kind="answer") == []
