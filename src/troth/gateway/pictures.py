"""From what a vendor made to what the caller asked for: checked, in the right format, with content credentials last."""

from __future__ import annotations

import io

from PIL import Image

from troth.gateway.intake import admit_image
from troth.gateway.provenance import Credentials, SourceType
from troth.kernel.errors import Invalid, Malformed, TooLarge, UnsupportedMedia, VendorFailed

MEDIA_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}
_DEFAULT_QUALITY = 90  # of JPEG and WEBP; the original's 100 doubles the size for no visible gain


def finished(
    content: bytes,
    wanted: str,
    compression: int | None,
    *,
    credentials: Credentials,
    source: SourceType,
    parent: bytes | None,
) -> bytes:
    """The picture in the format `wanted` (png, jpeg, webp), signed.

    Raises `VendorFailed` when the vendor's bytes are no picture we accept, `Unavailable` when it cannot be signed.
    """
    try:
        admitted = admit_image(content, "")
    except (Invalid, Malformed, TooLarge, UnsupportedMedia) as error:
        raise VendorFailed(
            "The vendor's picture is broken or too large; try again.", code="vendor-bad-picture"
        ) from error
    media_type = MEDIA_TYPES[wanted]
    picture = admitted.content
    if admitted.media_type != media_type or (compression is not None and wanted != "png"):
        marked = credentials.read(picture, admitted.media_type).state != "none"
        parent = parent or (picture if marked else None)  # a vendor's mark is carried on, never lost
        picture = _encoded(picture, wanted, compression)
    return credentials.sign(picture, media_type, source=source, parent=parent)


def _encoded(content: bytes, wanted: str, compression: int | None) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(content)) as opened:
        picture: Image.Image = opened
        if wanted == "jpeg" and opened.mode != "RGB":
            flat = Image.new("RGB", opened.size, "white")  # JPEG knows no transparency
            flat.paste(opened.convert("RGBA"), mask=opened.convert("RGBA").getchannel("A"))
            picture = flat
        quality = _DEFAULT_QUALITY if compression is None else max(1, compression)
        picture.save(out, "JPEG" if wanted == "jpeg" else wanted.upper(), quality=quality)
    return out.getvalue()
