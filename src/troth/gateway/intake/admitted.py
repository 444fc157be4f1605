"""What the gate lets in, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 25 * 1024 * 1024
"""Bytes of one upload; pictures of a 50-megapixel camera fit."""

MAX_PIXELS: Final = 50_000_000
"""Pixels of one picture, all frames together; decoded as RGBA that is 200 MB."""

MAX_JSON_BYTES: Final = 8 * 1024 * 1024
"""Bytes of one JSON value: parsed, it can take thirty times as much memory. JSON Lines are parsed line by line."""

MAX_LINES: Final = 50_000
"""Lines of one JSON Lines file with a purpose that reads them; as many requests as OpenAI takes in a batch."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes that the gate accepts.

    Attributes: `max_bytes`, `max_pixels` (all frames), `max_json_bytes` (one document or one line), `max_lines` (of
    JSON Lines for batch, fine-tune and evals), `keep_credentials` (False: content credentials of others are removed
    too, for a vendor who need not see them).
    """

    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    max_json_bytes: int = MAX_JSON_BYTES
    max_lines: int = MAX_LINES
    keep_credentials: bool = True


@dataclass(frozen=True, slots=True)
class Admitted:
    """An upload that passed.

    Attributes: `content` (cleaned bytes; pixels or text unchanged), `media_type` (judged by the bytes), `width` and
    `height` (pixels as stored, before the orientation tag; 0 for text), `removed` (names of what was taken out, never
    values), `kept` (`icc`, `orientation`, `c2pa`), `name` (the file name without folders and control characters).
    """

    content: bytes
    media_type: str
    width: int = 0
    height: int = 0
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    name: str = ""
