"""Refusals, rendered once (RFC 9457 problem details); in the OpenAI error shape where an OpenAI client listens."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse, Response

from troth.gateway.wire.errors import openai_error
from troth.kernel.errors import TooMany, TrothError, Unauthenticated, Unavailable

PROBLEM = "application/problem+json"


def problem(error: TrothError, request_id: str) -> Response:
    """RFC 9457 section 3: type, title, status, detail, and our stable `code`."""
    body = {
        "type": f"urn:troth:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.advice,
        "code": error.code,
        "request": request_id,
    }
    if error.field:
        body["field"] = error.field
    return Response(json.dumps(body), error.status, headers=_headers(error), media_type=PROBLEM)


def openai_problem(error: TrothError, request_id: str) -> Response:
    """The same refusal as `{"error": {message, type, code, param}}`, which the official client understands."""
    return JSONResponse(openai_error(error), error.status, headers={**_headers(error), "x-request-id": request_id})


def _headers(error: TrothError) -> dict[str, str]:
    headers = {"cache-control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = 'Bearer realm="troth"'
    if isinstance(error, TooMany):
        headers["retry-after"] = "60"
    if isinstance(error, Unavailable):
        headers["retry-after"] = "5"
    return headers
