"""Templates to pages, with a content security policy that lets nothing in from outside."""

from __future__ import annotations

import base64
import hashlib
import math
import secrets
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from troth import __version__
from troth.kernel.caller import Caller
from troth.portal import service_words, words
from troth.portal.binding import task as device_task
from troth.portal.navigation import Section, sections

# Everything a page needs is served from here. Most pages have no script at all; one that has says which by a nonce.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; upgrade-insecure-requests; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_SCRIPTED = "; script-src 'nonce-{nonce}'; connect-src 'self'"
_STATES = {
    "kept": "kept",
    "kept with exception": "unknown",
    "not kept": "broken",
    "unknown": "unknown",
    "not configured": "absent",
}
_FAR = 253_370_764_800_000  # epoch ms of the year 9999: what is said to hold so long has no end
_SHORT = 12  # letters of an id that tell it from its neighbours
_MEDIA = {
    "troth.css": "text/css; charset=utf-8",
    "mark.svg": "image/svg+xml",
    "passkeys.js": "text/javascript; charset=utf-8",
    "device.js": "text/javascript; charset=utf-8",
}


ALARMS: ContextVar[int] = ContextVar("troth-alarms", default=0)
"""Uses of emergency access that run or that nobody judged, for who asks for the page."""


@dataclass(frozen=True, slots=True)
class Page:
    """What every page shows around its content. `here` is the current entry of the navigation.

    `script` names the static file that may run on the page, beside the one that shows which device asks; without either
    none may.
    """

    title: str
    here: str = ""
    caller: Caller | None = None
    script: str = ""

    @property
    def alarms(self) -> int:
        """How many uses of emergency access this caller is to know of."""
        return ALARMS.get()

    @property
    def navigation(self) -> list[Section]:
        """The entries this caller can use, by section."""
        return sections(self.caller)


def page(template: str, frame: Page, status: int = 200, **values: Any) -> Response:
    """Render one page. Pages with personal data are never cached."""
    task = device_task(frame.caller)
    nonce = secrets.token_urlsafe(16) if frame.script or task else ""
    text = _environment().get_template(template).render(frame=frame, nonce=nonce, device_task=task, **values)
    policy = POLICY + (_SCRIPTED.format(nonce=nonce) if nonce else "")
    headers = {"content-security-policy": policy, "cache-control": "no-store"}
    return HTMLResponse(text, status, headers=headers)


def text_of(template: str, **values: Any) -> str:
    """A document that is no page, such as a feed: its template filled in, with everything escaped."""
    return _environment().get_template(template).render(**values)


@cache
def static(name: str) -> tuple[bytes, str]:
    """A file of `static/` and its media type. Raises KeyError for anything else."""
    media = _MEDIA[name]
    return files("troth.portal").joinpath("static", name).read_bytes(), media


@cache
def address(name: str) -> str:
    """The address of a static file; its digest is in it, so it can be cached for ever."""
    content, _ = static(name)
    return f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}"


@cache
def integrity(name: str) -> str:
    """The digest by which a browser checks a static file (Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(static(name)[0]).digest()).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("troth.portal", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "day": day, "bytes": size, "state_class": _STATES.__getitem__}
    environment.filters["iso_day"] = lambda time: _told(time, "%Y-%m-%d")
    environment.filters |= {"counted": counted, "percent": percent, "shortened": shortened, "lasting": lasting}
    environment.globals |= {
        "static": address,
        "integrity": integrity,
        "version": __version__,
        "mark": static("mark.svg")[0].decode(),
        "words": words,
        "service": service_words,
    }
    return environment


def moment(time: int | str | None) -> str:
    """A time for people, in UTC: 22 Nov 2026, 12:00 UTC. Takes epoch milliseconds or ISO 8601; None is "never"."""
    return _told(time, "%-d %b %Y, %H:%M UTC")


def day(time: int | str | None) -> str:
    """The day of a time: 22 Nov 2026."""
    return _told(time, "%-d %b %Y")


def size(count: int) -> str:
    """A size for people: 1.2 MB."""
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: 1 day, 28,800 days."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def lasting(seconds: int) -> str:
    """A length of time for people: 6 hours; whole days from two on."""
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % size == 0 and seconds >= (size if size < 86_400 else 2 * size):
            return counted(seconds // size, name)
    return counted(seconds, "second")


def percent(value: float | None) -> str:
    """A share for people, never rounded up: 99.5 %."""
    if value is None:
        return "no data"
    whole = math.floor(round(value * 1000, 6)) / 1000
    return f"{whole:.3f}".rstrip("0").rstrip(".") + " %"


def shortened(name: str) -> str:
    """A long id or digest by its beginning; whatever links to it, or the entry itself, has it whole."""
    return name if len(name) <= _SHORT + 4 else name[:_SHORT] + "…"


def _told(time: int | str | None, shape: str) -> str:
    if time is None:
        return "never"
    if isinstance(time, str):
        return datetime.fromisoformat(time).astimezone(UTC).strftime(shape)
    if time >= _FAR:
        return "no end"
    return datetime.fromtimestamp(time / 1000, UTC).strftime(shape)
