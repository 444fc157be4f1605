"""Bytes that leave the portal as files."""

from __future__ import annotations

import base64

from starlette.responses import Response

from troth.kernel.operation import Binary

PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")  # what browsers draw without running anything


def attachment(opened: Binary) -> Response:
    """Bytes as a download that no browser opens in the page."""
    name = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in opened.filename or "file"
    )
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(opened.content, media_type=opened.media_type, headers=headers)


def inside(content: bytes, media_type: str) -> str:
    """Bytes as an address inside the page: for what can be fetched only once, or has no address of its own."""
    return f"data:{media_type};base64," + base64.b64encode(content).decode()
