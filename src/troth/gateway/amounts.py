"""How much text a request brings, by what its letters stand for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

from troth.gateway.redaction import Cleared
from troth.kernel.errors import TooLarge

# Characters of one request that are read by the detector and the moderator. Half a million tokens, more than the models
# on offer take; dense text costs the tier `fast` 8 s of one core per million characters, the rules 4 s at worst.
MAX_TEXT = 2_000_000
_PART = 512  # characters of a text that are measured at once


def check_amount(value: Any) -> None:
    """Raises `TooLarge` (too-much-text) for plain JSON that brings more than `MAX_TEXT`."""
    amount = 0
    for size in _sizes(value):
        amount += size
        if amount > MAX_TEXT:
            raise TooLarge(f"A request may hold at most {MAX_TEXT:,} characters of text; send less at once.",
                           code="too-much-text")  # fmt: skip


def _sizes(value: Any) -> Iterator[int]:
    """How long each thing is that the detector reads: texts, keys, and numbers as they are written."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from sizes(key)
            yield from _sizes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _sizes(one)
    elif not isinstance(value, Cleared):
        yield from sizes(value if isinstance(value, str) else str(value))


def sizes(text: str) -> Iterator[int]:
    """How long a text is for who reads it, in parts to be added up: one letter may stand for 18 (U+FDFA).

    In parts, so that a sum can stop early, and since the marks of a long run are sorted in time that is quadratic.
    """
    if text.isascii():
        yield len(text)
        return
    for at in range(0, len(text), _PART):
        part = text[at : at + _PART]
        yield max(len(part), len(unicodedata.normalize("NFKC", part)))
