"""Streams on their way to the caller: piece by piece, whatever is planted and wherever the vendor cuts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_world import Upstream, World, event, response, response_events, serving
from troth.gateway.moderation import Moderator
from troth.gateway.places import RESPONSES
from troth.gateway.redaction import Redactor
from troth.gateway.responses.from_chat import ChatChunks
from troth.gateway.responses.moves import Move
from troth.gateway.responses.native import NativeEvents
from troth.gateway.responses.relay import Event, ResponseRelay
from troth.gateway.wire.responses import CreateResponse
from troth.kernel.errors import Denied
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy

REDACTOR = Redactor(rules_detector(), vendor_policy(), b"k" * 32)
MODERATOR = Moderator()
MAIL, CARD = "jane.doe@example.com", "4111 1111 1111 1111"
PLANTED = ("<PERSON_aaaaaaaaaa>", "<EMAIL_aaaaaaaaaa_2>", "n_0123456789abcdef", "<EMAIL>", "<EMAIL_", "<", ">", "n_")
BETWEEN = (" ", ", ", "\n", ".", " and ", "é", "😀", "\\", '"', "x")
TEXTS = st.lists(st.sampled_from([MAIL, CARD, "Jane Doe", *PLANTED, *BETWEEN]), min_size=1, max_size=12).map("".join)
FRAME = {"id": "req_x", "object": "response"}
SPEAKS = pytest.mark.parametrize("speaks", ["chat", "responses"])


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    return [text[start:end] for start, end in pairwise(places)]


def in_chunks(said: list[str]) -> Iterator[Move]:
    chunks = ChatChunks()
    for one in said:
        yield from chunks.moves({"choices": [{"index": 0, "delta": {"content": one}}]})
    yield from chunks.moves({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield from chunks.rest()


def in_events(said: list[str]) -> Iterator[Move]:
    events, place = NativeEvents(), {"output_index": 0, "content_index": 0, "item_id": "m"}
    whole = response("".join(said))
    yield from events.moves({"type": "response.output_item.added", "output_index": 0,
                             "item": whole["output"][0] | {"content": []}})  # fmt: skip
    for one in said:
        yield from events.moves({"type": "response.output_text.delta", "delta": one, **place})
    yield from events.moves({"type": "response.output_text.done", "text": "".join(said), **place})
    yield from events.moves({"type": "response.output_item.done", "output_index": 0, "item": whole["output"][0]})
    yield from events.moves({"type": "response.completed", "response": whole})


READERS = {"chat": in_chunks, "responses": in_events}


def told(relay: ResponseRelay, moves: Iterator[Move]) -> list[Event]:
    return [*relay.begin(), *(one for move in moves for one in relay.events(move))]


@given(TEXTS, st.lists(st.integers(0, 260), max_size=10), st.sampled_from(sorted(READERS)))
@settings(deadline=None, max_examples=80)
def test_what_was_sent_comes_back_piece_by_piece(text: str, cuts: list[int], speaks: str) -> None:
    redaction = REDACTOR.begin()
    sent = redaction.redact({"input": text}, RESPONSES)["input"]
    said = [one for one in pieces(sent, cuts) if one]
    events = told(ResponseRelay(redaction, MODERATOR, FRAME), READERS[speaks](said))
    deltas = [one for one in events if one["type"] == "response.output_text.delta"]
    (done,) = [one for one in events if one["type"] == "response.output_text.done"]
    last = events[-1]["response"]["output"][0]
    assert "".join(one["delta"] for one in deltas) == done["text"] == last["content"][0]["text"] == text
    assert len(deltas) >= len(said)  # each piece of the vendor's is one of ours
    assert {one["item_id"] for one in [*deltas, done]} == {last["id"]}
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    assert events[-1]["type"] == "response.completed"


@given(st.lists(st.sampled_from([*PLANTED, *BETWEEN]), min_size=1, max_size=12).map("".join),
       st.lists(st.integers(0, 120), max_size=8), st.sampled_from(sorted(READERS)))  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_what_a_vendor_makes_up_stays_what_it_is(text: str, cuts: list[int], speaks: str) -> None:
    redaction = REDACTOR.begin()
    redaction.redact({"input": f"{MAIL} {CARD}"}, RESPONSES)
    events = told(ResponseRelay(redaction, MODERATOR, FRAME), READERS[speaks](pieces(text, cuts)))
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == text


@SPEAKS
def test_only_the_open_end_is_held_back(speaks: str) -> None:
    """Pieces that hold no beginning of a placeholder are told at once and whole."""
    redaction = REDACTOR.begin()
    placeholder = redaction.redact({"input": MAIL}, RESPONSES)["input"]
    said = ["Dear ", "reader <", "3 ", placeholder[:7], placeholder[7:], " end"]
    events = told(ResponseRelay(redaction, MODERATOR, FRAME), READERS[speaks](said))
    deltas = [one["delta"] for one in events if one["type"] == "response.output_text.delta"]
    assert deltas == ["Dear ", "reader ", "<3 ", "", MAIL, " end"]


def paced(model: str, gate: asyncio.Event) -> Any:
    """A vendor that says the second half only once the first has arrived at the caller."""

    async def handler(request: web.Request) -> web.StreamResponse:
        native = model == "acme-native"
        chat = [event([{"index": 0, "delta": {"content": one}}]) for one in ("first ", "second")]
        chunks = response_events("first second", 6) if native else [*chat, b"data: [DONE]\n\n"]
        answer = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await answer.prepare(request)
        first = 3 if native else 1
        for number, one in enumerate(chunks):
            if number == first:
                await gate.wait()
            await answer.write(one)
        return answer

    return handler


@pytest.mark.parametrize("model", ["acme-chat", "acme-native"])
def test_a_piece_is_told_before_the_vendor_says_the_next(world: World, model: str) -> None:
    async def go() -> list[str]:
        gate, said = asyncio.Event(), list[str]()
        async with serving(Upstream(handler=paced(model, gate))) as upstream:
            world.add_vendor(upstream.url)
            wish = CreateResponse(model=model, input="hello", stream=True)
            stream: Any = await world.answers.create_response(world.call(), wish)
            async for piece in stream.chunks:
                one = json.loads(piece.partition(b"data: ")[2])
                said += [one["delta"]] if one["type"] == "response.output_text.delta" else []
                if said == ["first "]:
                    gate.set()  # a relay that held the text would wait for ever
        return said

    assert world.run(asyncio.wait_for(go(), 20)) == ["first ", "second"]


@SPEAKS
def test_the_end_of_a_text_is_judged_before_done(speaks: str) -> None:
    hate = "go die you disgusting retard, nobody loves you, you ugly fat pig"
    said = [f"{word} " for word in hate.split(" ")]  # no end of a sentence, and too short to be read on the way
    told, relay = list[Event](), ResponseRelay(REDACTOR.begin(), MODERATOR, FRAME)
    with pytest.raises(Denied):
        for move in in_chunks(said) if speaks == "chat" else in_events(said):
            told.extend(relay.events(move))
    assert told[-1]["type"] == "response.output_text.delta"
