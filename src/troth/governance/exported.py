"""Registers that were exported as JSON, read back with their histories: to judge them without a server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from troth.governance.forms.form import Form
from troth.governance.records import Event, Record, fold
from troth.kernel.errors import IntegrityError, Invalid, TooLarge

LARGEST: Final = 16 << 20  # bytes
_EVENTS: Final[TypeAdapter[list[Event]]] = TypeAdapter(list[Event])


def records_of(content: bytes, form: Form) -> list[Record]:
    """The records of an export, each folded anew from its events.

    Raises TooLarge(export-too-long), Invalid(bad-export) for what is no export of this form, and
    IntegrityError(register-chain) when an event was altered. Whether the export is the whole register, and the one of
    the server, it cannot tell.
    """
    if len(content) > LARGEST:
        raise TooLarge(f"An export of a register has at most {LARGEST >> 20} MB.", code="export-too-long")
    try:
        told: Any = json.loads(content)
        if told["form"] != form.name:
            raise _bad(form)
        return [_record(one, form) for one in told["records"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _bad(form) from error


def _record(told: Mapping[str, Any], form: Form) -> Record:
    try:
        raw = [{**one, "salt": bytes.fromhex(one["salt"])} for one in told["events"]]
        links = [one.pop("link") for one in raw]
        events = _EVENTS.validate_python(raw)
    except ValidationError:
        raise _bad(form) from None
    if [one.link for one in events] != links:
        raise IntegrityError("An entry of the export is not as it was written; export it again.", code="register-chain")
    return fold(form, events)


def _bad(form: Form) -> Invalid:
    says = f"This is no export of the register {form.name}; make one with `troth register export --format json`."
    return Invalid(says, code="bad-export")
