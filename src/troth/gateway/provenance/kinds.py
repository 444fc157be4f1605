"""Which files can carry content credentials, judged by their bytes."""

from __future__ import annotations

from typing import Final

from troth.gateway.intake.kinds import IMAGES, SVG, image_type

GIF: Final = "image/gif"
MP4: Final = "video/mp4"
PDF: Final = "application/pdf"
MEDIA_TYPES: Final = IMAGES | {SVG, GIF, MP4, PDF}


def type_of(content: bytes) -> str | None:
    """The media type of what can be signed; None for anything else."""
    if content.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if content[4:8] == b"ftyp":
        return MP4
    if content.startswith(b"%PDF-"):
        return PDF
    return image_type(content) or (SVG if b"<svg" in content[:4096] else None)
