"""What a leaf says: canonical JSON (RFC 8785) of a `kernel.record.Entry`. Pure."""

from __future__ import annotations

import json
from typing import Any


def read_leaf(leaf: bytes) -> dict[str, Any]:
    """The members of a leaf; empty for bytes that are no JSON object, so that nothing can block the log."""
    try:
        members = json.loads(leaf.decode())  # decoded here, or json would guess the encoding each time
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def columns(leaf: bytes) -> dict[str, str | int | None]:
    """The values by which an entry is found, fit for the columns of the entries table."""
    members = read_leaf(leaf)
    facts = members.get("facts")
    moment = members.get("time")
    return {
        "request": _text(members.get("request"), 64),
        "actor": _text(members.get("actor"), 64),
        "subject": _text(facts.get("subject"), 64) if isinstance(facts, dict) else None,
        "operation": _text(members.get("op"), 64),
        "outcome": _text(members.get("outcome"), 16),
        "time": moment if isinstance(moment, int) and 0 <= moment < 1 << 53 else None,
    }


def _text(value: object, length: int) -> str | None:
    """PostgreSQL refuses longer texts and NUL; an entry must never be unstorable for what it says."""
    return value.replace("\x00", "")[:length] if isinstance(value, str) else None
