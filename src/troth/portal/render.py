"""Templates to pages, with a content security policy that lets nothing in from outside."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from troth import __version__
from troth.kernel.caller import Caller
from troth.portal import words
from troth.portal.navigation import entries

# Everything a page needs is served from here; no scripts at all, so none can be injected.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; upgrade-insecure-requests"
)
_STATES = {"kept": "kept", "not kept": "broken", "unknown": "unknown", "not configured": "absent"}
_FAR = 253_370_764_800_000  # epoch ms of the year 9999: what is said to hold so long has no end
_MEDIA = {"troth.css": "text/css; charset=utf-8", "mark.svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Page:
    """What every page shows around its content. `here` is the current entry of the navigation."""

    title: str
    here: str = ""
    caller: Caller | None = None

    @property
    def navigation(self) -> list[tuple[str, str]]:
        """(address, text) of the entries this caller can use."""
        return entries(self.caller)


def page(template: str, frame: Page, status: int = 200, **values: Any) -> Response:
    """Render one page. Pages with personal data are never cached."""
    text = _environment().get_template(template).render(frame=frame, **values)
    headers = {"content-security-policy": POLICY, "cache-control": "no-store"}
    return HTMLResponse(text, status, headers=headers)


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
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("troth.portal", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"moment": moment, "day": day, "bytes": size, "state_class": _STATES.__getitem__}
    environment.globals |= {
        "static": address,
        "version": __version__,
        "mark": static("mark.svg")[0].decode(),
        "words": words,
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


def _told(time: int | str | None, shape: str) -> str:
    if time is None:
        return "never"
    if isinstance(time, str):
        return datetime.fromisoformat(time).astimezone(UTC).strftime(shape)
    if time >= _FAR:
        return "no end"
    return datetime.fromtimestamp(time / 1000, UTC).strftime(shape)
