"""A vendor whose calls are timed: by model on offer, with the tokens it says it used. Nothing of a payload is kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from troth.gateway.vendors.port import Attachment, Partial, Produced, Vendor, VideoProgress
from troth.gateway.vendors.record import VendorRecord
from troth.kernel.watch import Kind, Span, Watch, watched

_MOST_TOKENS = 1 << 31  # a vendor that counts more talks nonsense

_TOKENS = {"tokens_in": ("prompt_tokens", "input_tokens"), "tokens_out": ("completion_tokens", "output_tokens")}


class WatchedVendor:
    """Implements `port.Vendor` around another. A model is named as the operator put it on offer."""

    def __init__(self, vendor: Vendor, record: VendorRecord, watch: Watch) -> None:
        self._vendor = vendor
        self._offers = {offer.upstream: offer.model for offer in record.facts.offers}
        self._watch = watch

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """As the vendor does."""
        with watched(self._watch, Kind.VENDOR, self._model(payload)) as span:
            answer = await self._vendor.chat(payload)
            _count(span, answer.get("usage"))
        return answer

    def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """As the vendor does; its time ends with the stream."""
        return self._watched(payload, self._vendor.chat_stream(payload))

    async def responses(self, payload: dict[str, Any]) -> dict[str, Any]:
        """As the vendor does."""
        with watched(self._watch, Kind.VENDOR, self._model(payload)) as span:
            answer = await self._vendor.responses(payload)
            _count(span, answer.get("usage"))
        return answer

    def responses_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """As the vendor does; its time ends with the stream."""
        return self._watched(payload, self._vendor.responses_stream(payload))

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """As the vendor does."""
        with watched(self._watch, Kind.VENDOR, self._model(payload)) as span:
            answer = await self._vendor.embeddings(payload)
            _count(span, answer.get("usage"))
        return answer

    async def _watched(
        self, payload: dict[str, Any], told: AsyncGenerator[dict[str, Any], None]
    ) -> AsyncGenerator[dict[str, Any], None]:
        span, outcome = self._watch.begin(Kind.VENDOR, self._model(payload)), "failed"
        try:
            async with aclosing(told) as chunks:
                async for chunk in chunks:
                    response = chunk.get("response")
                    _count(span, chunk.get("usage") or (response.get("usage") if isinstance(response, dict) else None))
                    yield chunk
            outcome = "done"
        finally:
            span.end(outcome)

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """As the vendor does."""
        with watched(self._watch, Kind.VENDOR, self._model(payload)):
            return await self._vendor.image(payload)

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """As the vendor does."""
        with watched(self._watch, Kind.VENDOR, self._model(payload)):
            return await self._vendor.edit(payload, images, mask)

    def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:
        """As the vendor does; its time ends with the stream."""
        return self._staged(payload, self._vendor.image_stream(payload))

    def edit_stream(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> AsyncGenerator[Partial | Produced, None]:
        """As the vendor does; its time ends with the stream."""
        return self._staged(payload, self._vendor.edit_stream(payload, images, mask))

    async def _staged(
        self, payload: dict[str, Any], told: AsyncGenerator[Partial | Produced, None]
    ) -> AsyncGenerator[Partial | Produced, None]:
        span, outcome = self._watch.begin(Kind.VENDOR, self._model(payload)), "failed"
        try:
            async with aclosing(told) as stages:
                async for stage in stages:
                    yield stage
            outcome = "done"
        finally:
            span.end(outcome)

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:
        """As the vendor does; the time is that of the order, not of the video."""
        with watched(self._watch, Kind.VENDOR, self._model(payload)):
            return await self._vendor.video_create(payload, attachments)

    async def video_poll(self, identifier: str) -> VideoProgress:
        """As the vendor does."""
        return await self._vendor.video_poll(identifier)

    async def video_content(self, identifier: str) -> bytes:
        """As the vendor does."""
        return await self._vendor.video_content(identifier)

    async def video_cancel(self, identifier: str) -> None:
        """As the vendor does."""
        await self._vendor.video_cancel(identifier)

    def _model(self, payload: dict[str, Any]) -> str:
        return self._offers.get(str(payload.get("model")), "other")


def _count(span: Span, usage: Any) -> None:
    for name, amounts in _TOKENS.items():
        value = next((usage[one] for one in amounts if one in usage), None) if isinstance(usage, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MOST_TOKENS:
            span.add(name, value)
