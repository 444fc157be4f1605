"""The portal's cookies: only this host, only over TLS, out of reach of scripts (RFC 6265bis, __Host- prefix)."""

from __future__ import annotations

from starlette.responses import Response

SESSION = "__Host-sid"
BOUND = "__Host-bound"  # stands for the device of a session, for minutes
DEVICE = "__Host-device"
ATTEMPT = "__Host-passkey"  # of a sign-in with a passkey, between question and answer
DEVICE_SECONDS = 400 * 86400  # the longest that browsers keep a cookie


def keep(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    """Set a cookie; without `seconds` it ends with the browser."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")


def drop(response: Response, name: str) -> None:
    """Make the browser forget a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="lax")
