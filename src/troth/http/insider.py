"""Who is told more than a stranger: whoever sits at this machine, and operators."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from troth.http.authenticate import connection_of
from troth.http.routes import Door
from troth.kernel.errors import TrothError

_FORWARDED = ("x-forwarded-for", "forwarded", "via", "x-real-ip")  # a proxy on this machine speaks for somebody else


async def insider(door: Door, request: Request) -> bool:
    """True for a direct connection from this machine, and for an operator's credential. Never raises."""
    try:
        if "authorization" in request.headers:
            door.rate.check_stranger(request)  # each costs a look into the database
            caller = await asyncio.to_thread(door.authenticator.caller, request)
            return caller.kind == "operator"
    except TrothError:
        return False
    near = connection_of(request).zone == "loopback"
    return near and not any(name in request.headers for name in _FORWARDED)
