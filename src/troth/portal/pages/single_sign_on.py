"""Sign in through an organisation's own identity provider (OpenID Connect).

The way to the provider is a link, not a form: a browser that obeys `form-action 'self'` would not follow a form there.
The cookie belongs to the attempt: an answer that comes without it was begun in another browser.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as identity
from troth.identity.sso import messages as m
from troth.kernel.caller import Caller
from troth.kernel.errors import Malformed, TrothError
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, text
from troth.portal.guard import sent_from_elsewhere
from troth.portal.pages.sign_in import entered, form_page
from troth.portal.render import Page, page

ATTEMPT = "__Host-sso"
_ATTEMPT_SECONDS = 600
_ANSWER = ("state", "code", "iss", "error")


async def show(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """Ask for the address whose domain leads to a provider."""
    return _form(caller)


async def find(desk: Desk, request: Request, caller: Caller) -> Response:
    """The provider of an address's domain, as a link."""
    email = text(await form_of(request), "email")
    try:
        wish = filled(m.SsoFind, "Fill in your e-mail address.", email=email)
        found: m.SsoFound = await desk.run("sso.find", caller, wish)
    except TrothError as error:
        return _form(caller, error, email=email)
    return _form(caller, email=email, found=found, asked=True)


async def begin(desk: Desk, request: Request, caller: Caller) -> Response:
    """Send the browser to the provider, at once unless another site began."""
    if sent_from_elsewhere(request):
        return asked_first(request, caller)
    wish = filled(
        m.SsoBegin,
        "Begin again at the sign-in page.",
        connection_id=request.path_params["connection_id"],
        browser=request.cookies.get(ATTEMPT) or None,
        fresh="fresh" in request.query_params,
    )
    begun: m.SsoBegun = await desk.run("sso.begin", caller, wish)
    response = RedirectResponse(begun.location, 303)
    cookies.keep(response, ATTEMPT, begun.browser, _ATTEMPT_SECONDS)
    return response


def asked_first(request: Request, caller: Caller) -> Response:
    """A page whose link begins: it comes from us, so it leads on."""
    return page(
        "sign_on_asked.html",
        Page("Sign in through your organisation", "/sign-in", caller),
        way=request.url.path + ("?fresh" if "fresh" in request.query_params else ""),
    )


async def callback(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take what the browser brought back; on success set the session cookie."""
    given = request.query_params
    try:
        if any(len(given.getlist(name)) > 1 for name in _ANSWER):  # RFC 6749 section 3.1
            raise Malformed("The provider's answer says a thing twice; begin again.", code="broken-query")
        wish = filled(
            m.SsoFinish,
            "The provider's answer cannot be read; begin again.",
            connection_id=request.path_params["connection_id"],
            browser=request.cookies.get(ATTEMPT) or None,
            device=request.cookies.get(cookies.DEVICE) or None,
            **{name: given[name] for name in _ANSWER if name in given},
        )
        made: identity.SessionCreated = await desk.run("sso.finish", caller, wish)
    except TrothError as error:
        return form_page(caller, error)
    response = entered(made)
    cookies.drop(response, ATTEMPT)
    return response


def _form(
    caller: Caller,
    error: TrothError | None = None,
    *,
    email: str = "",
    found: m.SsoFound | None = None,
    asked: bool = False,
) -> Response:
    frame = Page("Sign in through your organisation", "/sign-in", caller)
    status = error.status if error else 200
    return page("single_sign_on.html", frame, status, error=error, email=email[:254], found=found, asked=asked)
