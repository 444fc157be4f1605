"""Makes the pictures that a model asked for in a response: by the image desk, as if the caller had asked it.

Each is a request of its own, with moderation, limits, vendor gate, mark, credentials and its own part of the receipt.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

from troth.gateway.clearance import Departure
from troth.gateway.image_rules import quality_of
from troth.gateway.images import Delivered, ImageDesk, Stage
from troth.gateway.pictures import Finished
from troth.gateway.responses import picture_tool
from troth.gateway.responses.relay import Event, Order, ResponseRelay
from troth.gateway.wire.images import GenerateImages
from troth.gateway.wire.response_tools import ImageTool
from troth.kernel.operation import Call

Pictures = dict[str, str]  # by item, the object that holds it


class Painter:
    """Turns the orders of one response into events."""

    def __init__(self, images: ImageDesk) -> None:
        self._images = images

    def require(self, call: Call, tool: ImageTool) -> None:
        """Refuse what can be refused before the model is asked. Blocks; raises as the image desk."""
        self._images.require(call, picture_tool.order(tool, "picture"))

    async def paint(
        self, departure: Departure, relay: ResponseRelay, tool: ImageTool, made: Pictures
    ) -> AsyncGenerator[Event, None]:
        """Events of all orders, one after the other; `made` is told which objects came of them."""
        if departure.ticket is not None:  # what a model used is settled, and its place is free for what comes now
            await asyncio.to_thread(departure.ticket.end, departure.offer.price)
        for number, order in enumerate(relay.orders, 1):
            wish = picture_tool.order(tool, order.prompt)
            yield relay.drawing(order, "generating")
            with _beside(departure.call) as call:
                async with aclosing(self._images.part(call, wish, number)) as steps:
                    async for step in steps:
                        for event in _events(relay, order, wish, step):
                            yield event
                        if isinstance(step, Delivered):
                            made[order.item] = step.objects[0]


def _events(relay: ResponseRelay, order: Order, wish: GenerateImages, step: Stage | Delivered) -> Iterator[Event]:
    if isinstance(step, Stage):
        content = base64.b64encode(step.finished.content).decode()
        facts = _facts(wish, step.finished)
        yield relay.drawing(order, "partial_image", partial_image_b64=content, partial_image_index=step.index, **facts)
        return
    told = {"result": step.images.data[0].b64_json, "revised_prompt": order.prompt, "action": "generate"}
    yield from relay.drawn(order, told | _facts(wish, step.finished[0]))


def _facts(wish: GenerateImages, finished: Finished) -> dict[str, Any]:
    return {
        "background": "transparent" if finished.transparent else "opaque",
        "output_format": wish.output_format or "png",
        "quality": quality_of(wish) or "auto",
        "size": f"{finished.width}x{finished.height}",
    }


@contextmanager
def _beside(call: Call) -> Iterator[Call]:
    """A call of the same request for one part of it: what is to be written with the closing record is; what the record
    says of the vendor stays that of the model."""
    part = Call(call.caller, call.request_id, call.at, also=call.also)
    try:
        yield part
    finally:
        call.last.extend(part.last)
        call.after.extend(part.after)
        call.told.update(part.told)
        call.facts = part.facts | call.facts
