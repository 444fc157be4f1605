"""Sign-in through a SAML provider: out by a redirect, back by a form that the provider's page posts.

That post comes from another site, so it brings no cookie of ours with SameSite=Lax: one of its own, with SameSite=None,
proves that this browser began. Whoever lacks it is refused before anything is read, and it opens nothing by itself.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity.messages import SessionCreated
from troth.identity.sso.messages import SsoBegin, SsoBegun
from troth.identity.sso.saml import messages as m
from troth.kernel.caller import Caller
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, typed
from troth.portal.guard import sent_from_elsewhere
from troth.portal.pages.single_sign_on import asked_first

COOKIE = "__Host-saml"
_SECONDS = 600


async def begin(desk: Desk, request: Request, caller: Caller) -> Response:
    """Send the browser to the provider, at once unless another site began."""
    if sent_from_elsewhere(request):
        return asked_first(request, caller)
    wish = filled(
        SsoBegin,
        "Start from the sign-in page.",
        connection_id=request.path_params["connection_id"],
        browser=request.cookies.get(COOKIE) or None,
        fresh="fresh" in request.query_params,
    )
    begun: SsoBegun = await desk.run("saml.begin", caller, wish)
    response = RedirectResponse(begun.location, 303)
    response.set_cookie(COOKIE, begun.browser, max_age=_SECONDS, path="/", secure=True, httponly=True, samesite="none")
    return response


async def consume(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take what the provider made the browser post; on success set the session cookie."""
    form = await form_of(request)
    wish = filled(
        m.SamlFinish,
        "The provider did not send what belongs here; start again from the sign-in page.",
        connection_id=request.path_params["connection_id"],
        response=typed(form, "SAMLResponse"),
        state=typed(form, "RelayState"),
        browser=request.cookies.get(COOKIE) or None,
        device=request.cookies.get(cookies.DEVICE) or None,
    )
    made: SessionCreated = await desk.run("saml.finish", caller, wish)
    response = RedirectResponse("/welcome" if made.missing else "/", 303)
    cookies.keep(response, cookies.SESSION, made.token)
    cookies.keep(response, cookies.DEVICE, made.device, cookies.DEVICE_SECONDS)
    return response
