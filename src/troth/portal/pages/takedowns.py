"""The take-down list, for operators: what stops pictures, what waits for a second person, and new entries."""

from __future__ import annotations

import asyncio
import csv
import io
from itertools import islice

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.gateway.intake import admit_image
from troth.gateway.moderation import hashes
from troth.gateway.moderation import messages as m
from troth.gateway.moderation.takedowns import COLUMNS, MOST
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal.desk import Desk
from troth.portal.downloads import attachment
from troth.portal.forms import WHY, document_and_form, filled, form_of, text, upload_and_form
from troth.portal.render import Page, page

HERE = "/takedowns"
LARGEST = 8 << 20  # bytes of a picture to be listed
_PAGE = 1000  # entries, as the operation gives them
_ADVICE = "Name the source and the reason by short words of letters and digits, such as own-report and non-consensual."


async def show(desk: Desk, request: Request, caller: Caller) -> Response:
    """The list by state, a page of it at a time."""
    return await _shown(desk, caller, after=request.query_params.get("after"))


async def export(desk: Desk, request: Request, caller: Caller) -> Response:
    """The same page of the list as a file."""
    wish = filled(m.TakedownList, "There is no such page.", after=request.query_params.get("after"))
    return attachment(await desk.run("takedown.export", caller, wish))


async def propose(desk: Desk, request: Request, caller: Caller) -> Response:
    """Propose one entry, by its hash or by a picture whose hash is taken here; the picture is not kept."""
    try:
        await desk.run("takedown.list", caller, m.TakedownList())  # who may not, has no picture read either
        content, form = await upload_and_form(request, "picture", LARGEST)
        given = text(form, "hash") or await asyncio.to_thread(_hash_of, content)
        await _proposed(desk, caller, _line(given, form))
    except TrothError as error:
        return await _shown(desk, caller, error=error)
    return RedirectResponse(HERE, 303)


async def bring(desk: Desk, request: Request, caller: Caller) -> Response:
    """Propose many entries from a list."""
    try:
        entries, _ = await document_and_form(request, "entries")
        await _proposed(desk, caller, entries)
    except TrothError as error:
        return await _shown(desk, caller, error=error)
    return RedirectResponse(HERE, 303)


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Put a proposal of somebody else in force."""
    return await _decide(desk, caller, "takedown.approve", request)


async def withdraw(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take an entry off the list, or put a proposal away."""
    return await _decide(desk, caller, "takedown.withdraw", request)


async def _decide(desk: Desk, caller: Caller, name: str, request: Request) -> Response:
    form = await form_of(request)
    try:
        named = {"entry_id": request.path_params["entry_id"], "reason": text(form, "reason")}
        await desk.run(name, caller, filled(m.TakedownNamed, WHY, **named))
    except TrothError as error:
        return await _shown(desk, caller, error=error)
    return RedirectResponse(HERE, 303)


async def _proposed(desk: Desk, caller: Caller, entries: str) -> None:
    wish = filled(m.TakedownImport, "Give a list of entries as CSV.", entries=entries)
    await desk.run("takedown.import", caller, wish)


async def _shown(desk: Desk, caller: Caller, *, after: str | None = None, error: TrothError | None = None) -> Response:
    wish = filled(m.TakedownList, "There is no such page.", after=after)
    found: m.TakedownsShown = await desk.run("takedown.list", caller, wish)
    by_state = {name: [one for one in found.entries if one.state == name]
                for name in ("proposed", "approved", "withdrawn")}  # fmt: skip
    more = found.entries[-1].id if len(found.entries) == _PAGE else None
    frame, status = Page("Take-downs", HERE, caller), error.status if error else 200
    told = {"me": caller.actor, "more": more, "after": after, "most": MOST, "megabytes": LARGEST >> 20}
    return page("takedowns.html", frame, status, by=by_state, error=error, **told)


def _line(given: str, form: FormData) -> str:
    """The entry as the list of one that the operation takes."""
    source, reason = text(form, "source"), text(form, "why-listed")
    if not source or not reason:
        raise Invalid(_ADVICE, code="bad-list")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerow((given, "true" if text(form, "illegal") == "yes" else "false", source, reason))
    return out.getvalue()


def _hash_of(content: bytes) -> str:
    """The hash of a picture as it is. Raises `Invalid`, `Unavailable`, and as `admit_image`."""
    if not content:
        raise Invalid("Choose a picture, or paste its hash.", code="bad-hash")
    found = next(islice(hashes.of_picture(admit_image(content, "").content), 1), ())
    if not found:
        raise Invalid("This picture shows too little to be known again; nothing was listed.", code="bad-hash")
    return found[0]
