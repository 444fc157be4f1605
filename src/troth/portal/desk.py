"""What every page needs: who asks, the operations, and how a refusal looks to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.identity.devices.bindings import Bindings
from troth.identity.devices.shown import DBSC
from troth.kernel.caller import Caller
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Denied, NotFound, TooMany, TrothError, Unauthenticated, Unavailable
from troth.kernel.ids import new_id
from troth.portal import cookies
from troth.portal.binding import UNBOUND, bindable, registration, unconfirmed
from troth.portal.guard import require_own
from troth.portal.leading import MENDED_AT, Led, mending, wants_page
from troth.portal.navigation import may_read_log
from troth.portal.render import ALARMS, Page, page

Handler = Callable[["Desk", Request, Caller], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """The portal's way in: the same dispatcher, credentials and limits as the API."""

    dispatcher: Dispatcher
    identify: Callable[[Request], Caller]  # raises `Unauthenticated` for a credential that does not hold
    anonymous: Callable[[Request], Caller]
    admit: Callable[[Request, Caller], None]  # raises `TooMany`
    bindings: Bindings
    signal: Callable[[Request, Caller], None] = lambda _request, _caller: None  # told of Sec-GPC
    alarms: Callable[[Caller], int] = lambda _caller: 0  # uses of emergency access that this caller is to know of
    leads: bool = False  # somebody goes to a page, so a refusal that another page mends sends them there

    async def run(self, name: str, caller: Caller, request: Any) -> Any:
        """Run an operation for a page. Raises its refusal, and `Led` past the page for one that another page mends."""
        try:
            return await self.dispatcher.run_async(name, caller, request, new_id("req"))
        except TrothError as error:
            if self.leads and error.code in MENDED_AT:
                raise Led(error) from error
            raise

    def public(self, handler: Handler) -> Endpoint:
        """A page for everyone; a credential that does not hold counts as none."""
        return self._guarded(handler, lambda _caller: None)

    def leaving(self, handler: Handler) -> Endpoint:
        """The way out, for everyone who came in; others are sent to the sign-in page."""
        return self._guarded(handler, lambda caller: "/sign-in" if caller.anonymous else None)

    def arriving(self, handler: Handler) -> Endpoint:
        """A page for people who signed in, even with a password alone; others are sent to the sign-in page."""
        return self._guarded(handler, _signed_in)

    def member(self, handler: Handler) -> Endpoint:
        """A page for people with everything set up; those who have not are sent to do it."""

        def elsewhere(caller: Caller) -> str | None:
            if target := _signed_in(caller):
                return target
            return "/welcome" if caller.authentication.assurance < 2 else None

        return self._guarded(handler, elsewhere)

    def foreign(self, handler: Handler) -> Endpoint:
        """What a page of another site posts here, such as an identity provider's: a stranger, until `handler` knows."""
        return self._guarded(handler, lambda _caller: None, foreign=True)

    def _guarded(
        self, handler: Handler, elsewhere: Callable[[Caller], str | None], *, foreign: bool = False
    ) -> Endpoint:
        async def handle(request: Request) -> Response:
            caller = self.anonymous(request)
            try:
                require_own(request, foreign=foreign)
                caller = caller if foreign else await self._caller(request)
                self.admit(request, caller)
                if "sec-gpc" in request.headers and not caller.anonymous:
                    await asyncio.to_thread(self.signal, request, caller)
                if target := elsewhere(caller):
                    return _sent(request, target)
                ALARMS.set(await asyncio.to_thread(self.alarms, caller) if may_read_log(caller) else 0)
                leads = wants_page(request) and caller.authentication.assurance > 1  # others are on their way in
                response = await handler(replace(self, leads=leads), request, caller)
                return await self._offered(request, caller, response)
            except Led as led:
                return RedirectResponse(mending(request, led.refusal), 303)
            except TrothError as error:
                return await self._offered(request, caller, refused(error, caller, reading=request.method == "GET"))
            except ValidationError:  # an address with an id that can be none; forms turn theirs into `Invalid`
                return refused(NotFound("There is nothing at this address.", code="no-route"), caller)

        return handle

    async def _offered(self, request: Request, caller: Caller, response: Response) -> Response:
        """The page of a fresh session asks a browser that can to bind it (Device Bound Session Credentials)."""
        if request.method == "GET" and bindable(caller) and wants_page(request):
            session = caller.authentication.credential or ""
            challenge = await asyncio.to_thread(self.bindings.offer, session, DBSC)
            response.headers["secure-session-registration"] = registration(challenge)
        return response

    async def _caller(self, request: Request) -> Caller:
        try:
            return await asyncio.to_thread(self.identify, request)
        except Unauthenticated:
            return self.anonymous(request)


def _signed_in(caller: Caller) -> str | None:
    """Where strangers go. Raises `Denied` (`device-unbound`) for a bound session without a sign of its device."""
    if unconfirmed(caller):
        raise Denied("Confirm that this is still the device you signed in on.", code=UNBOUND)
    return "/sign-in" if caller.anonymous else None


def refused(error: TrothError, caller: Caller, *, reading: bool = False) -> Response:
    """A refusal as a page; what was only to be read may be asked again at the same address, where that can help."""
    if error.code == UNBOUND:
        return _confirming(error, caller, reading=reading)
    passing = isinstance(error, TooMany | Unavailable)
    frame = Page(error.title, caller=caller)
    response = page("refused.html", frame, error.status, error=error, again=reading and passing)
    if passing:
        response.headers["retry-after"] = "60" if isinstance(error, TooMany) else "5"
    return response


def _confirming(error: TrothError, caller: Caller, *, reading: bool) -> Response:
    """The page that stands where a device must be confirmed first; it leads on by itself to what was to be read."""
    frame = Page("Confirming this device", caller=caller)
    can = bindable(caller) or unconfirmed(caller)
    # Right after signing in this is a step on the way, which a browser's console need not call an error.
    status = 200 if reading and bindable(caller) else error.status
    return page("confirm_device.html", frame, status, error=error, can=can, reading=reading)


def _sent(request: Request, target: str) -> Response:
    if target == "/sign-in" and cookies.SESSION in request.cookies:
        response = RedirectResponse("/sign-in?ended=1", 303)
        cookies.drop(response, cookies.SESSION)
        return response
    return RedirectResponse(target, 303)
