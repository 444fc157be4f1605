"""OpenAI's pictures and videos: whole answers, streams with stages, and video jobs that are asked for."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import aiohttp

from troth.gateway.vendors.channel import Body, Road
from troth.gateway.vendors.openai_json import bad_answer, json_object
from troth.gateway.vendors.port import Attachment, Partial, Produced, Unoffered, VideoProgress, VideoState
from troth.gateway.vendors.sse import Events, broken_off
from troth.kernel.errors import VendorFailed

_SUFFIX = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
_MAX_STAGE = 32 << 20  # bytes of one event that carries a picture
_STAGES = re.compile(r"image_(?:generation|edit)\.(partial_image|completed)\Z")
_VIDEO = re.compile(r"[A-Za-z0-9_.-]{1,200}\Z")  # an id becomes part of an address
_STATES: Mapping[str, VideoState] = {
    "queued": "queued",
    "in_progress": "in_progress",
    "processing": "in_progress",
    "completed": "completed",
    "succeeded": "completed",
    "failed": "failed",
    "cancelled": "failed",
}


class OpenAIMedia(Unoffered):
    """The half of `port.Vendor` that makes pictures and videos, over a `Road`."""

    def __init__(self, channel: Road) -> None:
        self._channel = channel

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """POST {base}/images/generations."""
        return await self._channel.post("/images/generations", lambda: {"json": payload}, _pictures)

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """POST {base}/images/edits as a form; file names are numbers."""
        return await self._channel.post("/images/edits", lambda: _form(payload, images, mask), _pictures)

    def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:
        """The same with `stream`. A stream that ends without a picture raises `VendorFailed`."""
        return self._stages("/images/generations", lambda: {"json": payload}, payload.get("n") or 1)

    def edit_stream(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> AsyncGenerator[Partial | Produced, None]:
        """The same for edits."""
        return self._stages("/images/edits", lambda: _form(payload, images, mask), payload.get("n") or 1)

    async def _stages(self, path: str, body: Body, wanted: int) -> AsyncGenerator[Partial | Produced, None]:
        told: Events[Partial | Produced | None] = Events(_stage, lambda one: one is None, most=_MAX_STAGE, whole=False)
        done = 0
        async with aclosing(self._channel.post_stream(path, body, told)) as stages:
            async for stage in stages:
                if stage is not None:
                    done += isinstance(stage, Produced)
                    yield stage
        if not 1 <= done <= wanted:
            raise broken_off()

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:
        """POST {base}/videos as a form; the picture to begin with is `input_reference`."""
        return await self._channel.post("/videos", lambda: _video_form(payload, attachments), _made)

    async def video_poll(self, identifier: str) -> VideoProgress:
        """GET {base}/videos/{id}."""
        try:
            told = json_object(await self._channel.fetch(f"/videos/{_identifier(identifier)}"))
        except VendorFailed as error:
            if error.code == "vendor-model-unknown":
                return VideoProgress("unknown")
            raise
        progress = told.get("progress")
        percent = int(progress) if isinstance(progress, int | float) and 0 <= progress <= 100 else 0
        return VideoProgress(_STATES.get(str(told.get("status")), "failed"), percent)

    async def video_content(self, identifier: str) -> bytes:
        """GET {base}/videos/{id}/content."""
        return await self._channel.fetch(f"/videos/{_identifier(identifier)}/content")

    async def video_cancel(self, identifier: str) -> None:
        """DELETE {base}/videos/{id}."""
        await self._channel.fetch(f"/videos/{_identifier(identifier)}", method="DELETE")


def _form(payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None) -> Mapping[str, Any]:
    form = _fields(payload)
    field = "image" if len(images) == 1 else "image[]"
    for number, image in enumerate(images):
        _attach(form, field, f"{number}", image)
    if mask is not None:
        _attach(form, "mask", "mask", mask)
    return {"data": form}


def _video_form(payload: dict[str, Any], attachments: Sequence[Attachment]) -> Mapping[str, Any]:
    form = _fields(payload)
    for number, picture in enumerate(attachments):
        _attach(form, "input_reference", f"{number}", picture)
    return {"data": form}


def _fields(payload: dict[str, Any]) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in payload.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    return form


def _attach(form: aiohttp.FormData, field: str, stem: str, picture: Attachment) -> None:
    name = f"{stem}.{_SUFFIX[picture.media_type]}"
    form.add_field(field, picture.content, filename=name, content_type=picture.media_type)


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not _VIDEO.match(value) or set(value) <= {"."}:
        raise bad_answer()
    return value


def _made(text: bytes) -> str:
    return _identifier(json_object(text).get("id"))


def _stage(told: str) -> Partial | Produced | None:
    """None stands for the mark of the end."""
    if told == "[DONE]":
        return None
    event = json_object(told)
    kind = _STAGES.match(str(event.get("type")))
    if kind is None:
        raise bad_answer()
    if kind.group(1) == "completed":
        return _picture(event, _usage(event))
    index = event.get("partial_image_index")
    if not isinstance(index, int) or not 0 <= index < 16:
        raise bad_answer()
    return Partial(_picture(event).content, index)


def _pictures(text: bytes) -> list[Produced]:
    answer = json_object(text)
    data = answer.get("data")
    if not isinstance(data, list) or not data:
        raise bad_answer()
    return [_picture(one, None if number else _usage(answer)) for number, one in enumerate(data)]


def _usage(answer: dict[str, Any]) -> dict[str, Any] | None:
    usage = answer.get("usage")
    return usage if isinstance(usage, dict) else None


def _picture(one: Any, usage: dict[str, Any] | None = None) -> Produced:
    if not isinstance(one, dict) or not isinstance(one.get("b64_json"), str):
        raise VendorFailed("The vendor answered with a link in place of a picture; the operator must set "
                           "response_format in its record.", code="vendor-bad-answer")  # fmt: skip
    revised = one.get("revised_prompt")
    try:
        content = base64.b64decode(one["b64_json"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_answer() from error
    return Produced(content, revised if isinstance(revised, str) else None, usage)
