"""What a vendor's responses may say: known members of known types; nothing that was not told goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_world import Upstream, World, response, response_events, serving
from troth.gateway.responses.moves import Closed, Ended, Opened, Said
from troth.gateway.responses.native import NativeEvents, whole
from troth.gateway.wire.responses import CreateResponse
from troth.kernel.errors import VendorFailed

MESSAGE = {"type": "message", "role": "assistant", "content": []}
CALL = {"type": "function_call", "call_id": "c1", "name": "send", "arguments": "{}"}
ADDED = {"type": "response.output_item.added", "output_index": 0}
DELTA = {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "a"}


def moves(*events: dict[str, Any]) -> list[Any]:
    reader = NativeEvents()
    return [move for event in events for move in reader.moves(event)]


@pytest.mark.parametrize(
    "events",
    [
        [DELTA],
        [ADDED | {"item": MESSAGE}, DELTA | {"output_index": 1}],
        [ADDED | {"item": MESSAGE}, DELTA | {"delta": 7}],
        [ADDED | {"item": MESSAGE}, DELTA | {"delta": None}],
        [ADDED | {"item": MESSAGE}, DELTA | {"content_index": 10**9}],
        [ADDED | {"item": MESSAGE}, DELTA | {"content_index": True}],
        [ADDED | {"item": MESSAGE}, DELTA | {"logprobs": [{"token": 7, "logprob": 0}]}],
        [ADDED | {"item": CALL}, DELTA],
        [ADDED | {"item": MESSAGE | {"role": "system"}}],
        [ADDED | {"item": CALL | {"name": "bad name!"}}],
        [ADDED | {"item": CALL | {"call_id": "c\n"}}],
        [ADDED | {"item": "message"}],
        [ADDED | {"item": MESSAGE, "output_index": -1}],
        [{"type": "response.completed", "response": "x"}],
        [{"type": "response.output_item.done", "output_index": 0, "item": CALL | {"arguments": None}}],
    ],
)
def test_events_out_of_shape_are_refused(events: list[dict[str, Any]]) -> None:
    with pytest.raises(VendorFailed) as refusal:
        moves(*events)
    assert refusal.value.code == "vendor-bad-answer"


@pytest.mark.parametrize("event", [{"type": "response.failed", "response": {}}, {"type": "error", "message": "Jane"}])
def test_a_failure_of_the_vendor_is_a_failure_without_its_words(event: dict[str, Any]) -> None:
    with pytest.raises(VendorFailed) as refusal:
        moves(event)
    assert "Jane" not in refusal.value.advice


def test_unknown_items_events_and_members_are_dropped() -> None:
    told = moves(
        {"type": "response.created", "response": {"output": [MESSAGE]}},
        ADDED | {"item": {"type": "web_search_call", "query": "Jane"}},
        {"type": "response.web_search_call.searching", "output_index": 0},
        {"type": "response.output_item.done", "output_index": 0, "item": {"type": "web_search_call"}},
        {"nothing": 1},
        {"type": "response.completed", "response": {"output": [MESSAGE], "usage": {"input_tokens": 2, "x": "Jane"}}},
    )
    (ended,) = told
    assert isinstance(ended, Ended)
    assert ended.usage is not None
    assert "Jane" not in json.dumps(ended.usage)


def test_a_text_that_only_the_end_tells_is_read_there() -> None:
    part = {"type": "output_text", "text": "late", "annotations": [{"type": "file_citation", "filename": "Jane"}]}
    done = {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE | {"content": [part]}}
    told = [Opened(0, "message"), Said(0, "output_text", "late"), Closed(0)]
    assert moves(done) == moves(ADDED | {"item": MESSAGE}, done) == told


def test_a_text_that_was_told_in_pieces_is_not_read_again(world: World) -> None:
    """A vendor that says something else at the end than on the way is heard on the way only."""
    events = response_events("hello", 2)
    last = json.loads(events[-1].decode().partition("data: ")[2])
    last["response"]["output"][0]["content"][0]["text"] = "unread jane.doe@example.com"
    done = json.loads(events[-2].decode().partition("data: ")[2])
    done["item"]["content"][0]["text"] = "unread too"
    swapped = [*events[:-2], *(f"data: {json.dumps(one)}\n\n".encode() for one in (done, last))]

    async def go() -> str:
        async with serving(Upstream(chunks=lambda body: swapped)) as upstream:
            world.add_vendor(upstream.url)
            wish = CreateResponse(model="acme-native", input="x", stream=True)
            stream: Any = await world.answers.create_response(world.call(), wish)
            return b"".join([piece async for piece in stream.chunks]).decode()

    text = world.run(go())
    assert "unread" not in text
    assert text.count('"hello"') == 4


@pytest.mark.parametrize(
    "change",
    [
        {"output": {}},
        {"output": [7]},
        {"status": "failed"},
        {"status": "queued"},
        {"output": [{"type": "message"}] * 300},
    ],
)
def test_whole_responses_out_of_shape_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(VendorFailed):
        list(whole(response("x") | change))


def test_thoughts_come_as_thoughts() -> None:
    thought = {
        "type": "reasoning",
        "id": "rs_1",
        "encrypted_content": "sealed",
        "summary": [{"type": "summary_text", "text": "a"}],
        "content": [{"type": "reasoning_text", "text": "b"}],
    }
    assert list(whole({"output": [thought]}))[1:3] == [Said(0, "summary_text", "a"), Said(0, "reasoning_text", "b")]
