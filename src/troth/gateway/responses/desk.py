"""POST /v1/responses: clear -> vendor -> put the caller's text back -> moderate -> make pictures -> answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from troth.gateway import inline_pictures
from troth.gateway.clearance import Clearance, Departure
from troth.gateway.departing import Wanted
from troth.gateway.places import RESPONSES
from troth.gateway.relaying import joined, little
from troth.gateway.responses import from_chat, native, picture_tool
from troth.gateway.responses.kept import Items, KeptResponses
from troth.gateway.responses.moves import Move
from troth.gateway.responses.painter import Painter, Pictures
from troth.gateway.responses.relay import Event, ResponseRelay
from troth.gateway.responses.to_chat import as_chat
from troth.gateway.vendors.record import Offer
from troth.gateway.wire.errors import openai_error
from troth.gateway.wire.responses import CreateResponse, Response
from troth.kernel.errors import Invalid, TrothError
from troth.kernel.operation import Call, Stream

MAX_ITEMS = 1024  # with those of the responses before
# Never sent: they identify people, or ask the vendor to keep what `store=false` forbids it to keep.
_STAYS = frozenset({"metadata", "prompt_cache_key", "store", "previous_response_id", "background"})
_LAST = frozenset({"response.completed", "response.incomplete"})
# What a response says of its request.
_SAID_AGAIN = frozenset(
    """instructions max_output_tokens metadata parallel_tool_calls previous_response_id reasoning temperature text
    tool_choice tools top_p truncation""".split()
)


class ResponseDesk:
    """Answers requests for responses. Nothing is kept but the receipt, unless the caller asks with `store`."""

    def __init__(self, clearance: Clearance, kept: KeptResponses, painter: Painter) -> None:
        self._clearance = clearance
        self._kept = kept
        self._painter = painter

    async def create(self, call: Call, request: CreateResponse) -> Response | Stream:
        """The whole response, or its events as server-sent events."""
        if request.previous_response_id:  # however short, the conversation that it goes on from may be long
            departure, items = await asyncio.to_thread(self._clear, call, request)
        else:
            departure, items = await self._clearance.threads.run(self._clear, call, request)
        if request.stream:
            relayed = self._relay(departure, request, items)
            first = await anext(relayed)  # a vendor that refuses does so before the response begins
            return Stream(joined(first, relayed))
        async with self._clearance.concluding(departure):
            port, payload = departure.port, departure.payload
            answer = await (port.responses(payload) if departure.offer.responses else port.chat(payload))
            relay, pictures = self._relay_of(departure, request), Pictures()
            if little(answer):
                _read(departure, relay, answer)
            else:  # reading much text takes time
                await asyncio.to_thread(_read, departure, relay, answer)
            async for _ in self._painted(departure, request, relay, pictures):
                pass
            made = relay.response()
            if request.store:
                await asyncio.to_thread(self._keep, departure, made, items, pictures)
            departure.outcome = "answered"
        return Response.model_validate(made)

    def _clear(self, call: Call, request: CreateResponse) -> tuple[Departure, Items]:
        tool = picture_tool.tool_of(request)
        if tool is not None:
            self._painter.require(call, tool)
        payload = request.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(_STAYS))
        earlier = self._kept.context(call, request.previous_response_id) if request.previous_response_id else []
        if earlier:
            payload["input"] = [*earlier, *_items(payload["input"])]
        if not isinstance(payload["input"], str):
            payload["input"] = [one for one in payload["input"] if one["type"] != "reasoning"]
            _check_number(payload["input"])
        picture_tool.as_function(payload)
        held = _pictures(payload["input"])
        self._clearance.require_room(call, inline_pictures.size(held))
        pictures = inline_pictures.clean(held, "input")
        wanted = Wanted("response.create", "chat", request.model, payload, RESPONSES, has_pictures=pictures > 0,
                        shaped=_shaped)  # fmt: skip
        return self._clearance.clear(call, wanted), _items(payload["input"])

    def _keep(self, departure: Departure, made: dict[str, Any], items: Items, pictures: Pictures) -> None:
        departure.objects = (self._kept.keep(departure, made, items, pictures),)

    async def _painted(
        self, departure: Departure, request: CreateResponse, relay: ResponseRelay, made: Pictures
    ) -> AsyncGenerator[Event, None]:
        """The pictures that the model asked for, and the end that waited for them."""
        tool = picture_tool.tool_of(request)
        if tool is None or not relay.orders:
            return
        if not request.stream:  # nobody would see the stages
            tool = tool.model_copy(update={"partial_images": None})
        async with aclosing(self._painter.paint(departure, relay, tool, made)) as events:
            async for event in events:
                yield event
        yield relay.end()

    def _relay_of(self, departure: Departure, request: CreateResponse) -> ResponseRelay:
        said = request.model_dump(mode="json", by_alias=True, exclude_none=True, include=set(_SAID_AGAIN))
        frame = Response(
            id=departure.call.request_id,
            created_at=int(time.time()),
            model=departure.model,
            status="in_progress",
            output=[],
            store=bool(request.store),
            **said,
        )
        wanted = request.text.format.type if request.text and request.text.format else "text"
        pictures = picture_tool.most(request) if picture_tool.tool_of(request) else 0
        return ResponseRelay(departure.redaction, departure.judge, frame.model_dump(), json_text=wanted != "text",
                             pictures=pictures)  # fmt: skip

    async def _relay(self, departure: Departure, request: CreateResponse, items: Items) -> AsyncGenerator[bytes, None]:
        """Events as they come. A failure on the way is told as an event, then ends the stream."""
        relay, pictures, number = self._relay_of(departure, request), Pictures(), 0
        async with self._clearance.concluding(departure):
            try:
                async with aclosing(self._events(departure, request, relay, pictures)) as events:
                    async for event in events:
                        if request.store and event["type"] in _LAST:  # from here on the response can be asked for
                            await asyncio.to_thread(self._keep, departure, event["response"], items, pictures)
                        yield _encoded(event)
                        number = event["sequence_number"] + 1  # of what comes next; this one is out
            except TrothError as error:
                if number:
                    yield _encoded(_failure(error, number))
                raise
            departure.outcome = "answered"

    async def _events(
        self, departure: Departure, request: CreateResponse, relay: ResponseRelay, pictures: Pictures
    ) -> AsyncGenerator[Event, None]:
        """Nothing before the vendor's first word, so that its refusal is one; then everything in order."""
        begun = False
        async with aclosing(_moves(departure)) as moves:
            async for move in moves:
                for event in [] if begun else relay.begin():
                    yield event
                begun = True
                for event in relay.events(move):
                    yield event
        async with aclosing(self._painted(departure, request, relay, pictures)) as painted:
            async for event in painted:
                yield event


