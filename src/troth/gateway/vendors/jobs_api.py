"""A vendor whose calls are jobs: submit, ask until it is done, fetch what was made. How is said by a description."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

import aiohttp

from troth.gateway.vendors.channel import Authorize, Channel
from troth.gateway.vendors.job_description import Description, Header
from troth.gateway.vendors.port import Attachment, Produced, Unoffered, VideoProgress, begun, unoffered
from troth.kernel.errors import Denied, Invalid, VendorFailed

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}\Z")
_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})\Z")
_SAFE = re.compile(r"[A-Za-z0-9_./?=&%:~+-]*\Z")
_MOST = 4  # pictures of one request; each is a job of its own


@dataclass(frozen=True, slots=True)
class Told:
    """How a job does, and the answer that said so."""

    state: str  # running | done | stopped | gone | failed
    media_type: str
    content: bytes


class JobVendor(Unoffered):
    """Implements `port.Vendor`. `opened` gives a channel without credential to an allowed download host.

    `pause` waits between two questions; tests wait less.
    """

    def __init__(
        self,
        channel: Channel,
        base_url: str,
        description: Description,
        opened: Callable[[str], Channel],
        pause: Callable[[float], Any] = asyncio.sleep,
    ) -> None:
        self._channel = channel
        self._own = urlsplit(base_url)
        self._said = description
        self._opened = opened
        self._pause = pause

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - the shape of the port
        """Not offered."""
        raise unoffered()

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:  # noqa: ARG002
        """Not offered."""
        raise unoffered()
        yield {}  # makes this a generator

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """One job for each picture."""
        return await self._pictures(payload, None)

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """The same with one picture to begin with; masks are not offered."""
        if len(images) != 1 or mask is not None or "$image" not in self._said.submit.body.values():
            raise unoffered()
        return await self._pictures(payload, images[0])

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:
        """Submit; the answer is the vendor's id of the job."""
        needs_picture = "$image" in self._said.submit.body.values()
        if "video" not in self._said.makes or len(attachments) != int(needs_picture):
            raise unoffered()
        return await self._submit(payload, attachments[0] if attachments else None, 0)

    async def video_poll(self, identifier: str) -> VideoProgress:
        """Ask once."""
        told = await self._ask(identifier)
        return {
            "running": VideoProgress("in_progress"),
            "done": VideoProgress("completed", 100),
            "gone": VideoProgress("unknown"),
        }.get(told.state, VideoProgress("failed"))

    async def video_content(self, identifier: str) -> bytes:
        """What the job made."""
        return await self._result(_done(await self._ask(identifier)))

    async def _pictures(self, payload: dict[str, Any], image: Attachment | None) -> list[Produced]:
        count = payload.get("n") or 1
        if "image" not in self._said.makes or count > _MOST:
            raise unoffered()
        identifier = await self._submit(payload, image, 0)
        with begun():
            made = [await self._finished(identifier)]
            for number in range(1, count):
                made.append(await self._finished(await self._submit(payload, image, number)))
        return made

    async def _finished(self, identifier: str) -> Produced:
        until = time.monotonic() + self._said.poll.seconds
        while (told := await self._ask(identifier)).state == "running":
            if time.monotonic() > until:
                raise VendorFailed("The vendor took too long; try again later.", code="vendor-timeout")
            await self._pause(self._said.poll.every)
        return Produced(await self._result(_done(told)))

    async def _submit(self, payload: Mapping[str, Any], image: Attachment | None, number: int) -> str:
        submit = self._said.submit
        fields = _fields(submit.body, _values(payload, image, number))
        path = submit.path.replace("{model}", _part(payload.get("model")))
        body = (lambda: {"json": _text(fields)}) if submit.form == "json" else (lambda: {"data": _form(fields)})
        return await self._channel.post(path, body, lambda text: _identifier(_at(_object(text), submit.id)))

    async def _ask(self, identifier: str) -> Told:
        path = self._said.poll.path.replace("{id}", _identifier(identifier))
        try:
            return await self._channel.exchange("GET", path, dict, self._understood)
        except VendorFailed as error:
            if error.code == "vendor-model-unknown":  # 404: the job is not known any more
                return Told("gone", "", b"")
            raise

    def _understood(self, status: int, media_type: str, content: bytes) -> Told:
        poll = self._said.poll
        if poll.status is None:
            return Told("running" if status == 202 else "done", media_type, content)
        word = _at(_object(content), poll.status)
        states = (("running", poll.running), ("done", poll.done), ("stopped", poll.stopped), ("gone", poll.gone))
        state = next((name for name, words in states if word in words), "failed")
        return Told(state, media_type, content)

    async def _result(self, told: Told) -> bytes:
        result = self._said.result
        if result.kind == "body":
            return told.content
        value = _at(_object(told.content), result.pointer or "/")
        if not isinstance(value, str):
            raise _nonsense()
        if result.kind == "link":
            return await self._download(value)
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _nonsense() from error

    async def _download(self, link: str) -> bytes:
        """What stands behind a link of the vendor's. Only its own address and the hosts of the description."""
        try:
            place = urlsplit(link)
            origin = _origin(place)
        except ValueError as error:
            raise _elsewhere() from error
        own = origin == _origin(self._own)
        path = place.path + (f"?{place.query}" if place.query else "")
        if not (own or self._allowed(place)) or not _SAFE.match(path):
            raise _elsewhere()
        channel = self._opened(f"{place.scheme}://{place.netloc}")
        try:
            return await channel.fetch(path)
        finally:
            await channel.close()

    def _allowed(self, place: SplitResult) -> bool:
        host = place.hostname or ""
        if place.scheme != "https" or place.port not in (None, 443) or place.username is not None:
            return False
        return any(host == one or (one.startswith("*.") and host.endswith(one[1:])) for one in self._said.result.hosts)


