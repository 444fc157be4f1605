"""What every relay of an answer needs, whatever API it speaks."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel

_LITTLE = 4096  # characters, and 8 for each other value


async def joined(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """`first`, then `rest`."""
    async with aclosing(rest):  # a caller who leaves ends the vendor call at once
        yield first
        async for piece in rest:
            yield piece


def little(value: Any, room: int = _LITTLE) -> bool:
    """Whether JSON or a model holds so little that reading it costs no more than handing it to another thread."""
    rest = [value]
    while rest and room > 0:
        one = rest.pop()
        room -= len(one) if isinstance(one, str) else 8
        if isinstance(one, BaseModel):
            rest += vars(one).values()
        elif isinstance(one, dict | list):
            rest += one.values() if isinstance(one, dict) else one
    return room > 0