def _read(departure: Departure, relay: ResponseRelay, answer: dict[str, Any]) -> None:
    for move in native.whole(answer) if departure.offer.responses else from_chat.whole(answer):
        for _ in relay.events(move):
            pass


async def _moves(departure: Departure) -> AsyncGenerator[Move, None]:
    """What the vendor's stream says, in order; at least one move."""
    if departure.offer.responses:
        events = native.NativeEvents()
        async with aclosing(departure.port.responses_stream(departure.payload)) as told:
            async for event in told:
                for move in events.moves(event):
                    yield move
        return
    chunks = from_chat.ChatChunks()
    async with aclosing(departure.port.chat_stream(departure.payload)) as told:
        async for chunk in told:
            for move in chunks.moves(chunk):
                yield move
    for move in chunks.rest():
        yield move


def _shaped(payload: dict[str, Any], offer: Offer) -> dict[str, Any]:
    return payload if offer.responses else as_chat(payload)


def _items(given: Any) -> Items:
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given


def _check_number(items: Items) -> None:
    if not items:
        raise Invalid("There is nothing to answer; send a message.", code="no-input", field="input")
    if len(items) > MAX_ITEMS:
        raise Invalid(f"A conversation holds at most {MAX_ITEMS:,} items; begin a new one.", code="too-many-items",
                      field="input")  # fmt: skip


def _pictures(given: Any) -> list[tuple[dict[str, Any], str]]:
    items = [] if isinstance(given, str) else given
    held = [part for item in items for name in ("content", "output") if isinstance(item.get(name), list)
            for part in item[name]]  # fmt: skip
    return [(part, "image_url") for part in held if part["type"] == "input_image"]


def _encoded(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def _failure(error: TrothError, number: int) -> Event:
    told = openai_error(error)["error"]
    return {"type": "error", "sequence_number": number} | {name: told[name] for name in ("code", "message", "param")}
