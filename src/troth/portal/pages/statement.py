"""The public page of the plain privacy statement."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.governance.statement.operations import StatementShow, StatementShown
from troth.governance.statement.readability import LIMIT
from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.render import Page, page


async def statement(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Section by section, with since when it holds, and a word when it is out of date."""
    view: StatementShown = await desk.run("privacy-statement.show", caller, StatementShow())
    frame = Page("What we do with your data", "/statement", caller)
    hardest = max((one.grade for one in view.sections), default=0.0)
    return page("statement.html", frame, view=view, limit=LIMIT, hardest=hardest)
