"""Any upstream that speaks OpenAI's API: hosted vendors, LiteLLM, vLLM, LocalAI, Ollama."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import aiohttp

from troth.gateway.vendors.channel import Channel
from troth.gateway.vendors.port import Attachment, Produced
from troth.gateway.vendors.sse import EventReader
from troth.kernel.errors import VendorFailed

_SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class OpenAICompatible:
    """Implements `port.Vendor` over a `Channel`."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST {base}/chat/completions."""
        answer = _object(await self._channel.post("/chat/completions", lambda: {"json": payload}))
        if not isinstance(answer.get("choices"), list):
            raise _nonsense()
        return answer

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The same with `stream`. A stream that ends without `[DONE]` raises `VendorFailed`."""
        reader = EventReader()
        async with aclosing(self._channel.post_stream("/chat/completions", lambda: {"json": payload})) as pieces:
            async for piece in pieces:
                for event in reader.feed(piece):
                    if event == "[DONE]":
                        return
                    yield _object(event)
        raise VendorFailed("The vendor's stream broke off; try again.", code="vendor-truncated")

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """POST {base}/images/generations."""
        return _pictures(await self._channel.post("/images/generations", lambda: {"json": payload}))

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """POST {base}/images/edits as a form; file names are numbers."""
        return _pictures(await self._channel.post("/images/edits", lambda: _form(payload, images, mask)))


def _form(payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None) -> Mapping[str, Any]:
    form = aiohttp.FormData()
    for name, value in payload.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    field = "image" if len(images) == 1 else "image[]"
    for number, image in enumerate(images):
        _attach(form, field, f"{number}", image)
    if mask is not None:
        _attach(form, "mask", "mask", mask)
    return {"data": form}


def _attach(form: aiohttp.FormData, field: str, stem: str, picture: Attachment) -> None:
    name = f"{stem}.{_SUFFIX[picture.media_type]}"
    form.add_field(field, picture.content, filename=name, content_type=picture.media_type)


def _object(text: bytes | str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _nonsense() from error
    if not isinstance(value, dict):
        raise _nonsense()
    return value


def _pictures(text: bytes) -> list[Produced]:
    data = _object(text).get("data")
    if not isinstance(data, list) or not data:
        raise _nonsense()
    return [_picture(one) for one in data]


def _picture(one: Any) -> Produced:
    if not isinstance(one, dict) or not isinstance(one.get("b64_json"), str):
        raise VendorFailed("The vendor answered with a link in place of a picture; the operator must set "
                           "response_format in its record.", code="vendor-bad-answer")  # fmt: skip
    revised = one.get("revised_prompt")
    try:
        content = base64.b64decode(one["b64_json"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise _nonsense() from error
    return Produced(content, revised if isinstance(revised, str) else None)


def _nonsense() -> VendorFailed:
    return VendorFailed("The vendor's answer is not in OpenAI's format; try again or choose another model.",
                        code="vendor-bad-answer")  # fmt: skip
