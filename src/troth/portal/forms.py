"""Reading posted forms: bounded, without files, checked against the operation's own request model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import Request

from troth.gateway.wire.upload import Upload
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


class _InMemory(MultiPartParser):
    """Starlette's parser spools files over 1 MiB to a temporary file in clear; ours never touches the disk."""

    spool_max_size = 1 << 31


async def document_of(request: Request, name: str) -> str:
    """A document that a form brings, pasted or as a file. Raises `TooLarge`, `Malformed`."""
    return (await document_and_form(request, name))[0]


async def document_and_form(request: Request, name: str) -> tuple[str, FormData]:
    """The same with the other fields of the form."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _MEDIA_TYPE:
        form = await form_of(request)
        return text(form, name), form
    if kind != "multipart/form-data":
        raise Malformed("Send this form from its own page.", code="broken-form")
    body = b"".join([piece async for piece in _limited(request)])  # refused as a whole before a part is opened
    parser = _InMemory(request.headers, _once(body), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FORM)
    try:
        form = await parser.parse()
        try:
            given = form.get(f"{name}-file")
            content = await given.read() if isinstance(given, UploadFile) else b""
            return (content.decode() if content else text(form, name)), form
        finally:
            await form.close()
    except (MultiPartException, KeyError, ValueError):
        raise Malformed("The file is not text as Troth hands it out; give it unchanged.", code="broken-form") from None


async def upload_of(request: Request, name: str, most: int) -> bytes:
    """The file that a form brings, `most` bytes at most; empty when none was chosen. Raises `TooLarge`, `Malformed`."""
    return (await upload_and_form(request, name, most))[0]


async def upload_and_form(request: Request, name: str, most: int) -> tuple[bytes, FormData]:
    """The same with the other fields of the form."""
    upload, form = await file_and_form(request, name, most)
    return upload.content, form


async def file_and_form(request: Request, name: str, most: int) -> tuple[Upload, FormData]:
    """The same with what the browser says of the file: its name and type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise Malformed("Send this form from its own page.", code="broken-form")
    body = b"".join([piece async for piece in _limited(request, most + MAX_FORM)])
    parser = _InMemory(request.headers, _once(body), max_files=1, max_fields=MAX_FIELDS, max_part_size=MAX_FORM)
    try:
        form = await parser.parse()
        try:
            given = form.get(name)
            upload = given if isinstance(given, UploadFile) else None
            content = await upload.read() if upload else b""
        finally:
            await form.close()
    except (MultiPartException, KeyError, ValueError):
        raise Malformed("Send this form from its own page.", code="broken-form") from None
    if len(content) > most:
        raise _too_large()
    told = ((upload.filename or "")[-1024:], (upload.content_type or "")[:255]) if upload else ("", "")
    return Upload(filename=told[0], media_type=told[1], content=content), form


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


WHY = "Choose why; the log keeps it with the decision."


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


def require_words(typed: str, words: str) -> None:
    """Raises `Invalid` (not-confirmed) unless the words were typed, in whatever case and spacing."""
    if " ".join(typed.lower().split()) != words:
        raise Invalid(f"Type the words “{words}” to go on.", code="not-confirmed")


async def _limited(request: Request, most: int = MAX_FORM) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise _too_large()
        yield piece


def _too_large() -> TooLarge:
    return TooLarge("This form is too large.", code="body-too-large")
