"""How many bytes of request bodies may be in memory at one moment, of all requests together.

512 connections with the largest body each would be 16 GB; the limit of one body says nothing about their sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from troth.kernel.errors import Unavailable

_KEY = "troth.body"


class Room:
    """Room for `most` bytes. Only ever used on the event loop's thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    @contextmanager
    def share(self, request: Request) -> Iterator[None]:
        """What the body of this request takes is given back in the end, however that comes."""
        share = request.scope[_KEY] = _Share(self)
        try:
            yield
        finally:
            self.taken -= share.bytes

    def take(self, count: int) -> None:
        """Raises `Unavailable` (`no-room`) when so many bytes are too many now."""
        if self.taken + count > self._most:
            raise Unavailable("The server reads too many large requests now; try again in a moment.", code="no-room")
        self.taken += count


class _Share:
    """What one request took."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.bytes = 0

    def take(self, count: int) -> None:
        self._room.take(count)
        self.bytes += count


def take_room(request: Request, count: int) -> None:
    """Count bytes of a body that arrived. Raises `Unavailable`; pages, whose forms are small, have no share."""
    share = request.scope.get(_KEY)
    if share is not None:
        share.take(count)
