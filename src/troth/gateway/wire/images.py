"""POST /v1/images/generations and /v1/images/edits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from troth.gateway.wire.fields import Answer, Identifier, ModelName, Prompt, Wire
from troth.gateway.wire.upload import Upload

MAX_IMAGES = 4
Size = Annotated[str, StringConstraints(max_length=16, pattern=r"^(auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3})$")]
Quality = Literal["low", "medium", "high", "xhigh", "max", "auto", "standard", "hd"]
Format = Literal["png", "jpeg", "webp", "gif", "svg", "pdf"]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class _ImageFields(Wire):
    prompt: Prompt
    model: ModelName | None = None
    n: Annotated[int, Field(ge=1, le=MAX_IMAGES)] | None = None
    size: Size | None = None
    quality: Quality | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    output_format: Format | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    response_format: Literal["url", "b64_json"] | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = None
    stream: bool | None = None
    complexity: Literal["low", "medium", "high"] | None = None
    frame_count: Annotated[int, Field(ge=2, le=16)] | None = None
    frame_duration_ms: Annotated[int, Field(ge=10, le=655_350)] | None = None
    safety_identifier: Identifier | None = None
    user: Identifier | None = None


class GenerateImages(_ImageFields):
    """A prompt and how the pictures should be."""

    moderation: Literal["low", "auto"] | None = None
    style: Literal["vivid", "natural"] | None = None


class EditImages(_ImageFields):
    """A multipart form: one to sixteen pictures, perhaps a mask, and what to change."""

    image: Annotated[list[Upload], BeforeValidator(_listed), Field(min_length=1, max_length=16)]
    mask: Upload | None = None
    input_fidelity: Literal["high", "low"] | None = None


class Image(Answer):
    """One picture: base64 or a link that ends within the hour."""

    b64_json: str | None = None
    url: str | None = None
    revised_prompt: str | None = None


class TokenDetails(Answer):
    """How many tokens of which kind were read."""

    text_tokens: int
    image_tokens: int


class ImageUsage(Answer):
    """Tokens by the vendor's own count; the local studio counts words, and tiles of 32 x 32 pixels."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: TokenDetails


class Images(Answer):
    """The pictures. `created` is seconds since the epoch; `request_id` names the receipt.

    `background` and `size` are what the first picture really has; `quality` is what was asked for.
    """

    created: int
    data: list[Image]
    output_format: str
    request_id: str
    background: Literal["transparent", "opaque"] | None = None
    quality: str | None = None
    size: str | None = None
    usage: ImageUsage | None = None
