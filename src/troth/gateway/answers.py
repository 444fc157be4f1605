"""What of a vendor's answer goes on: named members of named types. Others are dropped, wrong ones refused.

Every member that can hold free text is returned by these functions as text to restore and to moderate; numbers are
bounded, enumerations are checked. `VendorFailed` (vendor-bad-answer) is the only thing raised.
"""

from __future__ import annotations

import re
from typing import Any

from troth.gateway.restoring import well_formed
from troth.kernel.errors import VendorFailed

MAX_CHOICES = 16
MAX_TOOL_CALLS = 128
MAX_COUNT = 2**53 - 1  # what JSON readers hold exactly
TEXTS = ("content", "refusal", "reasoning_content")
PARTS = {"function": "arguments", "custom": "input"}  # of a tool call, and the text in each
_FINISH = frozenset("stop length tool_calls content_filter function_call".split())
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_DETAILS = {
    "prompt_tokens_details": ("cached_tokens", "audio_tokens"),
    "completion_tokens_details": (
        "reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens",
    ),
}  # fmt: skip
_ID = re.compile(r"[\x21-\x7e]{1,128}\Z")
_TYPE = re.compile(r"(function|custom)\Z")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_MAX_TOKENS = 100_000  # with probabilities, in one answer or chunk
_MAX_TOP = 20
_LEAST = -9999.0  # what OpenAI's API gives for a token that could not have come


def members(value: Any) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise misshapen()
    return value


def entries(value: Any, limit: int) -> list[Any]:
    """A JSON array of at most `limit` values."""
    if not isinstance(value, list) or len(value) > limit:
        raise misshapen()
    return value


def position(value: Any, limit: int) -> int:
    """An index below `limit`."""
    if type(value) is not int or not 0 <= value < limit:
        raise misshapen()
    return value


def texts(message: dict[str, Any]) -> dict[str, str | None]:
    """The members of a message or a delta that are text or null."""
    role = message.get("role")
    if role not in (None, "", "assistant"):
        raise misshapen()
    return {name: _text(message[name]) for name in TEXTS if name in message}


def tool_call(value: Any) -> dict[str, Any]:
    """A tool call or a piece of one: `id`, `type`, and `function` or `custom` with `name` and its text."""
    call = members(value)
    given: dict[str, Any] = {}
    for name, shape in (("id", _ID), ("type", _TYPE)):
        if call.get(name):
            given[name] = _shaped(call[name], shape)
    for kind, text in PARTS.items():
        if call.get(kind) is None:
            continue
        part = members(call[kind])
        kept: dict[str, str | None] = {}
        if part.get("name"):
            kept["name"] = _shaped(part["name"], _NAME)
        if part.get(text) is not None:
            kept[text] = _text(part[text])
        given[kind] = kept
    return given


def finish_reason(value: Any) -> str | None:
    """One of OpenAI's reasons, or null while there is none."""
    if value is not None and (not isinstance(value, str) or value not in _FINISH):
        raise misshapen()
    return value


def usage(value: Any) -> dict[str, Any] | None:
    """The counts of tokens."""
    if not isinstance(value, dict):
        return None
    given: dict[str, Any] = _counts(value, _COUNTS)
    for name, counts in _DETAILS.items():
        if isinstance(value.get(name), dict):
            given[name] = _counts(value[name], counts)
    return given


def response_usage(value: Any) -> dict[str, Any] | None:
    """The counts of a response, of either API's names: `input_tokens`, `output_tokens`, `total_tokens` and details."""
    if not isinstance(value, dict):
        return None
    read, written = _count(value, "input_tokens", "prompt_tokens"), _count(value, "output_tokens", "completion_tokens")
    inner = {name: value[name] for name in value if name.endswith("_details") and isinstance(value[name], dict)}
    before = inner.get("input_tokens_details") or inner.get("prompt_tokens_details") or {}
    after = inner.get("output_tokens_details") or inner.get("completion_tokens_details") or {}
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": _count(before, "cached_tokens"), "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": _count(after, "reasoning_tokens")},
        "total_tokens": read + written,
    }


def call_id(value: Any) -> str:
    """The id of a call."""
    return _shaped(value, _ID)


def name(value: Any) -> str:
    """The name of a tool."""
    return _shaped(value, _NAME)


def tokens(value: Any) -> list[dict[str, Any]]:
    """Tokens with their probabilities, as `logprobs` has them."""
    return [_token(one, top=True) for one in entries(value, _MAX_TOKENS)]


def created(value: Any, otherwise: int) -> int:
    """Seconds since the epoch."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else otherwise


def logprobs(value: Any) -> dict[str, Any] | None:
    """Tokens with their probabilities; `bytes` is null, since it would be text that nobody reads."""
    if not value:
        return None
    given = members(value)
    return {member: None if given.get(member) is None else tokens(given[member]) for member in ("content", "refusal")}


def spoken(tokens: list[dict[str, Any]] | None) -> list[str]:
    """What the tokens of `logprobs` say: first those that came, then those of each lower rank."""
    found = tokens or []
    ranks = max((len(one["top_logprobs"]) for one in found), default=0)
    lower = ["".join(one["top_logprobs"][rank]["token"] for one in found if rank < len(one["top_logprobs"]))
             for rank in range(ranks)]  # fmt: skip
    return ["".join(one["token"] for one in found), *lower]


def misshapen() -> VendorFailed:
    """The refusal of an answer out of shape."""
    return VendorFailed("The vendor's answer is not in OpenAI's format; choose another model.",
                        code="vendor-bad-answer")  # fmt: skip


def _token(value: Any, *, top: bool) -> dict[str, Any]:
    one = members(value)
    probability = one.get("logprob")
    if not isinstance(probability, int | float):
        raise misshapen()
    token = {
        "token": well_formed(_text(one.get("token")) or ""),
        "logprob": float(probability) if abs(probability) < MAX_COUNT else _LEAST,
        "bytes": None,
    }
    if top:
        token["top_logprobs"] = [_token(other, top=False) for other in entries(one.get("top_logprobs") or [], _MAX_TOP)]
    return token


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise misshapen()
    return value


def _shaped(value: Any, shape: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not shape.match(value):
        raise misshapen()
    return value


def _count(value: dict[str, Any], *names: str) -> int:
    return next(iter(_counts(value, names).values()), 0)


def _counts(value: dict[str, Any], names: tuple[str, ...]) -> dict[str, int]:
    return {name: value[name] for name in names if type(value.get(name)) is int and 0 <= value[name] <= MAX_COUNT}
