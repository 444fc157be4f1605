"""What every page needs: who asks, the operations, and how a refusal looks to a person."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData
from starlette.formparsers import FormParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from troth.kernel.caller import Caller
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import Malformed, TooLarge, TrothError, Unauthenticated
from troth.kernel.ids import new_id
from troth.portal.guard import require_same_origin
from troth.portal.render import Page, page

Handler = Callable[["Desk", Request, Caller], Awaitable[Response]]
_MAX_FORM = 1 << 18  # bytes; the largest form is a pasted certificate


@dataclass(frozen=True, slots=True)
class Desk:
    """The portal's way in: the same dispatcher, credentials and limits as the API."""

    dispatcher: Dispatcher
    identify: Callable[[Request], Caller]  # raises `Unauthenticated` for a credential that does not hold
    anonymous: Callable[[Request], Caller]
    admit: Callable[[Request], None]  # raises `TooMany`

    async def run(self, name: str, caller: Caller, request: Any) -> Any:
        """Run an operation for a page."""
        return await self.dispatcher.run_async(name, caller, request, new_id("req"))

    def member(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A page for people who signed in; others are sent to the sign-in page."""
        return self._guarded(handler, needs_person=True)

    def public(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """A page for everyone; a credential that does not hold counts as none."""
        return self._guarded(handler, needs_person=False)

    def _guarded(self, handler: Handler, *, needs_person: bool) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            caller = self.anonymous(request)
            try:
                self.admit(request)
                if request.method == "POST":
                    require_same_origin(request)
                caller = await self._caller(request)
                if needs_person and caller.anonymous:
                    return RedirectResponse("/sign-in", 303)
                if needs_person and caller.authentication.assurance < 2 and request.url.path != "/second-factor":
                    return RedirectResponse("/second-factor", 303)
                return await handler(self, request, caller)
            except TrothError as error:
                return refused(error, caller)

        return handle

    async def _caller(self, request: Request) -> Caller:
        try:
            return await asyncio.to_thread(self.identify, request)
        except Unauthenticated:
            return self.anonymous(request)


async def form_of(request: Request) -> FormData:
    """The fields of a posted form, without files. Raises `TooLarge`, `Malformed`."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise Malformed("Send this form from its own page.", code="broken-form")
    length = request.headers.get("content-length", "0")
    if not length.isdigit() or int(length) > _MAX_FORM:
        raise TooLarge("This form is too large.", code="body-too-large")

    async def limited() -> Any:
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > _MAX_FORM:
                raise TooLarge("This form is too large.", code="body-too-large")
            yield piece

    return await FormParser(request.headers, limited()).parse()


def text(form: FormData, name: str) -> str:
    """One field as text; an absent one is empty."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def refused(error: TrothError, caller: Caller) -> Response:
    """A refusal as a page."""
    return page("refused.html", Page(error.title, caller=caller), error.status, error=error)