def key_header(header: Header, more: Mapping[str, str], credential: str | None) -> Authorize:
    """The headers of every call."""
    headers = {**more, **({header.name: header.prefix + credential} if credential else {})}
    return lambda _method, _url, _sent: headers


def _values(payload: Mapping[str, Any], image: Attachment | None, number: int) -> dict[str, Any]:
    """What the fields of a description stand for. Raises `Invalid` for a size in words."""
    size = payload.get("size")
    found = None if size in (None, "auto") else _SIZE.match(str(size))
    if size not in (None, "auto") and found is None:
        raise Invalid("Give the size as WIDTHxHEIGHT in pixels.", code="vendor-refused-request", field="size")
    seed = payload.get("seed")
    values = {
        "prompt": payload.get("prompt"),
        "width": int(found[1]) if found else None,
        "height": int(found[2]) if found else None,
        "seed": None if seed is None else (int(seed) + number) % 2**32,
        "seconds": payload.get("seconds"),
        "image": image,
        "model": payload.get("model"),
    }
    return {name: value for name, value in values.items() if value is not None}


def _fields(body: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for name, value in body.items():
        wanted = value[1:] if isinstance(value, str) and value.startswith("$") else None
        if wanted is None:
            made[name] = value
        elif wanted in values:
            made[name] = values[wanted]
    return made


def _text(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: base64.b64encode(value.content).decode() if isinstance(value, Attachment) else value
        for name, value in fields.items()
    }


def _form(fields: Mapping[str, Any]) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    for name, value in fields.items():
        if isinstance(value, Attachment):
            form.add_field(name, value.content, filename="0", content_type=value.media_type)
        else:
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    return form


def _done(told: Told) -> Told:
    if told.state == "stopped":
        raise Denied("The vendor's content policy does not permit this request; change it.", code="moderation-blocked")
    if told.state != "done":
        raise VendorFailed("The vendor's job failed or is gone; try again.", code="vendor-failed")
    return told


def _origin(place: SplitResult) -> tuple[str, str | None, int | None]:
    return place.scheme, place.hostname, place.port


def _object(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _nonsense() from error


def _at(value: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None where nothing stands."""
    for part in pointer.strip("/").split("/"):
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value


def _identifier(value: Any) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        raise _nonsense()
    return value


def _part(model: Any) -> str:
    if not isinstance(model, str) or not _ID.match(model):
        raise Invalid("The vendor's name of this model does not fit into an address; the operator must correct it.",
                      code="vendor-model-unknown", field="model")  # fmt: skip
    return model


def _nonsense() -> VendorFailed:
    return VendorFailed("The vendor's answer is not as its description says; try again or choose another model.",
                        code="vendor-bad-answer")  # fmt: skip


def _elsewhere() -> VendorFailed:
    return VendorFailed("The vendor gave a link to a place that is not allowed; choose another model.",
                        code="vendor-link-not-allowed")  # fmt: skip
