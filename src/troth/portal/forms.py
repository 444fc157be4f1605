"""Reading posted forms: bounded, without files, checked against the operation's own request model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.formparsers import FormParser
from starlette.requests import Request

from troth.kernel.errors import Invalid, Malformed, TooLarge

MAX_FORM = 1 << 18  # bytes; the largest form is a pasted certificate
MAX_FIELDS = 64
_MEDIA_TYPE = "application/x-www-form-urlencoded"

Model = TypeVar("Model", bound=BaseModel)


async def form_of(request: Request) -> FormData:
    """The fields of a posted form. Raises `TooLarge`, `Malformed`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        raise Malformed("Send this form from its own page.", code="broken-form")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > MAX_FORM:
        raise _too_large()
    form = await FormParser(request.headers, _limited(request)).parse()
    if len(form.multi_items()) > MAX_FIELDS:
        raise _too_large()
    return form


def text(form: FormData, name: str) -> str:
    """One field as text without space around; an absent one is empty."""
    return typed(form, name).strip()


def typed(form: FormData, name: str) -> str:
    """One field exactly as typed, for passwords; an absent one is empty."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def filled(model: type[Model], advice: str, **fields: Any) -> Model:
    """A request made of form fields. Raises `Invalid` with `advice` when a field does not fit."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise Invalid(advice) from error


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_FORM:
            raise _too_large()
        yield piece


def _too_large() -> TooLarge:
    return TooLarge("This form is too large.", code="body-too-large")
