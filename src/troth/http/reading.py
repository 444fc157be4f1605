"""Bytes to a typed request: size, type, depth and field limits before anything else sees them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request

from troth.gateway.wire.upload import Upload
from troth.http.forms import MAX_PARTS, form_of
from troth.http.room import take_room
from troth.kernel.errors import Invalid, Malformed, TooLarge, UnsupportedMedia
from troth.kernel.operation import Route

_MOST_VALUES = 500_000  # of one JSON body; each takes some 70 bytes of memory, and can be written in three
# A text of JSON; one that never ends is taken to the end, so that each byte is looked at once.
_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}\Z")


async def read(request: Request, route: Route, model: type[BaseModel], ceiling: int) -> BaseModel:
    """The validated request of one operation. Raises typed refusals; values are never echoed."""
    limit = min(route.max_bytes, ceiling)
    values: dict[str, Any] = {}
    if route.body == "json" or (route.body == "either" and _media_type(request) != "multipart/form-data"):
        values = await _json(request, limit)
    elif route.body == "multipart" or (route.body == "either" and _media_type(request) == "multipart/form-data"):
        values = await _multipart(request, limit)
    elif route.body == "form":
        values = await _form(request, limit)
    query = _query(request)
    if query and route.body != "none":  # a link or a log line must not carry what belongs into a body
        raise Malformed("Send the fields in the body, not in the query.", code="broken-query")
    values.update(query)
    values.update(request.path_params)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _explained(error) from None


async def body_of(request: Request, limit: int) -> bytes:
    """The bytes of the body. Raises `TooLarge`, and `Malformed` for one that ends too soon."""
    pieces, size = [], 0
    async for piece in _limited(request, limit):
        size += len(piece)
        pieces.append(piece)
    return b"".join(pieces)


async def _limited(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    refusal = TooLarge(f"The body may have at most {limit} bytes here; send less.", code="body-too-large")
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit() and len(declared) < 20) or int(declared) > limit:
        raise refusal
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise refusal
            take_room(request, len(piece))
            yield piece
    except ClientDisconnect:
        raise Malformed("The body ended before its declared length.", code="body-incomplete") from None


async def _json(request: Request, limit: int) -> dict[str, Any]:
    body = await body_of(request, limit)
    if not body:
        return {}
    if _media_type(request) != "application/json" or _charset(request) != "utf-8":
        raise UnsupportedMedia("Send the body as application/json in UTF-8.", code="wrong-content-type")
    value = parsed_json(body)
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object.", code="broken-json")
    return value


def parsed_json(body: bytes) -> Any:
    """JSON within limits: no deep nesting, not too many values, no name twice, no infinity.

    Raises `Malformed` (`broken-json`), `TooLarge` (`json-too-many-values`).
    """
    if _values(body) > _MOST_VALUES and _values(_STRINGS.sub(b"", body)) > _MOST_VALUES:
        raise TooLarge(f"The body holds more than {_MOST_VALUES} values; send fewer.", code="json-too-many-values")
    try:
        value = from_json(body, allow_inf_nan=False, cache_strings=False)  # refuses nesting beyond its recursion limit
        json.loads(body, object_pairs_hook=_once, parse_float=_finite, parse_int=len)
    except ValueError:
        raise Malformed("The body is not valid JSON; check quotes, commas and nesting.", code="broken-json") from None
    return value


def _values(body: bytes) -> int:
    """At least as many as there are values; signs within texts count too."""
    return sum(body.count(sign) for sign in (b",", b"[", b"{"))


def _once(pairs: list[tuple[str, Any]]) -> None:
    """A name given twice means one thing to us and another to a filter in front of us (RFC 7493 section 2.3)."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError


def _finite(number: str) -> None:
    if not math.isfinite(float(number)):  # 1e999 would come out as infinity, which no JSON can carry on
        raise ValueError


async def _multipart(request: Request, limit: int) -> dict[str, Any]:
    if _media_type(request) != "multipart/form-data" or _charset(request) != "utf-8":
        raise UnsupportedMedia("Send the body as multipart/form-data in UTF-8.", code="wrong-content-type")
    form = await form_of(request.headers, _limited(request, limit))
    values: dict[str, Any] = {}
    try:
        for name, item in form.multi_items():
            _put(values, name, await _upload(item) if isinstance(item, UploadFile) else item)
    finally:
        await form.close()
    return values


async def _form(request: Request, limit: int) -> dict[str, Any]:
    """A form as other servers post it (OAuth's own messages); each field once."""
    if _media_type(request) != "application/x-www-form-urlencoded":
        raise UnsupportedMedia("Send the body as application/x-www-form-urlencoded.", code="wrong-content-type")
    try:
        pairs = parse_qsl((await body_of(request, limit)).decode("ascii"), max_num_fields=MAX_PARTS, errors="strict")
    except ValueError:
        raise Malformed("The form cannot be read.", code="broken-form") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("A form field was sent twice.", code="broken-form")
    return dict(pairs)


async def _upload(item: UploadFile) -> Upload:
    try:
        return Upload(
            filename=item.filename or "file",
            media_type=item.content_type or "application/octet-stream",
            content=await item.read(),
        )
    except ValidationError as error:
        raise _explained(error) from None


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    """OpenAI clients send lists as `image[]` and objects as `expires_after[anchor]`."""
    base, bracket, inner = name.partition("[")
    inner = inner.rstrip("]")
    empty: Any = {} if inner else [] if bracket else None
    held = values.setdefault(base, empty)
    if isinstance(held, dict) and bracket and inner and inner not in held:
        held[inner] = value
    elif isinstance(held, list) and not inner:
        held.append(value)
    elif held is None and not bracket:
        values[base] = value
    else:
        raise Malformed("A form field was sent twice, or in two shapes.", code="broken-multipart")


def _query(request: Request) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name in values:
            raise Malformed("A query parameter was sent twice.", code="broken-query")
        values[name] = value
    return values


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _charset(request: Request) -> str:
    """The charset parameter. Codecs such as punycode take quadratic time, so a client may not choose one."""
    _, parameters = parse_options_header(request.headers.get("content-type", ""))
    return parameters.get(b"charset", b"utf-8").decode("latin-1").lower()


def _place(location: tuple[int | str, ...]) -> str:
    """Where in the request. A name that a stranger made up may be somebody's address: only plain names are repeated."""
    place = ".".join(str(part) for part in location)
    return place if _PLAIN_NAME.match(place) else "unnamed"


def _explained(error: ValidationError) -> Invalid:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = _place(first["loc"])
    if first["type"] == "extra_forbidden":
        return Invalid(f"There is no field '{place}' here; remove it.", code="unknown-field", field=place)
    if first["type"] == "missing":
        return Invalid(f"The field '{place}' is missing; add it.", code="missing-field", field=place)
    return Invalid(f"The field '{place}' is not acceptable: {first['msg']}.", code="bad-field", field=place)
