"""What a file must be for its purpose: OpenAI's purposes, each with the kinds and the shape of lines that it takes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from troth.gateway.intake.admitted import Admitted, Limits
from troth.gateway.intake.kinds import IMAGES
from troth.kernel.errors import Invalid, TooLarge, UnsupportedMedia

JSON_LINES: Final = "application/x-ndjson"
_MAX_ID: Final = 512  # characters of a `custom_id`
_BATCH_PATHS: Final = frozenset(
    {
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/responses",
        "/v1/moderations",
        "/v1/images/generations",
        "/v1/images/edits",
    }
)
_KINDS: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "vision": (IMAGES, "Files for vision are pictures: PNG, JPEG or WebP."),
    "fine-tune": (frozenset({JSON_LINES}), "Files for fine-tune are JSON Lines (.jsonl)."),
    "batch": (frozenset({JSON_LINES}), "Files for batch are JSON Lines (.jsonl)."),
    "evals": (frozenset({JSON_LINES}), "Files for evals are JSON Lines (.jsonl)."),
}


def reads_lines(purpose: str) -> bool:
    """True when `require_fit` reads each line of a file of JSON Lines for this purpose."""
    return purpose in _LINES


def require_fit(admitted: Admitted, purpose: str, limits: Limits) -> None:
    """Returns when the file fits its purpose; `assistants` and `user_data` take whatever was admitted.

    Raises `UnsupportedMedia` (`wrong-for-purpose`), `Invalid` (`broken-line`), `TooLarge` (`too-many-lines`,
    `json-too-large`). Lines are read one at a time; each is at most `limits.max_json_bytes`.
    """
    kinds, advice = _KINDS.get(purpose, (None, ""))
    if kinds is None:
        return
    if admitted.media_type not in kinds:
        raise UnsupportedMedia(advice, code="wrong-for-purpose")
    if admitted.media_type == JSON_LINES:
        _lines(admitted.content, _LINES[purpose](), limits)


def _lines(content: bytes, judge: Callable[[dict[str, Any]], str | None], limits: Limits) -> None:
    count = 0
    for number, line in enumerate(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), start=1):
        if not line.strip():
            continue
        count += 1
        if count > limits.max_lines:
            raise TooLarge(f"The file has more than {limits.max_lines} lines: split it.", code="too-many-lines")
        value = _object(line, number, limits)
        wrong = judge(value)
        if wrong is not None:
            raise Invalid(f"Line {number} {wrong}.", code="broken-line")
    if not count:
        raise Invalid("The file has no line: write one JSON object a line.", code="broken-line")


def _object(line: bytes, number: int, limits: Limits) -> dict[str, Any]:
    """Raises `Invalid`: no object, or a name twice, which two readers would read in two ways (RFC 8259 section 4)."""
    if len(line) > limits.max_json_bytes:
        raise TooLarge(f"Line {number} is larger than {limits.max_json_bytes // 1024} KiB.", code="json-too-large")
    try:
        value = json.loads(line, object_pairs_hook=_once, parse_int=len, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"Line {number} is no JSON object, or has a name twice.", code="broken-line") from error
    if not isinstance(value, dict):
        raise Invalid(f"Line {number} must be a JSON object in braces.", code="broken-line")
    return value


def _refuse(_: str) -> None:
    raise ValueError  # NaN and Infinity are not JSON (RFC 8259 section 6)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _batch() -> Callable[[dict[str, Any]], str | None]:
    """Requests to be run later: where they go is read here, before anybody relies on it."""
    seen: set[str] = set()

    def judge(value: dict[str, Any]) -> str | None:
        name = value.get("custom_id")
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_ID or name in seen:
            return "needs a custom_id of its own (text)"
        seen.add(name)
        if value.get("method") != "POST" or value.get("url") not in _BATCH_PATHS:
            return 'needs "method": "POST" and the url of an endpoint that batches serve'
        return None if isinstance(value.get("body"), dict) else "needs a body, a JSON object"

    return judge


def _fine_tune() -> Callable[[dict[str, Any]], str | None]:
    """Conversations, preferences, or prompts with completions."""

    def judge(value: dict[str, Any]) -> str | None:
        if "messages" in value:
            return None if _messages(value["messages"]) else "needs messages, a list of objects with a role each"
        if "preferred_output" in value:
            whole = all(_messages(value.get(name)) for name in ("preferred_output", "non_preferred_output"))
            return None if whole and isinstance(value.get("input"), dict) else "is no whole preference"
        texts = all(isinstance(value.get(name), str) for name in ("prompt", "completion"))
        return None if texts else "needs messages, or prompt and completion, or a preference"

    return judge


def _messages(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and isinstance(one.get("role"), str) for one in value)
    )


def _evals() -> Callable[[dict[str, Any]], str | None]:
    return lambda _: None


_LINES: Final[Mapping[str, Callable[[], Callable[[dict[str, Any]], str | None]]]] = {
    "batch": _batch,
    "fine-tune": _fine_tune,
    "evals": _evals,
}
