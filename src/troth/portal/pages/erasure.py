"""Erasing: one object, oneself, a person on request. Each ends with a certificate to keep."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.kernel.operation import Binary
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.downloads import attachment, inside
from troth.portal.forms import WHY, filled, form_of, require_words, text
from troth.portal.render import Page, page
from troth.vault import messages as m

OWN: Final = "erase everything about me"
OTHER: Final = "erase this person"


async def one_object(desk: Desk, request: Request, caller: Caller) -> Response:
    """Erase one object; show its certificate."""
    wanted = m.ObjectNamed(object_id=request.path_params["object_id"])
    erasure: m.ErasureShown = await desk.run("object.delete", caller, wanted)
    return await _erased(desk, caller, erasure, Page("Erased", "/data", caller), about="object")


async def everything(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """Explain what erasing everything means, and ask for it in words."""
    return _ask(caller, None)


async def erase_everything(desk: Desk, request: Request, caller: Caller) -> Response:
    """Forget the person; the session ends with them."""
    try:
        require_words(text(await form_of(request), "confirm"), OWN)
        erasure: m.ErasureShown = await desk.run("erasure.own", caller, m.EraseOwn(confirm=OWN))
    except TrothError as error:
        return _ask(caller, error)
    response = await _erased(desk, caller, erasure, Page("You are forgotten"), about="self")
    for name in (cookies.SESSION, cookies.BOUND, cookies.DEVICE):
        cookies.drop(response, name)
    return response


async def on_request(desk: Desk, request: Request, caller: Caller) -> Response:
    """The form of a privacy officer, and what waits for one."""
    return await _ask_for(desk, caller, request.query_params.get("subject", "")[:64], None)


async def approve(desk: Desk, request: Request, caller: Caller) -> Response:
    """Agree as the second officer."""
    return await _decided(desk, request, caller, "erasure.approve")


async def cancel(desk: Desk, request: Request, caller: Caller) -> Response:
    """Call off what has not begun."""
    return await _decided(desk, request, caller, "erasure.cancel")


async def _decided(desk: Desk, request: Request, caller: Caller, name: str) -> Response:
    form = await form_of(request)
    try:
        named = {"erasure_id": request.path_params["erasure_id"], "reason": text(form, "reason")}
        await desk.run(name, caller, filled(m.ErasureDecided, WHY, **named))
    except TrothError as error:
        return await _ask_for(desk, caller, "", error)
    return RedirectResponse("/requests", 303)


async def erase_on_request(desk: Desk, request: Request, caller: Caller) -> Response:
    """Forget a person of the tenant."""
    form = await form_of(request)
    subject = text(form, "subject")
    try:
        require_words(text(form, "confirm"), OTHER)
        wish = filled(m.EraseSubject, "Give the person's id; it begins with usr_.", subject=subject)
        erasure: m.ErasureShown = await desk.run("erasure.request", caller, wish)
    except TrothError as error:
        return await _ask_for(desk, caller, subject[:64], error)
    return await _erased(desk, caller, erasure, Page("Erased", "/desk", caller), about="person")


async def certificate(desk: Desk, request: Request, caller: Caller) -> Response:
    """Download a certificate."""
    wanted = m.CertificateNamed(certificate_id=request.path_params["certificate_id"])
    return attachment(await desk.run("certificate.show", caller, wanted))


async def _erased(desk: Desk, caller: Caller, erasure: m.ErasureShown, frame: Page, *, about: str) -> Response:
    """The certificate stands inside the page: whoever is forgotten cannot come back for it."""
    document, text = None, ""
    if erasure.certificate:
        wanted = m.CertificateNamed(certificate_id=erasure.certificate)
        opened: Binary = await desk.run("certificate.show", caller, wanted)
        document, text = inside(opened.content, "application/json"), opened.content.decode()
    return page("erased.html", frame, erasure=erasure, about=about, document=document, text=text)


def _ask(caller: Caller, error: TrothError | None) -> Response:
    frame = Page("Erase everything", "/data", caller)
    return page("erase.html", frame, error.status if error else 200, confirmation=OWN, error=error)


async def _ask_for(desk: Desk, caller: Caller, subject: str, error: TrothError | None) -> Response:
    frame = Page("Erase a person on request", "/desk", caller)
    listed: m.ErasureList = await desk.run("erasure.list", caller, m.Nothing())
    shown = [one for one in listed.erasures if one.scope not in ("retention", "remainder")]
    asked = {"confirmation": OTHER, "subject": subject, "erasures": shown, "me": caller.actor}
    return page("erase_person.html", frame, error.status if error else 200, error=error, **asked)
