"""Refuses what did not come from our own pages: forms of others (request forgery), and pages inside those of others."""

from __future__ import annotations

from urllib.parse import urlsplit

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


def require_own(request: Request, *, foreign: bool = False) -> None:
    """What every request for a page must be; a `foreign` form may come from another site. Raises `Denied`."""
    if request.method != "POST":
        require_visit(request)
    elif not foreign:
        require_same_origin(request)


def require_visit(request: Request) -> None:
    """A page is gone to, by a link or an address; nobody else's page loads or embeds it. Raises `Denied`.

    Resource isolation by W3C Fetch Metadata: of another site's requests only a navigation of a whole window passes.
    """
    site = request.headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return
    asked = request.headers.get("sec-fetch-mode"), request.headers.get("sec-fetch-dest")
    if asked != ("navigate", "document"):
        raise Denied("Open this page itself; no other site can load it.", code="cross-site")


def sent_from_elsewhere(request: Request) -> bool:
    """True where another site made the browser come: it must not begin a sign-in for a person who did not ask.

    Of an older browser its Origin or Referer tells; ours sends none from our own pages, so none is no sign.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    source = request.headers.get("origin") or request.headers.get("referer")
    return source is not None and urlsplit(source).netloc != request.headers.get("host")
