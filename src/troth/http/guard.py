"""What the door admits, for a check that floods it: the door's own limits, with nothing counted yet."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from starlette.requests import Request

from troth.http.limits import RateLimit
from troth.http.room import Room, take_room
from troth.kernel.caller import Caller
from troth.settings.sections import Server


def rate_of(server: Server, **clock: Any) -> RateLimit:
    """Requests in a minute, by the settings."""
    return RateLimit(server.requests_per_minute, server.anonymous_per_minute, **clock)


def room_of(server: Server) -> Room:
    """Memory for bodies, by the settings: half of it, or one whole body, for one address."""
    return Room(server.bodies_in_memory, max(server.bodies_in_memory // 2, server.max_body_bytes))


class DoorGuard:
    """Implements `promises.system.Guard`. Time stands still in it, so that no minute ends during a flood."""

    def __init__(self, server: Server) -> None:
        self._rate, self._room = rate_of(server, clock=lambda: 0.0), room_of(server)
        self._bodies = ExitStack()

    def stranger(self, host: str) -> None:
        """Count a request of an address. Raises `TooMany`."""
        self._rate.check_stranger(_request(host))

    def credential(self, actor: str) -> None:
        """Count a request of a credential. Raises `TooMany`."""
        self._rate.check(_request("192.0.2.1"), Caller(actor, "api-key"))

    def body(self, host: str, count: int) -> None:
        """Bytes of a body of an address arrive, and are worked on until `close`. Raises `Unavailable`."""
        request = _request(host)
        self._bodies.enter_context(self._room.share(request))
        take_room(request, count)

    def close(self) -> None:
        """The bodies are worked off."""
        self._bodies.close()


def _request(host: str) -> Request:
    return Request({"type": "http", "headers": [], "client": (host, 1)})
