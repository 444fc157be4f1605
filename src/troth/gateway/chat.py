"""POST /v1/chat/completions: clear -> vendor -> put the caller's text back -> moderate -> answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from troth.gateway import answers, inline_pictures
from troth.gateway.chat_gathered import Gathered
from troth.gateway.chat_stream import ChatRelay
from troth.gateway.clearance import Clearance, Departure
from troth.gateway.departing import Wanted
from troth.gateway.places import CHAT
from troth.gateway.receipts import Receipts
from troth.gateway.relaying import joined, little
from troth.gateway.restoring import unescaped
from troth.gateway.vendors.sse import encode
from troth.gateway.wire.chat import CompleteChat, Completion
from troth.gateway.wire.errors import openai_error
from troth.kernel.data_class import DataClass
from troth.kernel.errors import TrothError
from troth.kernel.operation import Call, Stream
from troth.vault.objects import KeepRequest, Objects

# Never sent: they identify people, or ask the vendor to keep what `store=false` forbids it to keep.
_STAYS = frozenset({"metadata", "prompt_cache_key", "store"})


class ChatDesk:
    """Answers conversations. Nothing is kept but the receipt, unless the caller asks with `store`."""

    def __init__(self, clearance: Clearance, objects: Objects) -> None:
        self._clearance = clearance
        self._objects = objects

    async def complete(self, call: Call, request: CompleteChat) -> Completion | Stream:
        """The whole answer, or its chunks as server-sent events."""
        departure = await self._clearance.threads.run(self._clear, call, request)
        if request.stream:
            relay = self._relay(departure, store=bool(request.store))
            first = await anext(relay)  # a vendor that refuses does so before the response begins
            return Stream(joined(first, relay))
        async with self._clearance.concluding(departure):
            answer = await departure.port.chat(departure.payload)
            if request.store or not little(answer):  # the disk takes time, and so does reading much text
                completion = await asyncio.to_thread(self._deliver, departure, answer, store=bool(request.store))
            else:
                completion = self._deliver(departure, answer, store=False)
            departure.outcome = "answered"
        return completion

    def _clear(self, call: Call, request: CompleteChat) -> Departure:
        payload = request.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(_STAYS))
        held = _pictures(payload)
        self._clearance.require_room(call, inline_pictures.size(held))
        pictures = inline_pictures.clean(held, "messages")
        wanted = Wanted("chat.complete", "chat", request.model, payload, CHAT, has_pictures=pictures > 0)
        return self._clearance.clear(call, wanted)

    def _deliver(self, departure: Departure, answer: dict[str, Any], *, store: bool) -> Completion:
        choices = [self._choice(departure, one) for one in answers.entries(answer["choices"], answers.MAX_CHOICES)]
        completion = Completion(
            id=departure.call.request_id,
            created=answers.created(answer.get("created"), int(time.time())),
            model=departure.model,
            choices=choices,
            usage=answers.usage(answer.get("usage")),
        )
        if store:
            departure.objects = (self._keep(departure, completion),)
        return completion

    def _choice(self, departure: Departure, choice: Any) -> dict[str, Any]:
        given = answers.members(choice)
        message = self._message(departure, answers.members(given.get("message")))
        logprobs = answers.logprobs(given.get("logprobs"))
        departure.judge.check_all(_strings(message))
        for tokens in (logprobs or {}).values():
            for text in answers.spoken(tokens):
                departure.judge.check(text)
        return {
            "index": answers.position(given.get("index", 0), answers.MAX_CHOICES),
            "message": {"role": "assistant", "content": None, "refusal": None} | message,
            "finish_reason": answers.finish_reason(given.get("finish_reason")),
            "logprobs": logprobs,
        }

    def _message(self, departure: Departure, message: dict[str, Any]) -> dict[str, Any]:
        """Its texts and tool calls with the caller's own text back in place."""
        redaction = departure.redaction
        given: dict[str, Any] = redaction.restore(answers.texts(message))
        if given.get("content") and _wants_json(departure.payload):
            given["content"] = redaction.restore_json(message["content"])
        calls = [answers.tool_call(one) for one in answers.entries(message.get("tool_calls") or [],
                                                                   answers.MAX_TOOL_CALLS)]  # fmt: skip
        restored = redaction.restore(calls)
        for call, raw in zip(restored, calls, strict=True):
            if "arguments" in raw.get("function", {}):
                call["function"]["arguments"] = redaction.restore_json(raw["function"]["arguments"] or "")
                departure.judge.check(unescaped(call["function"]["arguments"]))
        return given | ({"tool_calls": restored} if restored else {})

    def _keep(self, departure: Departure, completion: Completion) -> str:
        call = departure.call
        kept = self._objects.keep(
            KeepRequest(
                tenant=call.tenant,
                subject=call.subject,
                data_class=DataClass.USER_GENERATED,
                kind="answer",
                media_type="application/json",
                name=f"{call.request_id}.json",
                content=completion.model_dump_json().encode(),
                request=call.request_id,
            ),
            beside=Receipts.going_with(call, departure.receipt, ()),
        )
        call.note(object=kept.id)
        return kept.id

    async def _relay(self, departure: Departure, *, store: bool) -> AsyncGenerator[bytes, None]:
        """Chunks as events. A failure on the way is told as an event, then ends the stream."""
        relay = ChatRelay(
            departure.redaction,
            departure.judge,
            departure.call.request_id,
            departure.model,
            json_content=_wants_json(departure.payload),
        )
        started, gathered = False, Gathered() if store else None
        async with self._clearance.concluding(departure):
            try:
                async with aclosing(_told(departure, relay)) as chunks:
                    async for chunk in chunks:
                        if gathered is not None:
                            gathered.add(chunk)
                        yield encode(json.dumps(chunk, ensure_ascii=False))
                        started = True
                if gathered is not None:  # before the end is told: from then on it can be asked for
                    departure.objects = (await asyncio.to_thread(self._keep, departure, gathered.completion()),)
                yield encode("[DONE]")
            except TrothError as error:
                if started:
                    yield encode(json.dumps(openai_error(error)))
                raise
            departure.outcome = "answered"


async def _told(departure: Departure, relay: ChatRelay) -> AsyncGenerator[dict[str, Any], None]:
    """The vendor's chunks as the caller may see them, and what the relay still held at the end."""
    async with aclosing(departure.port.chat_stream(departure.payload)) as chunks:
        async for chunk in chunks:
            yield relay.chunk(chunk)
    for chunk in relay.rest():
        yield chunk


def _wants_json(payload: dict[str, Any]) -> bool:
    """True when the request asks for JSON as the text of the answer."""
    wanted = payload.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for child in children for text in _strings(child)]


def _pictures(payload: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    return [
        (part["image_url"], "url")
        for message in payload["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]
