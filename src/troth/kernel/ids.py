"""Opaque random names: `usr_` + 26 characters that carry 128 random bits. They say nothing about what they name."""

from __future__ import annotations

import base64
import secrets

from troth.kernel.errors import Invalid

ID_BYTES = 16
_BODY_LENGTH = 26


def new_id(kind: str) -> str:
    """A fresh id such as `obj_…`; `kind` is a short lower-case prefix."""
    return id_from_bytes(kind, secrets.token_bytes(ID_BYTES))


def id_from_bytes(kind: str, raw: bytes) -> str:
    """The id text of 16 raw bytes."""
    return f"{kind}_{base64.b32encode(raw).decode().rstrip('=').lower()}"


def id_bytes(identifier: str) -> bytes:
    """The 16 raw bytes inside an id. Raises `Invalid` when it is not one."""
    body = identifier.rpartition("_")[2]
    try:
        raw = base64.b32decode(body.upper() + "=" * (-len(body) % 8))
    except ValueError:
        raw = b""
    if len(body) != _BODY_LENGTH or len(raw) != ID_BYTES:
        raise Invalid("An id has the shape kind_26characters; use one that Troth gave you.", code="bad-id")
    return raw
