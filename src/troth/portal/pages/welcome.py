"""The first visit: a password of one's own, an authenticator, recovery codes, in whatever order they are missing."""

from __future__ import annotations

import io
import re
from urllib.parse import parse_qs, urlsplit

import segno
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity import messages as m
from troth.identity.passwords import MINIMUM_LENGTH_ALONE, MINIMUM_LENGTH_WITH_SECOND_FACTOR
from troth.identity.sign_in import PASSWORD_ONLY
from troth.kernel.caller import Caller
from troth.kernel.errors import Invalid, TrothError
from troth.portal import cookies
from troth.portal.desk import Desk
from troth.portal.downloads import inside
from troth.portal.forms import filled, form_of, text, typed
from troth.portal.render import Page, page

_OFFER = re.compile(r"otpauth://totp/[A-Za-z0-9%:@._+-]{1,800}\?secret=[A-Z2-7]{32}&issuer=Troth\Z")
_COMPLETE = 2  # the assurance that both steps together give


async def welcome(desk: Desk, _request: Request, caller: Caller) -> Response:
    """The step that is missing."""
    if caller.authentication.assurance >= _COMPLETE:
        return RedirectResponse("/", 303)
    me: m.AccountShown = await desk.run("account.show", caller, m.Nothing())
    if me.passkeys and caller.authentication.method == PASSWORD_ONLY.method:  # it was added, and not shown yet
        return RedirectResponse("/prove?back=/welcome", 303)
    return _password(caller) if me.totp or me.passkeys else await authenticator(desk, caller)


async def password(_desk: Desk, _request: Request, caller: Caller) -> Response:
    """The form for a password of one's own."""
    return RedirectResponse("/", 303) if caller.authentication.assurance >= _COMPLETE else _password(caller)


async def choose_password(desk: Desk, request: Request, caller: Caller) -> Response:
    """Replace the issued password; the session goes on under a new token."""
    try:
        fresh = await changed_password(desk, caller, await form_of(request))
    except TrothError as error:
        return _password(caller, error)
    response = RedirectResponse("/welcome", 303)
    cookies.keep(response, cookies.SESSION, fresh.token)
    return response


async def confirm(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take the first code; show the recovery codes once."""
    form = await form_of(request)
    advice = "Type the six digits that your app shows."
    try:
        wish = filled(m.TotpConfirm, advice, totp=text(form, "totp"))
        done: m.TotpConfirmed = await desk.run("totp.confirm", caller, wish)
    except TrothError as error:
        return await authenticator(desk, caller, error, text(form, "offer"))
    response = recovery_codes(caller, done.recovery_codes)
    cookies.keep(response, cookies.SESSION, done.token)
    return response


async def changed_password(desk: Desk, caller: Caller, form: FormData) -> m.SessionToken:
    """Change the password by a form with `current`, `new` and `again`. Raises what `password.change` raises."""
    new = typed(form, "new")
    if new != typed(form, "again"):
        raise Invalid("The two new passwords differ; type the same one twice.", code="password-differs")
    advice = "A password has at most 256 characters."
    wish = filled(m.PasswordChange, advice, current=typed(form, "current"), new=new)
    fresh: m.SessionToken = await desk.run("password.change", caller, wish)
    return fresh


def recovery_codes(caller: Caller, codes: tuple[str, ...]) -> Response:
    """The codes, shown this once."""
    return page("recovery_codes.html", Page("Recovery codes", "/welcome", caller), codes=codes)


async def authenticator(desk: Desk, caller: Caller, error: TrothError | None = None, shown: str = "") -> Response:
    """The second factor to set up: an app, or a passkey.

    After a wrong code the same secret is shown again, as the form sent it back: it is in the app already.
    """
    if error is not None and error.code == "totp-wrong" and _OFFER.match(shown):
        uri = shown
    else:
        offered: m.TotpOffered = await desk.run("totp.enrol", caller, m.TotpEnrol())
        uri = offered.uri
    secret = parse_qs(urlsplit(uri).query)["secret"][0]
    frame = Page("Add your authenticator", "/welcome", caller, script="passkeys.js")
    status = error.status if error else 200
    return page("authenticator.html", frame, status, offer=uri, secret=secret, picture=_picture(uri), error=error)


def _password(caller: Caller, error: TrothError | None = None) -> Response:
    frame = Page("Choose your password", "/welcome", caller)
    # Beside a password alone nothing else was shown, so there is no second factor yet (SP 800-63B-4 section 3.1.1.2).
    least = MINIMUM_LENGTH_ALONE if caller.authentication.method == "password" else MINIMUM_LENGTH_WITH_SECOND_FACTOR
    return page("own_password.html", frame, error.status if error else 200, error=error, least=least)


def _picture(uri: str) -> str:
    """The QR code, dark on light whatever the colour scheme: scanners want it so."""
    picture = io.BytesIO()
    segno.make(uri, error="m").save(picture, kind="svg", scale=4, border=1, dark="#16202b", xmldecl=False)
    return inside(picture.getvalue(), "image/svg+xml")
