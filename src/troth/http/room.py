"""How many bytes of request bodies may be in memory at one moment, of all requests together.

512 connections with the largest body each would be 16 GB; the limit of one body says nothing about their sum. One
network address has a part of it only: a flood of bodies from one must leave room for the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.requests import Request

from troth.http.network import line
from troth.kernel.errors import Unavailable

_KEY = "troth.body"


class Room:
    """Room for `most` bytes, and for `of_one` of one address (IPv6: one /64), all of it where that is not given.

    Only ever used on the event loop's thread.
    """

    def __init__(self, most: int, of_one: int | None = None) -> None:
        self._most, self._of_one = most, most if of_one is None else of_one
        self._lines: Counter[str] = Counter()
        self.taken = 0

    @contextmanager
    def share(self, request: Request) -> Iterator[None]:
        """What the body of this request takes is given back in the end, however that comes."""
        share = request.scope[_KEY] = _Share(self, line(request.client.host if request.client else ""))
        try:
            yield
        finally:
            self.taken -= share.bytes
            self._lines[share.line] -= share.bytes
            if not self._lines[share.line]:
                del self._lines[share.line]

    def take(self, count: int, of: str) -> None:
        """Raises `Unavailable` (`no-room`) when so many bytes are too many now, of all or of one address."""
        if self.taken + count > self._most or self._lines[of] + count > self._of_one:
            raise Unavailable("The server reads too many large requests now; try again in a moment.", code="no-room")
        self.taken += count
        self._lines[of] += count


class _Share:
    """What one request took."""

    def __init__(self, room: Room, of: str) -> None:
        self._room = room
        self.line = of
        self.bytes = 0

    def take(self, count: int) -> None:
        self._room.take(count, self.line)
        self.bytes += count


def take_room(request: Request, count: int) -> None:
    """Count bytes of a body that arrived. Raises `Unavailable`; pages, whose forms are small, have no share."""
    share = request.scope.get(_KEY)
    if share is not None:
        share.take(count)
