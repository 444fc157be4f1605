"""Opaque random names: `usr_` + 26 characters that carry 128 random bits. They say nothing about what they name.

Only the id of a request begins with its time, 48 bits of milliseconds before 80 random ones (as UUID version 7 has it,
RFC 9562): the index that finds millions of audit entries by request then grows at its end, not all over.
"""

from __future__ import annotations

import base64
import os
import secrets
import time
from collections import deque

from troth.kernel.errors import Invalid

ID_BYTES = 16
_TIME_BYTES = 6  # to the year 10889
_BODY_LENGTH = 26
_AHEAD = 256  # ids' worth of random bytes drawn at once: each draw gives the interpreter away to another thread
_drawn: deque[bytes] = deque()
os.register_at_fork(after_in_child=_drawn.clear)


def new_id(kind: str) -> str:
    """A fresh id such as `obj_…`; `kind` is a short lower-case prefix; `req` for a request."""
    try:
        raw = _drawn.popleft()
    except IndexError:
        block = secrets.token_bytes(ID_BYTES * _AHEAD)
        raw, *ahead = (block[at : at + ID_BYTES] for at in range(0, len(block), ID_BYTES))
        _drawn.extend(ahead)
    if kind == "req":
        raw = (time.time_ns() // 1_000_000).to_bytes(_TIME_BYTES, "big") + raw[_TIME_BYTES:]
    return id_from_bytes(kind, raw)


def part_id(request: str, part: int) -> str:
    """Under which name rows keep one part of a request that takes several, from 1; 0 is the request itself.

    No request id has a dot, so nobody's request is named so.
    """
    return f"{request}.part-{part}" if part else request


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
