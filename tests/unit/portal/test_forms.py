from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.datastructures import FormData
from starlette.requests import Request

from troth.kernel.errors import Invalid, Malformed, TooLarge
from troth.portal.forms import MAX_FIELDS, MAX_FORM, filled, form_of, text, typed

FORM = "application/x-www-form-urlencoded"


def posted(body: bytes, media_type: str = FORM, length: str | None = None, piece: int = 1 << 16) -> FormData:
    """The form as read from `piece` bytes at a time; `length` is what the sender claims."""
    pieces = [body[at : at + piece] for at in range(0, len(body), piece)] or [b""]
    waiting = iter(enumerate(pieces, 1))

    async def receive() -> dict[str, Any]:
        number, content = next(waiting)
        return {"type": "http.request", "body": content, "more_body": number < len(pieces)}

    claimed = length if length is not None else str(len(body))
    headers = [(b"content-type", media_type.encode()), (b"content-length", claimed.encode())]
    return asyncio.run(form_of(Request({"type": "http", "method": "POST", "headers": headers}, receive)))


def test_fields_are_read() -> None:
    form = posted(b"name=+Maria+&password=+two+spaces+&roles=a&roles=b")
    assert text(form, "name") == "Maria"
    assert typed(form, "password") == " two spaces "
    assert form.getlist("roles") == ["a", "b"]
    assert text(form, "absent") == ""


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/json", "text/plain", ""])
def test_only_forms_are_read(media_type: str) -> None:
    with pytest.raises(Malformed) as refusal:
        posted(b"name=x", media_type)
    assert refusal.value.code == "broken-form"


def test_a_charset_is_no_matter() -> None:
    assert text(posted(b"name=x", FORM + "; charset=utf-8"), "name") == "x"


def test_the_largest_form_is_read() -> None:
    assert len(text(posted(b"a=" + b"x" * (MAX_FORM - 2)), "a")) == MAX_FORM - 2


@pytest.mark.parametrize("length", [None, "3", "0"])
def test_a_larger_form_is_refused_whatever_it_claims(length: str | None) -> None:
    with pytest.raises(TooLarge) as refusal:
        posted(b"a=" + b"x" * (MAX_FORM - 1), length=length)
    assert refusal.value.code == "body-too-large"


@pytest.mark.parametrize("length", ["-1", "1e9", "ten", "²", ""])
def test_a_length_that_is_none_is_refused(length: str) -> None:
    with pytest.raises(TooLarge):
        posted(b"a=b", length=length)


def test_too_many_fields_are_refused() -> None:
    assert len(posted(b"&".join([b"a=1"] * MAX_FIELDS)).multi_items()) == MAX_FIELDS
    with pytest.raises(TooLarge):
        posted(b"&".join([b"a=1"] * (MAX_FIELDS + 1)))


class Days(BaseModel):
    days: int


def test_what_does_not_fit_is_refused_with_advice_and_without_the_value() -> None:
    assert filled(Days, "Give days.", days="90").days == 90
    with pytest.raises(Invalid) as refusal:
        filled(Days, "Give days.", days="Maria Gonzalez")
    assert refusal.value.advice == "Give days."
