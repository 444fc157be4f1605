"""Routes made from the operation registry: one declaration, one route."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as StarletteRoute

from troth.http.authenticate import Authenticator, connection_of
from troth.http.limits import RateLimit
from troth.http.oauth_refusals import oauth_problem
from troth.http.problems import openai_problem, problem
from troth.http.ranges import ranged
from troth.http.reading import read
from troth.http.room import Room
from troth.http.scim import read_scim, scim_problem
from troth.kernel.caller import Caller, anonymous
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import TrothError, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.operation import Binary, Operation, Reply, Stream
from troth.storage.claims import Claims

_OAUTH = "oauth."  # operations whose messages RFC 6749 gives
# Routes that official OpenAI clients call.
OPENAI_NOUNS = frozenset({"chat", "response", "embedding", "image", "model", "file", "video"})
Endpoint = Callable[[Request], Awaitable[Response]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Door:
    """What every route needs."""

    dispatcher: Dispatcher
    authenticator: Authenticator
    rate: RateLimit
    claims: Claims
    max_body_bytes: int
    signal: Callable[[Request, Caller], None] = lambda _request, _caller: None
    """Told of requests that carry a signal about privacy (Sec-GPC); runs on a worker thread."""
    room: Room = field(default_factory=lambda: Room(256 << 20))
    """Memory for the bodies of all requests together."""


def routes(door: Door) -> list[StarletteRoute]:
    """One Starlette route for each operation that declares one."""
    return [
        StarletteRoute(declared.path, endpoint(door, operation), methods=[declared.method], name=operation.name)
        for operation in door.dispatcher.registry
        if (declared := operation.declaration.route) is not None
    ]


def endpoint(door: Door, operation: Operation) -> Endpoint:
    """The handler of one operation."""
    render_refusal = _refusals_of(operation)

    async def handle(request: Request) -> Response:
        with door.room.share(request):
            return await answered(request)

    async def answered(request: Request) -> Response:
        request_id = new_id("req")
        caller = anonymous(connection_of(request))
        told: dict[str, str] = {}
        try:
            caller = await _recorded_when_refused(door, operation, caller, request_id, _identified(door, request))
            permit = await door.dispatcher.permit(operation.name, caller, request_id)  # before any body is read
            told = permit.call.told
            admitted = _admit(door, operation, request, caller)
            parsed = await _recorded_when_refused(door, operation, caller, request_id, admitted)
            result = await door.dispatcher.run_permitted(permit, parsed)
        except TrothError as error:
            response = render_refusal(error, request_id)
            response.headers.update(told)
            return response
        response = render(result, operation)
        response.headers.update(told)
        if isinstance(result, Binary) and request.method in ("GET", "HEAD"):
            response = ranged(response, request.headers.get("range"), request.headers.get("if-range"))
        response.headers["x-request-id"] = request_id
        return response

    return handle


async def _identified(door: Door, request: Request) -> Caller:
    try:
        caller = door.authenticator.at_once(request)
        if caller is None:
            caller = await asyncio.get_running_loop().run_in_executor(None, door.authenticator.caller, request)
    except Unauthenticated:
        door.rate.check_stranger(request)
        raise
    door.rate.check(request, caller)
    if "sec-gpc" in request.headers and not caller.anonymous:
        await asyncio.to_thread(door.signal, request, caller)
    return caller


async def _admit(door: Door, operation: Operation, request: Request, caller: Caller) -> BaseModel:
    declared = operation.declaration.route
    assert declared is not None
    understood = read_scim if declared.body == "scim" else read
    parsed = await understood(request, declared, operation.declaration.request, door.max_body_bytes)
    identifier = request.headers.get("idempotency-key") or request.headers.get("x-request-id")
    if identifier and not caller.anonymous:  # strangers have one name together and would take each other's ids
        await asyncio.to_thread(door.claims.claim, caller.actor, identifier)  # only what can run uses up its id
    return parsed


async def _recorded_when_refused(
    door: Door, operation: Operation, caller: Caller, request_id: str, step: Awaitable[Result]
) -> Result:
    """What is refused in `step` never becomes an operation that would record it."""
    try:
        return await step
    except TrothError as error:
        if error.status != 429:  # a flood must not become a flood of records
            await asyncio.to_thread(door.dispatcher.refuse, operation.name, caller, error, request_id)
        raise


def _refusals_of(operation: Operation) -> Callable[[TrothError, str], Response]:
    if _speaks_openai(operation):
        return openai_problem
    if operation.declaration.route is not None and operation.declaration.route.body == "scim":
        return scim_problem
    return oauth_problem if operation.name.startswith(_OAUTH) else problem


def _speaks_openai(operation: Operation) -> bool:
    return operation.name.partition(".")[0] in OPENAI_NOUNS


def _omits_nulls(operation: Operation) -> bool:
    """Protocols of others know members that are absent, and none that are null."""
    return _speaks_openai(operation) or operation.name.startswith(_OAUTH)


def render(result: object, operation: Operation) -> Response:
    """A result as a response: model, bytes or stream."""
    declared = operation.declaration.route
    status = declared.status if declared else 200
    headers = {"cache-control": "no-store"}
    if isinstance(result, BaseModel):
        content = result.model_dump_json(exclude_none=_omits_nulls(operation))
        return Response(content, status, headers=headers, media_type="application/json")
    if isinstance(result, Binary):
        headers["cache-control"] = result.cache_control
        if result.filename:
            headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(result.filename)}"
        return Response(result.content, status, headers=headers, media_type=result.media_type)
    if isinstance(result, Reply):
        return Response(
            result.content, result.status, headers=headers | dict(result.headers), media_type=result.media_type
        )
    if isinstance(result, Stream):
        return StreamingResponse(
            result.chunks, status, headers=headers | dict(result.headers), media_type=result.media_type
        )
    return Response(status_code=204, headers=headers)
