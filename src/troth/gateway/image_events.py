"""The events of streamed pictures, in OpenAI's names: `image_generation.*` and `image_edit.*`."""

from __future__ import annotations

import base64
import json
from typing import Any

from troth.gateway.image_rules import quality_of
from troth.gateway.pictures import Finished
from troth.gateway.vendors.sse import encode
from troth.gateway.wire.errors import openai_error
from troth.gateway.wire.images import EditImages, GenerateImages, Image, ImageUsage
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import TrothError
from troth.kernel.operation import Call


class ImageEvents:
    """Builds the events of one request."""

    def __init__(self, request: GenerateImages | EditImages, call: Call, *, edited: bool) -> None:
        self.format = request.output_format or "png"
        self._noun = "image_edit" if edited else "image_generation"
        self._frame: dict[str, Any] = {
            "created_at": epoch_ms(call.at) // 1000,
            "output_format": self.format,
            "quality": quality_of(request) or "auto",
            "request_id": call.request_id,
        }

    def partial(self, finished: Finished, index: int) -> bytes:
        """A stage: signed like a picture, not kept, and without the mark that finished pictures carry."""
        content = base64.b64encode(finished.content).decode()
        return self._event("partial_image", finished, {"b64_json": content, "partial_image_index": index})

    def completed(self, image: Image, finished: Finished, usage: ImageUsage | None) -> bytes:
        """A finished picture, which is kept."""
        given = image.model_dump(exclude_none=True) | ({"usage": usage.model_dump()} if usage else {})
        return self._event("completed", finished, given)

    def failed(self, error: TrothError) -> bytes:
        """The end of a stream that broke."""
        return encode(json.dumps(openai_error(error)))

    def _event(self, what: str, finished: Finished, given: dict[str, Any]) -> bytes:
        kind = f"{self._noun}.{what}"
        told = {
            "type": kind,
            "size": f"{finished.width}x{finished.height}",
            "background": "transparent" if finished.transparent else "opaque",
        }
        return f"event: {kind}\n".encode() + encode(json.dumps(self._frame | told | given))
