"""Where the portal's script, or the browser itself, binds a session to a key of the device and shows it is at hand.

To confirm is no use of the session: a page that stays open keeps nobody signed in.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from troth.identity.devices import messages as d
from troth.identity.devices.bindings import Renewed
from troth.identity.devices.shown import DBSC, WEBCRYPTO
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError, Unauthenticated
from troth.portal import cookies
from troth.portal.binding import NATIVE_CONFIRM
from troth.portal.desk import Desk
from troth.portal.forms import filled, form_of, typed
from troth.portal.guard import require_same_origin

_ADVICE = "The device's answer came incomplete; try again."


async def ask(desk: Desk, request: Request, _caller: Caller) -> Response:
    """What the script is to sign, and whether to bind or to confirm."""
    require_same_origin(request)
    try:
        asked = await asyncio.to_thread(desk.bindings.ask, _token(request))
    except TrothError as error:
        return _told(error)
    return JSONResponse({"bound": asked.bound, "challenge": asked.challenge})


async def bind(desk: Desk, request: Request, _caller: Caller) -> Response:
    """Take the script's answer: from now on its key answers for the session."""
    require_same_origin(request)
    form = await form_of(request)
    try:
        made = await _bound(desk, request, WEBCRYPTO, typed(form, "proof"))
    except TrothError as error:
        return _told(error)
    return _kept(JSONResponse({"seconds": made.seconds}), made)


async def confirm(desk: Desk, request: Request, caller: Caller) -> Response:
    """Take the script's answer: the key is at hand."""
    require_same_origin(request)
    form = await form_of(request)
    try:
        made = await _renewed(desk, request, caller, typed(form, "proof"))
    except TrothError as error:
        return _told(error)
    return _kept(JSONResponse({"seconds": made.seconds}), made)


async def native_bind(desk: Desk, request: Request, _caller: Caller) -> Response:
    """Take the answer of a browser that binds sessions itself. It says nothing of where it comes from; it is signed."""
    try:
        made = await _bound(desk, request, DBSC, request.headers.get("secure-session-response", ""))
    except TrothError as error:
        return _told(error)
    return _kept(JSONResponse(_instructions(desk, made.session)), made)


async def native_confirm(desk: Desk, request: Request, caller: Caller) -> Response:
    """Ask such a browser for a proof, or take it. A session that is over is told to be forgotten."""
    named = request.headers.get("sec-secure-session-id", "").strip('"')
    answer = request.headers.get("secure-session-response")
    with suppress(Unauthenticated):  # an older challenge, or another key: in either case it is asked again
        if answer is not None:
            made = await _renewed(desk, request, caller, answer)
            return _kept(JSONResponse(_instructions(desk, made.session)), made)
    return await _asked(desk, request, named)


async def _asked(desk: Desk, request: Request, named: str) -> Response:
    try:
        asked = await asyncio.to_thread(desk.bindings.ask, _token(request))
    except TrothError as error:
        return JSONResponse({"session_identifier": named, "continue": False}) if named else _told(error)
    if asked.session != named:
        return JSONResponse({"session_identifier": named, "continue": False})
    response = JSONResponse({}, 403)
    response.headers["secure-session-challenge"] = f'"{asked.challenge}";id="{asked.session}"'
    return response


async def _bound(desk: Desk, request: Request, kind: str, proof: str) -> d.SessionBound:
    caller = await asyncio.to_thread(desk.identify, request)
    wish = filled(d.SessionBind, _ADVICE, bound=kind, proof=proof)
    made: d.SessionBound = await desk.run("session.bind", caller, wish)
    return made


async def _renewed(desk: Desk, request: Request, caller: Caller, proof: str) -> Renewed:
    return await asyncio.to_thread(desk.bindings.renew, _token(request), proof, caller.connection)


def _instructions(desk: Desk, session: str) -> dict[str, Any]:
    cookie = {"type": "cookie", "name": cookies.BOUND, "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax"}
    scope = {"origin": desk.bindings.origin, "include_site": False, "scope_specification": []}
    return {"session_identifier": session, "refresh_url": NATIVE_CONFIRM, "scope": scope, "credentials": [cookie]}


def _kept(response: Response, made: d.SessionBound | Renewed) -> Response:
    cookies.keep(response, cookies.BOUND, made.cookie, made.seconds)
    response.headers["cache-control"] = "no-store"
    return response


def _token(request: Request) -> str:
    return request.cookies.get(cookies.SESSION, "")


def _told(error: TrothError) -> Response:
    """A refusal for the script."""
    return JSONResponse({"advice": error.advice, "code": error.code}, error.status)
