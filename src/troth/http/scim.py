"""The door of SCIM 2.0 (RFC 7644): messages read as they come, within limits; refusals as its section 3.12 has them."""

from __future__ import annotations

import json

from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from troth.http.problems import headers_of
from troth.http.reading import body_of, parsed_json
from troth.identity.scim.operations import BASE
from troth.identity.scim.refusals import SCIM_TYPES
from troth.kernel.errors import Malformed, TrothError, UnsupportedMedia
from troth.kernel.operation import Route

MEDIA_TYPE = "application/scim+json"
_JSON = frozenset({"", MEDIA_TYPE, "application/json"})
_CONDITIONS = ("If-Match", "If-None-Match")
_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_MOST_OPERATIONS = 100  # of one PATCH
_MOST_TEXT = 1024  # characters of one filter or path


def is_scim_path(path: str) -> bool:
    """True for an address of this protocol, whether there is something or not."""
    return path == BASE or path.startswith(f"{BASE}/")


async def read_scim(request: Request, route: Route, model: type[BaseModel], ceiling: int) -> BaseModel:
    """The message of one operation. Raises typed refusals; values are never echoed."""
    body = await body_of(request, min(route.max_bytes, ceiling))
    if body:
        _require_json(request)
        _require_small(parsed_json(body))
    query: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in query:
            raise Malformed("A query parameter was sent twice.", code="broken-query")
        query[name] = value
    headers = {name: request.headers[name] for name in _CONDITIONS if name in request.headers}
    try:
        values = {"query": query, "headers": headers, "body": body}
        return model.model_validate(values | request.path_params)
    except ValidationError:
        raise Malformed("A parameter or header is too long or cannot be read.", code="scim-invalid-value") from None


def scim_problem(error: TrothError, request_id: str) -> Response:
    """RFC 7644 section 3.12: status, `scimType` where there is one, and our sentence; nothing of the inside."""
    status = 400 if error.status == 422 else error.status  # this protocol has no 422
    body = {"schemas": [_ERROR], "status": str(status), "detail": error.advice}
    if error.code in SCIM_TYPES and status in (400, 409):
        body["scimType"] = SCIM_TYPES[error.code]
    headers = {**headers_of(error), "x-request-id": request_id}
    return Response(json.dumps(body), status, headers=headers, media_type=MEDIA_TYPE)


def _require_json(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON:
        raise UnsupportedMedia(f"Send the body as {MEDIA_TYPE}.", code="wrong-content-type")


def _require_small(message: object) -> None:
    """Bounds what costs more than its bytes: every operation of a PATCH goes over all members of a group."""
    if not isinstance(message, dict):
        raise Malformed("The body must be a JSON object.", code="broken-json")
    lists = [value for name, value in message.items() if name.lower() == "operations" and isinstance(value, list)]
    operations = [one for some in lists for one in some]
    if len(operations) > _MOST_OPERATIONS:
        raise Malformed(f"A PATCH has at most {_MOST_OPERATIONS} operations.", code="scim-too-many")
    for part in (message, *operations):
        for name, text in part.items() if isinstance(part, dict) else ():
            if name.lower() in ("filter", "path") and isinstance(text, str) and len(text) > _MOST_TEXT:
                raise Malformed(f"A filter or path has at most {_MOST_TEXT} characters.", code="scim-too-many")
