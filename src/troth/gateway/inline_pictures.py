"""Pictures inside a JSON request: each is replaced by itself without personal metadata before anything reads it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from troth.gateway.intake import Limits, admit_image
from troth.gateway.redaction import Cleared
from troth.kernel.errors import Invalid

MAX_PICTURES = 16  # in one request


def clean(holders: Sequence[tuple[dict[str, Any], str]], field: str) -> int:
    """Clean the picture that each dictionary holds under its key; returns how many there were.

    Raises `Invalid` for an address elsewhere, for what is no base64 and for too many, and what `intake` raises.
    """
    if len(holders) > MAX_PICTURES:
        raise Invalid(f"A conversation holds at most {MAX_PICTURES} pictures; send fewer.", code="too-many-pictures",
                      field=field)  # fmt: skip
    for holder, key in holders:
        holder[key] = _cleaned(holder[key], field)
    return len(holders)


def size(holders: Sequence[tuple[dict[str, Any], str]]) -> int:
    """How much the pictures are as they came, in bytes."""
    return sum(len(holder[key]) for holder, key in holders)


def _cleaned(url: str, field: str) -> Cleared:
    header, comma, body = url.partition(";base64,")
    if not comma or not header.startswith("data:image/"):
        raise Invalid("Send the picture itself as data:image/...;base64,... - Troth fetches nothing from elsewhere.",
                      code="remote-picture", field=field)  # fmt: skip
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("The picture is not base64; encode it again.", code="bad-base64", field=field) from error
    admitted = admit_image(content, header.removeprefix("data:"), Limits(keep_credentials=False))
    return Cleared(f"data:{admitted.media_type};base64,{base64.b64encode(admitted.content).decode()}")
