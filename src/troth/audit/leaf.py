"""What a leaf says: canonical JSON (RFC 8785) of a `kernel.record.Entry`. Pure."""

from __future__ import annotations

import json
from typing import Any

_decode = json.JSONDecoder().raw_decode  # canonical JSON has no white space around it to look for


def read_leaf(leaf: bytes) -> dict[str, Any]:
    """The members of a leaf; empty for bytes that are no JSON object, so that nothing can block the log."""
    try:
        text = leaf.decode()
        members, end = _decode(text)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) and end == len(text) else {}


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
    if not isinstance(value, str):
        return None
    return value if len(value) <= length and "\x00" not in value else value.replace("\x00", "")[:length]
