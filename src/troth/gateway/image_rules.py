"""What may be asked of pictures, what of it a vendor is told, and what it may say that it used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troth.gateway.vendors.local_studio import IMAGE_MODEL
from troth.gateway.vendors.port import Produced
from troth.gateway.wire.images import EditImages, GenerateImages, ImageUsage, TokenDetails
from troth.kernel.errors import Invalid

# Handled here, so that every vendor gives the same formats and no vendor is asked for a link.
_OURS = frozenset("response_format output_compression image mask".split())
_STREAMED = frozenset({"stream", "partial_images"})
_ANIMATED = frozenset({"frame_count", "frame_duration_ms"})
_NATIVE = frozenset({"svg", "gif"})  # formats that cannot be made of a PNG
_MOST_TOKENS = 1 << 31


def check(request: GenerateImages | EditImages) -> None:
    """Refuse what nobody here can do, before anything happens. Raises `Invalid`."""
    wanted = request.output_format or "png"
    if (request.frame_count or request.frame_duration_ms) and wanted != "gif":
        raise _unsuitable("Frames are for animated pictures; ask for output_format gif.")
    if request.background == "transparent" and wanted in ("jpeg", "pdf", "gif"):
        raise _unsuitable("This format knows no transparency here; choose png, webp or svg.")
    if wanted == "svg" and isinstance(request, EditImages) and request.model not in (None, IMAGE_MODEL):
        raise _unsuitable("An edited photo is no drawing, except of the local studio when it vectorises one.")
    if request.stream and request.partial_images and wanted not in ("png", "jpeg", "webp"):
        raise _unsuitable("Stages come as png, jpeg or webp; choose one of them, or ask without partial_images.")
    if request.partial_images and not request.stream:
        raise Invalid("Stages come in a stream; add stream, or leave partial_images out.", code="stages-need-stream",
                      field="partial_images")  # fmt: skip


def vendor_fields(request: GenerateImages | EditImages) -> dict[str, Any]:
    """The request as a vendor may see it, before redaction."""
    left_out = set(_OURS)
    if not request.stream:
        left_out |= _STREAMED
    if not request.frame_count:
        left_out |= _ANIMATED
    if request.output_format not in _NATIVE or (request.output_format == "gif" and not request.frame_count):
        left_out.add("output_format")
    return request.model_dump(mode="json", exclude_none=True, exclude=left_out)


def quality_of(request: GenerateImages | EditImages) -> str | None:
    """The quality in the words that answers have; None when the vendor was free."""
    if request.quality in (None, "auto"):
        return None
    return {"standard": "medium", "hd": "high"}.get(str(request.quality), request.quality)


def usage_of(made: Sequence[Produced]) -> ImageUsage | None:
    """What the vendor says it used, when it says it in numbers that can be believed."""
    told = made[0].usage or {}
    details = told.get("input_tokens_details")
    names = {name: _count(told.get(name)) for name in ("input_tokens", "output_tokens", "total_tokens")}
    if None in names.values():
        return None
    known = details if isinstance(details, dict) else {}
    parts = {name: _count(known.get(name)) or 0 for name in ("text_tokens", "image_tokens")}
    return ImageUsage(**{name: value or 0 for name, value in names.items()}, input_tokens_details=TokenDetails(**parts))


def _count(value: Any) -> int | None:
    counted = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST_TOKENS
    return value if counted else None


def _unsuitable(advice: str) -> Invalid:
    return Invalid(advice, code="format-not-supported", field="output_format")
