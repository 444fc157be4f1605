"""Amazon Bedrock's runtime: Converse for conversations, InvokeModel for embeddings and pictures, by Signature V4.

The signature is botocore's (extra `bedrock`); requests go over our own channel. The stored credential is
`KEY_ID:SECRET`, with `:SESSION_TOKEN` behind it for temporary ones.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, nullcontext
from typing import Any
from urllib.parse import quote

from troth.gateway.vendors import converse
from troth.gateway.vendors.channel import Authorize, Channel
from troth.gateway.vendors.port import Attachment, Produced, Unoffered, begun, unoffered
from troth.gateway.vendors.sse import MAX_EVENT, Events
from troth.kernel.errors import Unavailable, VendorFailed

_SERVICE = "bedrock"
_STREAM = "application/vnd.amazon.eventstream"
_MAX_INPUTS = 64  # texts of one request for embeddings; each is a call of its own


def signature(credential: str | None, region: str) -> Authorize:
    """Signs each request. Raises `Unavailable` (extra-missing, vendor-credential-missing)."""
    try:
        from botocore.auth import SigV4Auth  # noqa: PLC0415 - an extra
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415
        from botocore.credentials import Credentials  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable("Vendors of this kind need the extra 'bedrock'; install troth[bedrock].",
                          code="extra-missing") from error  # fmt: skip
    key, _, rest = (credential or "").partition(":")
    secret, _, token = rest.partition(":")
    if not key or not secret:
        raise Unavailable("This vendor needs a credential of the form KEY_ID:SECRET; the operator must store it.",
                          code="vendor-credential-missing")  # fmt: skip
    signer = SigV4Auth(Credentials(key, secret, token or None), _SERVICE, region)

    def authorize(method: str, url: str, sent: Mapping[str, Any]) -> Mapping[str, str]:
        request = AWSRequest(method, url, data=sent.get("data", b""), headers={"Content-Type": "application/json"})
        signer.add_auth(request)
        return dict(request.headers.items())

    return authorize


class Bedrock(Unoffered):
    """Implements `port.Vendor`. What Converse cannot say is refused, never dropped (see `converse.request`)."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST /model/{id}/converse."""
        path, body = _call(payload, "converse", converse.request(payload))
        return await self._channel.post(path, body, lambda text: converse.completion(_object(text)))

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """POST /model/{id}/converse-stream. A stream that ends before its metadata raises `VendorFailed`."""
        path, body = _call(payload, "converse-stream", converse.request(payload))
        usage = bool((payload.get("stream_options") or {}).get("include_usage"))
        told = _AmazonEvents()
        async with aclosing(self._channel.post_stream(path, body, told, _STREAM)) as events:
            async for name, event in events:
                for chunk in converse.chunks(name, event, usage=usage):
                    yield chunk

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST /model/{id}/invoke in the shape of Titan, once for each text."""
        given = payload["input"]
        texts = [given] if isinstance(given, str) else list(given)
        if len(texts) > _MAX_INPUTS or not all(isinstance(one, str) for one in texts):
            raise unoffered()
        size = {"dimensions": payload["dimensions"]} if payload.get("dimensions") else {}
        data, tokens = list[dict[str, Any]](), 0
        for number, text in enumerate(texts):
            path, body = _call(payload, "invoke", {"inputText": text} | size)
            with begun() if number else nullcontext():
                vector, count = await self._channel.post(path, body, _vector)
            data.append({"object": "embedding", "index": number, "embedding": vector})
            tokens += count
        return {"object": "list", "data": data, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """POST /model/{id}/invoke in the shape of Titan and Nova Canvas."""
        path, body = _call(payload, "invoke", converse.picture(payload))
        return await self._channel.post(path, body, _pictures)

    async def edit(
        self,
        payload: dict[str, Any],  # noqa: ARG002 - the shape of the port
        images: Sequence[Attachment],  # noqa: ARG002
        mask: Attachment | None,  # noqa: ARG002
    ) -> list[Produced]:
        """Not offered."""
        raise unoffered()


class _AmazonEvents(Events[tuple[str, dict[str, Any]]]):
    """Events of Amazon's binary framing (with its checksums) as botocore reads it: their names and members."""

    def __init__(self) -> None:
        super().__init__(lambda _text: ("", {}), lambda event: event[0] == "metadata")
        from botocore.eventstream import EventStreamBuffer, ParserError  # noqa: PLC0415 - an extra

        self._buffer = EventStreamBuffer()
        self._broken: type[Exception] = ParserError
        self._held = 0

    def feed(self, piece: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events that `piece` completes."""
        self._held += len(piece)
        self._buffer.add_data(piece)
        try:
            events = list(self._buffer)
        except self._broken as error:
            raise _nonsense() from error
        self._held = 0 if events else self._held
        if self._held > MAX_EVENT:
            raise VendorFailed("The vendor sent an event without end; try again.", code="vendor-flood")
        return map(_event, events)


def _event(message: Any) -> tuple[str, dict[str, Any]]:
    if message.headers.get(":message-type") != "event":
        raise VendorFailed("The vendor broke off its answer; try again.", code="vendor-failed")
    return str(message.headers.get(":event-type")), _object(message.payload)


def _call(
    payload: Mapping[str, Any], action: str, body: Mapping[str, Any]
) -> tuple[str, Callable[[], Mapping[str, Any]]]:
    """Path and body; the id of a model may be an ARN, of which Amazon wants the colons as they are."""
    content = json.dumps(body).encode()
    return f"/model/{quote(str(payload['model']), safe=':')}/{action}", lambda: {"data": content}


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _nonsense() from error
    if not isinstance(value, dict):
        raise _nonsense()
    return value


def _vector(text: bytes) -> tuple[list[float], int]:
    answer = _object(text)
    vector, count = answer.get("embedding"), answer.get("inputTextTokenCount", 0)
    if not isinstance(vector, list) or not all(isinstance(one, int | float) for one in vector):
        raise _nonsense()
    return vector, count if isinstance(count, int) and count >= 0 else 0


def _pictures(text: bytes) -> list[Produced]:
    images = _object(text).get("images")
    if not isinstance(images, list) or not images:
        raise _nonsense()
    try:
        return [Produced(base64.b64decode(one, validate=True)) for one in images]
    except (binascii.Error, ValueError, TypeError) as error:
        raise _nonsense() from error


def _nonsense() -> VendorFailed:
    return VendorFailed("The vendor's answer is not in Bedrock's format; try again or choose another model.",
                        code="vendor-bad-answer")  # fmt: skip
