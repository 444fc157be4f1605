"""What a review of configuration has to judge: every value that changed, beside what it was."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.governance import messages as m
from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of
from troth.portal.render import Page, page

_HERE = "/registers/config-reviews"


async def prepare(desk: Desk, request: Request, caller: Caller) -> Response:
    """Prepare a review, and go to its record."""
    await form_of(request)
    made: m.RecordShown = await desk.run("register.prepare", caller, m.ReviewPrepare())
    return RedirectResponse(f"{_HERE}/{made.id}", 303)


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """The changes, section by section."""
    wish = filled(m.ReviewNamed, "There is no such review.", record_id=request.path_params["record_id"])
    found: m.ChangesShown = await desk.run("register.changes", caller, wish)
    sections: dict[str, list[m.ChangeShown]] = {}
    for one in found.changes:
        sections.setdefault(one.section, []).append(one)
    return page("config_review.html", Page("What changed", "/registers", caller), 200, found=found, sections=sections)
