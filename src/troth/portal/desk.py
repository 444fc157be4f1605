"""What every page needs: who asks, the operations, and how a refusal looks to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import NotFound, TooMany, TrothError, Unauthenticated, Unavailable
from troth.kernel.ids import new_id
from troth.portal import cookies
from troth.portal.guard import require_same_origin
from troth.portal.render import Page, page

Handler = Callable[["Desk", Request, Caller], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Desk:
    """The portal's way in: the same dispatcher, credentials and limits as the API."""

    dispatcher: Dispatcher
    identify: Callable[[Request], Caller]  # raises `Unauthenticated` for a credential that does not hold
    anonymous: Callable[[Request], Caller]
    admit: Callable[[Request, Caller], None]  # raises `TooMany`
    signal: Callable[[Request, Caller], None] = lambda _request, _caller: None  # told of Sec-GPC

    async def run(self, name: str, caller: Caller, request: Any) -> Any:
        """Run an operation for a page."""
        return await self.dispatcher.run_async(name, caller, request, new_id("req"))

    def public(self, handler: Handler) -> Endpoint:
        """A page for everyone; a credential that does not hold counts as none."""
        return self._guarded(handler, lambda _caller: None)

    def arriving(self, handler: Handler) -> Endpoint:
        """A page for people who signed in, even with a password alone; others are sent to the sign-in page."""
        return self._guarded(handler, lambda caller: "/sign-in" if caller.anonymous else None)

    def member(self, handler: Handler) -> Endpoint:
        """A page for people with everything set up; those who have not are sent to do it."""

        def elsewhere(caller: Caller) -> str | None:
            if caller.anonymous:
                return "/sign-in"
            return "/welcome" if caller.authentication.assurance < 2 else None

        return self._guarded(handler, elsewhere)

    def _guarded(self, handler: Handler, elsewhere: Callable[[Caller], str | None]) -> Endpoint:
        async def handle(request: Request) -> Response:
            caller = self.anonymous(request)
            try:
                if request.method == "POST":
                    require_same_origin(request)
                caller = await self._caller(request)
                self.admit(request, caller)
                if "sec-gpc" in request.headers and not caller.anonymous:
                    await asyncio.to_thread(self.signal, request, caller)
                if target := elsewhere(caller):
                    return _sent(request, target)
                return await handler(self, request, caller)
            except TrothError as error:
                return refused(error, caller, again=request.method == "GET")
            except ValidationError:  # an address with an id that can be none; forms turn theirs into `Invalid`
                return refused(NotFound("There is nothing at this address.", code="no-route"), caller)

        return handle

    async def _caller(self, request: Request) -> Caller:
        try:
            return await asyncio.to_thread(self.identify, request)
        except Unauthenticated:
            return self.anonymous(request)


def refused(error: TrothError, caller: Caller, *, again: bool = False) -> Response:
    """A refusal as a page; what passes by itself may be asked `again` at the same address."""
    passing = isinstance(error, TooMany | Unavailable)
    frame = Page(error.title, caller=caller)
    response = page("refused.html", frame, error.status, error=error, again=again and passing)
    if passing:
        response.headers["retry-after"] = "60" if isinstance(error, TooMany) else "5"
    return response


def _sent(request: Request, target: str) -> Response:
    if target == "/sign-in" and cookies.SESSION in request.cookies:
        response = RedirectResponse("/sign-in?ended=1", 303)
        cookies.drop(response, cookies.SESSION)
        return response
    return RedirectResponse(target, 303)
