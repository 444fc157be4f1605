"""Refuses form posts that did not come from our own pages (cross-site request forgery)."""

from __future__ import annotations

from starlette.requests import Request

from troth.kernel.errors import Denied


def require_same_origin(request: Request) -> None:
    """Sec-Fetch-Site decides (W3C Fetch Metadata); an older browser's Origin must equal our host. Raises `Denied`."""
    refusal = Denied("Send this form from its own page on this site.", code="cross-site")
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise refusal
        return
    origin = request.headers.get("origin")
    if origin is None or origin.partition("://")[2] != request.headers.get("host"):
        raise refusal
