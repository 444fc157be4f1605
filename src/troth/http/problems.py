"""Refusals, rendered once (RFC 9457 problem details); in the OpenAI error shape where an OpenAI client listens."""

from __future__ import annotations

import json

from starlette.responses import JSONResponse, Response

from troth.gateway.wire.errors import openai_error
from troth.identity.devices.proof import ALGORITHMS
from troth.kernel.errors import TooMany, TrothError, Unauthenticated, Unavailable

# RFC 9449 sections 5 and 7.1: what is asked of a session that is bound to a key.
_CHALLENGES = {
    "proof-required": f'DPoP realm="troth", error="invalid_token", algs="{" ".join(ALGORITHMS)}"',
    "proof-invalid": f'DPoP realm="troth", error="invalid_dpop_proof", algs="{" ".join(ALGORITHMS)}"',
}
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
    headers = {**headers_of(error), "x-request-id": request_id}
    return Response(json.dumps(body), error.status, headers=headers, media_type=PROBLEM)


def openai_problem(error: TrothError, request_id: str) -> Response:
    """The same refusal as `{"error": {message, type, code, param}}`, which the official client understands."""
    return JSONResponse(openai_error(error), error.status, headers={**headers_of(error), "x-request-id": request_id})


def headers_of(error: TrothError) -> dict[str, str]:
    """The headers of a refusal, in whatever shape it is told."""
    headers = {"cache-control": "no-store"}
    if isinstance(error, Unauthenticated):
        headers["www-authenticate"] = _CHALLENGES.get(error.code, 'Bearer realm="troth"')
    if isinstance(error, TooMany):
        headers["retry-after"] = str(error.seconds)
    if isinstance(error, Unavailable):
        headers["retry-after"] = "5"
    return headers
