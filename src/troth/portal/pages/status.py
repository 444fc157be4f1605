"""The public page on availability: what looks at the own door found, with gaps shown as gaps."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from troth.kernel.caller import Caller
from troth.portal.desk import Desk
from troth.portal.render import Page, page
from troth.telemetry.operations import Nothing, StatusView

_TARGETS = {"sign-in": "Sign-in page", "readiness": "Readiness", "gateway": "List of models (gateway)"}
_STATES = {"available": "kept", "gaps": "absent", "partly": "unknown", "unavailable": "broken", "no data": "absent"}
_KINDS = {"gaps": "with too few looks", "partly": "partly available", "no data": "without data"}  # of days
_NEWEST = 14  # days in the table


async def status(desk: Desk, _request: Request, caller: Caller) -> Response:
    """Figures of 24 hours, 30 and 90 days, a bar for each day, outages."""
    view: StatusView = await desk.run("status.show", caller, Nothing())
    counts = {state: sum(day.figures.state == state for day in view.days) for state in _STATES}
    return page(
        "status.html",
        Page("Availability", "/status", caller),
        view=view,
        names=_TARGETS,
        states=_STATES,
        tally={state: count for state, count in counts.items() if count},
        kinds=_KINDS,
        newest=[day for day in reversed(view.days[-_NEWEST:]) if day.figures.looks or day.signed],
    )
