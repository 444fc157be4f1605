"""From a refusal that the person can mend to the page where they mend it, and back to where they were."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request

from troth.kernel.errors import TrothError

# Code of a refusal -> the page that mends it.
MENDED_AT = {"step-up-required": "/prove", "passkey-required": "/passkeys"}
# First word of an address that only takes forms -> the page that has them.
_FORMS = {
    "checks": "/trust",
    "erasures": "/requests",
    "key-replacements": "/key-domains",
    "moves": "/placement",
    "restrictions": "/holds",
}
_PLACE = re.compile(r"/(?:[A-Za-z0-9_][A-Za-z0-9_./-]{0,255})?")  # a path of ours, never another host: no "//", no "\"
_LEADS_AWAY = re.compile(r"/sign-in(?:/|\Z)|.*/\.")  # to an identity provider, also by way of "/x/../"


class Led(Exception):
    """A refusal that a page of ours mends; the desk sends the person there."""

    def __init__(self, refusal: TrothError) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal


def wants_page(request: Request) -> bool:
    """True for a browser that goes to a page; scripts and programs are told the refusal itself."""
    return "text/html" in Headers(scope=request.scope).get("accept", "")


def mending(request: Request, refusal: TrothError) -> str:
    """The address of the page that mends a refusal, which leads back to the page that was asked."""
    path = request.url.path
    if request.method != "GET":  # forms are sent anew from their page: what was typed is not kept on the way
        first = path.split("/")[1]
        path = _FORMS.get(first, f"/{first}")
    return f"{MENDED_AT[refusal.code]}?{urlencode({'back': back(path)})}"


def back(wanted: str | None) -> str:
    """Where to go on, if it is a place of ours; else the start."""
    ours = wanted and _PLACE.fullmatch(wanted) and not _LEADS_AWAY.match(wanted)
    return wanted if wanted and ours else "/"
