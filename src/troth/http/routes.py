"""Routes made from the operation registry: one declaration, one route."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
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
from troth.kernel.operation import Binary, Group, Operation, Stream
from troth.storage.claims import Claims

OPENAI_NOUNS = frozenset({"chat", "image", "model", "file"})  # routes that official OpenAI clients call
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """What every route needs."""

    dispatcher: Dispatcher
    authenticator: Authenticator
    rate: RateLimit
    claims: Claims
    max_body_bytes: int


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
            caller = await _identified(door, request)
            parsed = await _admit(door, operation, request, caller)
        except TrothError as error:
            await _record_refusal(door, operation, caller, error, request_id)
            return render_refusal(error, request_id)
        try:
            result = await door.dispatcher.run_async(operation.name, caller, parsed, request_id)
        except TrothError as error:
            return render_refusal(error, request_id)
        response = render(result, operation)
        response.headers["x-request-id"] = request_id
        return response

    return handle


async def _identified(door: Door, request: Request) -> Caller:
    try:
        caller = await asyncio.to_thread(door.authenticator.caller, request)
    except Unauthenticated:
        door.rate.check_stranger(request)
        raise
    door.rate.check(request, caller)
    return caller


async def _admit(door: Door, operation: Operation, request: Request, caller: Caller) -> BaseModel:
    declared = operation.declaration.route
    assert declared is not None
    if caller.anonymous and operation.declaration.group not in (Group.PUBLIC, Group.SIGN_IN):
        raise Unauthenticated("Sign in or send an API key, then ask again.")  # before a stranger's body is read
    identifier = request.headers.get("idempotency-key") or request.headers.get("x-request-id")
    if identifier:
        await asyncio.to_thread(door.claims.claim, caller.actor, identifier)
    return await read(request, declared, operation.declaration.request, door.max_body_bytes)


async def _record_refusal(door: Door, operation: Operation, caller: Caller, error: TrothError, request_id: str) -> None:
    if error.status == 429:  # a flood must not become a flood of records
        return
    await asyncio.to_thread(door.dispatcher.refuse, operation.name, caller, error, request_id)


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
