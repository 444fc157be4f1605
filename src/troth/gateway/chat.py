"""POST /v1/chat/completions: clear -> vendor -> put the caller's text back -> moderate -> answer."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from troth.gateway import answers
from troth.gateway.chat_stream import ChatRelay
from troth.gateway.clearance import Clearance, Departure, Wanted
from troth.gateway.intake import Limits, admit_image
from troth.gateway.moderation import Moderator
from troth.gateway.places import CHAT
from troth.gateway.receipts import Receipts
from troth.gateway.redaction import Cleared
from troth.gateway.restoring import unescaped
from troth.gateway.vendors.sse import encode
from troth.gateway.wire.chat import CompleteChat, Completion
from troth.gateway.wire.errors import openai_error
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Invalid, TrothError
from troth.kernel.operation import Call, Stream
from troth.vault.objects import KeepRequest, Objects

_LITTLE = 4096  # characters, and 8 for each other value
MAX_PICTURES = 16  # in one conversation
# Never sent: they identify people, or ask the vendor to keep what `store=false` forbids it to keep.
_STAYS = frozenset({"metadata", "prompt_cache_key", "store"})


class ChatDesk:
    """Answers conversations. Nothing is kept but the receipt, unless the caller asks with `store`."""

    def __init__(self, clearance: Clearance, moderator: Moderator, objects: Objects) -> None:
        self._clearance = clearance
        self._moderator = moderator
        self._objects = objects

    async def complete(self, call: Call, request: CompleteChat) -> Completion | Stream:
        """The whole answer, or its chunks as server-sent events."""
        departure = await asyncio.to_thread(self._clear, call, request)
        if request.stream:
            relay = self._relay(departure)
            first = await anext(relay)  # a vendor that refuses does so before the response begins
            return Stream(_joined(first, relay))
        async with self._clearance.concluding(departure):
            answer = await departure.port.chat(departure.payload)
            if request.store or not _little(answer):  # the disk takes time, and so does reading much text
                completion = await asyncio.to_thread(self._deliver, departure, answer, store=bool(request.store))
            else:
                completion = self._deliver(departure, answer, store=False)
            departure.outcome = "answered"
        return completion

    def _clear(self, call: Call, request: CompleteChat) -> Departure:
        payload = request.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=set(_STAYS))
        pictures = _clean_pictures(payload)
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
        self._moderator.check_all(_strings(message))
        for tokens in (logprobs or {}).values():
            for text in answers.spoken(tokens):
                self._moderator.check(text)
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
                self._moderator.check(unescaped(call["function"]["arguments"]))
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

    async def _relay(self, departure: Departure) -> AsyncGenerator[bytes, None]:
        """Chunks as events. A failure on the way is told as an event, then ends the stream."""
        relay = ChatRelay(
            departure.redaction,
            self._moderator,
            departure.call.request_id,
            departure.model,
            json_content=_wants_json(departure.payload),
        )
        started = False
        async with self._clearance.concluding(departure):
            try:
                async with aclosing(departure.port.chat_stream(departure.payload)) as chunks:
                    async for chunk in chunks:
                        yield encode(json.dumps(relay.chunk(chunk), ensure_ascii=False))
                        started = True
                for chunk in relay.rest():
                    yield encode(json.dumps(chunk, ensure_ascii=False))
                yield encode("[DONE]")
            except TrothError as error:
                if started:
                    yield encode(json.dumps(openai_error(error)))
                raise
            departure.outcome = "answered"


async def _joined(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(rest):  # a caller who leaves ends the vendor call at once
        yield first
        async for piece in rest:
            yield piece


def _little(answer: Any) -> bool:
    """Whether an answer is so small that reading it costs no more than handing it to another thread."""
    room, rest = _LITTLE, [answer]
    while rest and room > 0:
        one = rest.pop()
        room -= len(one) if isinstance(one, str) else 8
        if isinstance(one, dict | list):
            rest += one.values() if isinstance(one, dict) else one
    return room > 0


def _wants_json(payload: dict[str, Any]) -> bool:
    """True when the request asks for JSON as the text of the answer."""
    wanted = payload.get("response_format")
    return isinstance(wanted, dict) and wanted.get("type") in ("json_object", "json_schema")


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for child in children for text in _strings(child)]


def _clean_pictures(payload: dict[str, Any]) -> int:
    """Replace each inline picture by itself without personal metadata; returns how many there were."""
    parts = [
        part["image_url"]
        for message in payload["messages"]
        if isinstance(message.get("content"), list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]
    if len(parts) > MAX_PICTURES:
        raise Invalid(f"A conversation holds at most {MAX_PICTURES} pictures; send fewer.", code="too-many-pictures")
    for part in parts:
        part["url"] = _cleaned(part["url"])
    return len(parts)


def _cleaned(url: str) -> Cleared:
    header, comma, body = url.partition(";base64,")
    if not comma or not header.startswith("data:image/"):
        raise Invalid("Send the picture itself as data:image/...;base64,... - Troth fetches nothing from elsewhere.",
                      code="remote-picture", field="messages")  # fmt: skip
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The picture is not base64; encode it again.", code="bad-base64", field="messages") from error
    admitted = admit_image(content, header.removeprefix("data:"), Limits(keep_credentials=False))
    return Cleared(f"data:{admitted.media_type};base64,{base64.b64encode(admitted.content).decode()}")
