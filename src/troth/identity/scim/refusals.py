"""Refusals of the protocol as ours, with a sentence of ours: a library's text may repeat what was sent."""

from __future__ import annotations

import re
from collections.abc import Mapping

from troth.kernel.errors import (
    Conflict,
    Denied,
    Malformed,
    NotFound,
    PreconditionFailed,
    TooLarge,
    TrothError,
    UnsupportedMedia,
    WrongMethod,
)

_ADVICE: Mapping[str, str] = {
    "invalidFilter": "The filter cannot be read, or names what is no attribute here; see /Schemas.",
    "tooMany": "Too much was asked for at once; ask for less.",
    "uniqueness": "Another resource has this value already.",
    "mutability": "An attribute that cannot be changed was to be changed.",
    "invalidSyntax": "The body is not a message of this protocol; see RFC 7644.",
    "invalidPath": "The path names no attribute here; see /Schemas.",
    "noTarget": "The path finds nothing to change.",
    "invalidValue": "A value is missing or not acceptable; see /Schemas.",
    "invalidVers": "Only version 2 of the protocol is spoken here.",
    "sensitive": "Nothing of this may stand in an address.",
}
_KINDS: Mapping[int, type[TrothError]] = {
    403: Denied,
    404: NotFound,
    405: WrongMethod,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    415: UnsupportedMedia,
}
_PLAIN = "The request is not acceptable in this protocol; see RFC 7644."
SCIM_TYPES = {f"scim-{re.sub('([A-Z])', lambda one: '-' + one[1].lower(), name)}": name for name in _ADVICE} | {
    "email-taken": "uniqueness",
    "external-id-taken": "uniqueness",
    "address-of-leaver": "uniqueness",
    "scim-address": "invalidValue",
    "bad-email": "invalidValue",
    "scim-member": "invalidValue",
    "broken-json": "invalidSyntax",
}
"""Our stable codes, and the detail error keyword (RFC 7644 section 3.12, table 9) that each is."""
_CODES = {name: code for code, name in reversed(SCIM_TYPES.items())}


def refusal_of(status: int | None, scim_type: str | None) -> TrothError:
    """The refusal of a status and a detail error keyword."""
    kind = _KINDS.get(status or 400, Malformed)
    return kind(_ADVICE.get(scim_type or "", _PLAIN), code=_CODES.get(scim_type or "", "scim-request"))
