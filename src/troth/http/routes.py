"""Routes made from the operation registry: one declaration, one route."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route as StarletteRoute

from troth.http.authenticate import Authenticator, connection_of
from troth.http.limits import RateLimit
from troth.http.problems import openai_problem, problem
from troth.http.reading import read
from troth.kernel.caller import Caller, anonymous
from troth.kernel.dispatch import Dispatcher
from troth.kernel.errors import TrothError, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.operation import Binary, Operation, Stream
from troth.storage.claims import Claims

OPENAI_NOUNS = frozenset({"chat", "image", "model", "file"})  # routes that official OpenAI clients call
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


def routes(door: Door) -> list[StarletteRoute]:
    """One Starlette route for each operation that declares one."""
    return [
        StarletteRoute(declared.path, endpoint(door, operation), methods=[declared.method], name=operation.name)
        for operation in door.dispatcher.registry
        if (declared := operation.declaration.route) is not None
    ]


def endpoint(door: Door, operation: Operation) -> Endpoint:
    """The handler of one operation."""
    render_refusal = openai_problem if _speaks_openai(operation) else problem

    async def handle(request: Request) -> Response:
        request_id = new_id("req")
        caller = anonymous(connection_of(request))
        try:
            caller = await _recorded_when_refused(door, operation, caller, request_id, _identified(door, request))
            permit = await door.dispatcher.permit(operation.name, caller, request_id)  # before any body is read
            admitted = _admit(door, operation, request, caller)
            parsed = await _recorded_when_refused(door, operation, caller, request_id, admitted)
            result = await door.dispatcher.run_permitted(permit, parsed)
        except TrothError as error:
            return render_refusal(error, request_id)
        response = render(result, operation)
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
    parsed = await read(request, declared, operation.declaration.request, door.max_body_bytes)
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


def _speaks_openai(operation: Operation) -> bool:
    return operation.name.partition(".")[0] in OPENAI_NOUNS


def render(result: object, operation: Operation) -> Response:
    """A result as a response: model, bytes or stream."""
    declared = operation.declaration.route
    status = declared.status if declared else 200
    headers = {"cache-control": "no-store"}
    if isinstance(result, BaseModel):
        content = result.model_dump_json(exclude_none=_speaks_openai(operation))
        return Response(content, status, headers=headers, media_type="application/json")
    if isinstance(result, Binary):
        if result.filename:
            headers["content-disposition"] = f"attachment; filename*=UTF-8''{quote(result.filename)}"
        return Response(result.content, status, headers=headers, media_type=result.media_type)
    if isinstance(result, Stream):
        return StreamingResponse(result.chunks, status, headers=headers, media_type=result.media_type)
    return Response(status_code=204, headers=headers)
