"""The public page of who processes data, where, and from when."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.gateway.sub_processors import ListSubProcessors, SubProcessors
from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.render import Page, page

_TASKS = {
    "chat": "answering prompts",
    "image": "making pictures",
    "embedding": "vectors of texts",
    "video": "making videos",
    "moderation": "judging content",
}
_STATES = {"in-use": "In use", "announced": "Announced", "stopped": "Gets nothing now"}


async def sub_processors(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Names, regions, tasks and dates; what was announced says how many days are left."""
    view: SubProcessors = await desk.run("subprocessor.list", caller, ListSubProcessors())
    frame = Page("Sub-processors", "/sub-processors", caller)
    return page("sub_processors.html", frame, rows=view.sub_processors, tasks=_TASKS, states=_STATES)
