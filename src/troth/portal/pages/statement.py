"""The public page of the plain privacy statement, with its versions and what one says otherwise than another."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.governance.statement.operations import StatementShow, StatementShown
from troth.governance.statement.readability import LIMIT
from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.forms import filled
from troth.portal.render import Page, page


async def statement(desk: Desk, request: Request, caller: Caller) -> Response:
    """Section by section, with since when it holds and whether it still does; `?number=` shows another version."""
    asked = {name: value for name in ("number", "against") if (value := request.query_params.get(name))}
    wish = filled(StatementShow, "There is no such version of the statement.", **asked)
    view: StatementShown = await desk.run("privacy-statement.show", caller, wish)
    frame = Page("What we do with your data", "/statement", caller)
    hardest = max((one.grade for one in view.sections), default=0.0)
    return page("statement.html", frame, view=view, limit=LIMIT, hardest=hardest, against=wish.against)
