"""A vendor with others behind it. The next one is asked only when nothing was sent, or the refusal says that nothing
was done; it is judged at that moment, and the receipt of its own stands before it gets the first byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from troth.gateway.vendors.port import NOTHING_DONE, Attachment, Partial, Produced, Vendor, VideoProgress
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.router import Route, Router
from troth.gateway.vendors.routing import Candidate
from troth.kernel.errors import TrothError

T = TypeVar("T")
Moved = Callable[[Candidate, str], None]  # to whom, and how the one before ended; it blocks


class RoutedVendor:
    """Implements `port.Vendor`. `when_moved` is told before another vendor gets anything;
    without it nobody steps in."""

    def __init__(self, router: Router, ports: Ports, route: Route, moved: Moved | None = None) -> None:
        self._router = router
        self._ports = ports
        self._route = route
        self.when_moved = moved
        self._at = route.first

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """As the first that does it."""
        return await self._whole(payload, lambda vendor, fitted: vendor.chat(fitted))

    def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """As the first that does it; after the first chunk nobody else is asked."""
        return self._stream(payload, lambda vendor, fitted: vendor.chat_stream(fitted))

    async def responses(self, payload: dict[str, Any]) -> dict[str, Any]:
        """As the first that does it."""
        return await self._whole(payload, lambda vendor, fitted: vendor.responses(fitted))

    def responses_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """As the first that does it."""
        return self._stream(payload, lambda vendor, fitted: vendor.responses_stream(fitted))

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """As the first that does it."""
        return await self._whole(payload, lambda vendor, fitted: vendor.embeddings(fitted))

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """As the first that does it."""
        return await self._whole(payload, lambda vendor, fitted: vendor.image(fitted))

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """As the first that does it."""
        return await self._whole(payload, lambda vendor, fitted: vendor.edit(fitted, images, mask))

    def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:
        """As the first that does it."""
        return self._stream(payload, lambda vendor, fitted: vendor.image_stream(fitted))

    def edit_stream(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> AsyncGenerator[Partial | Produced, None]:
        """As the first that does it."""
        return self._stream(payload, lambda vendor, fitted: vendor.edit_stream(fitted, images, mask))

    async def video_create(self, payload: dict[str, Any], attachments: Sequence[Attachment]) -> str:
        """As the first that does it; what follows about this job is asked of the same vendor."""
        return await self._whole(payload, lambda vendor, fitted: vendor.video_create(fitted, attachments))

    async def video_poll(self, identifier: str) -> VideoProgress:
        """As the vendor that began it."""
        return await self._ports.port(self._at.record, self._router.now()).video_poll(identifier)

    async def video_content(self, identifier: str) -> bytes:
        """As the vendor that began it."""
        return await self._ports.port(self._at.record, self._router.now()).video_content(identifier)

    async def video_cancel(self, identifier: str) -> None:
        """As the vendor that began it."""
        await self._ports.port(self._at.record, self._router.now()).video_cancel(identifier)

    async def _whole(self, payload: dict[str, Any], ask: Callable[[Vendor, dict[str, Any]], Awaitable[T]]) -> T:
        following = iter(self._route.others)
        while True:
            ready = None
            try:
                ready = self._ready()
                return await ask(ready, self._fitted(payload))
            except TrothError as refusal:
                await self._next(refusal, following, sent=ready is not None)

    async def _stream(
        self, payload: dict[str, Any], ask: Callable[[Vendor, dict[str, Any]], AsyncGenerator[T, None]]
    ) -> AsyncGenerator[T, None]:
        following, begun = iter(self._route.others), False
        while True:
            ready = None
            try:
                ready = self._ready()
                async with aclosing(ask(ready, self._fitted(payload))) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
                return
            except TrothError as refusal:
                if begun:
                    raise
                await self._next(refusal, following, sent=ready is not None)

    def _ready(self) -> Vendor:
        """The adapter of whoever is asked now. Raises the refusal of the gate at this moment."""
        self._router.still(self._route, self._at)
        return self._ports.port(self._at.record, self._router.now())

    async def _next(self, refusal: TrothError, following: Iterator[Candidate], *, sent: bool) -> None:
        """Move on, or raise `refusal` when nobody may step in."""
        if self.when_moved is None or (sent and refusal.code not in NOTHING_DONE):
            raise refusal
        for candidate in following:
            try:
                self._router.still(self._route, candidate)
            except TrothError:
                continue
            await asyncio.to_thread(self.when_moved, candidate, refusal.code)
            self._at = candidate
            return
        raise refusal

    def _fitted(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload with this vendor's name of the model, and its way of asking for pictures."""
        offer = self._at.offer
        fitted = payload | {"model": offer.upstream}
        if offer.kind == "image":
            fitted.pop("response_format", None)
            fitted |= {"response_format": offer.response_format} if offer.response_format else {}
        return fitted
