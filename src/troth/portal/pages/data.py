"""My data: see it, open it, take it away, erase it."""

from __future__ import annotations

import base64
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import Gone, Invalid
from troth.kernel.operation import Binary
from troth.portal.desk import Desk, form_of, text
from troth.portal.pages.sign_in import SESSION_COOKIE
from troth.portal.render import Page, page
from troth.vault import messages as m

_PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")
CONFIRMATION: Final = "erase everything about me"


async def listing(desk: Desk, request: Request, caller: Caller) -> Response:
    """Everything kept for this person, newest first."""
    after = request.query_params.get("after")
    found: m.ObjectPage = await desk.run("object.list", caller, m.ObjectList(limit=24, after=after))
    shown = [one for one in found.objects if one.kind != "receipt"]
    receipts = [one for one in found.objects if one.kind == "receipt"]
    frame = Page("My data", "/data", caller)
    return page("data.html", frame, objects=shown, receipts=receipts, after=found.after, pictures=_PICTURES)


async def preview(desk: Desk, request: Request, caller: Caller) -> Response:
    """A picture, shown in the page; only types that browsers draw without running anything."""
    opened = await _open(desk, request, caller)
    if opened.media_type not in _PICTURES:
        raise Gone("There is no preview for this type; download it.", code="no-preview")
    return Response(opened.content, media_type=opened.media_type, headers={"cache-control": "private, no-store"})


async def download(desk: Desk, request: Request, caller: Caller) -> Response:
    """The object as a file."""
    opened = await _open(desk, request, caller)
    return attachment(opened)


async def delete(desk: Desk, request: Request, caller: Caller) -> Response:
    """Erase one object; show its certificate."""
    wanted = m.ObjectNamed(object_id=request.path_params["object_id"])
    erasure: m.ErasureShown = await desk.run("object.delete", caller, wanted)
    return page("erased.html", Page("Erased", "/data", caller), erasure=erasure, everything=False, document=None)


async def export(desk: Desk, _request: Request, caller: Caller) -> Response:
    """A zip with everything and a manifest."""
    return attachment(await desk.run("data.export", caller, m.Nothing()))


async def erase(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """Explain what erasing everything means, and ask for it in words."""
    return page("erase.html", Page("Erase everything", "/data", caller), confirmation=CONFIRMATION, error=None)


async def erase_all(desk: Desk, request: Request, caller: Caller) -> Response:
    """Forget the person; the session ends with them."""
    if text(await form_of(request), "confirm").lower() != CONFIRMATION:
        error = Invalid(f"Type the words “{CONFIRMATION}” to go on.", code="not-confirmed")
        return page(
            "erase.html", Page("Erase everything", "/data", caller), 422, confirmation=CONFIRMATION, error=error
        )
    erasure: m.ErasureShown = await desk.run("erasure.own", caller, m.EraseOwn(confirm=CONFIRMATION))
    document = await _document(desk, caller, erasure.certificate) if erasure.certificate else None
    response = page("erased.html", Page("You are forgotten"), erasure=erasure, everything=True, document=document)
    response.delete_cookie(SESSION_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
    return response


async def certificate(desk: Desk, request: Request, caller: Caller) -> Response:
    """Download a certificate."""
    wanted = m.CertificateNamed(certificate_id=request.path_params["certificate_id"])
    return attachment(await desk.run("certificate.show", caller, wanted))


async def _document(desk: Desk, caller: Caller, identifier: str) -> str:
    """The certificate inside the page: the person it is about can sign in no more."""
    opened: Binary = await desk.run("certificate.show", caller, m.CertificateNamed(certificate_id=identifier))
    return "data:application/json;base64," + base64.b64encode(opened.content).decode()


def attachment(opened: Binary) -> Response:
    """Bytes as a download that no browser opens in the page."""
    name = "".join(
        one if one.isascii() and (one.isalnum() or one in "._-") else "_" for one in opened.filename or "file"
    )
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(opened.content, media_type=opened.media_type, headers=headers)


async def _open(desk: Desk, request: Request, caller: Caller) -> Binary:
    opened: Binary = await desk.run("object.open", caller, m.ObjectNamed(object_id=request.path_params["object_id"]))
    return opened


async def home(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """Where a person wants to be first."""
    return RedirectResponse("/trust" if caller.anonymous else "/data", 303)
