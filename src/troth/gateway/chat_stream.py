"""A vendor's chunks on their way to the caller: each comes through as one chunk, with the caller's own text put back.

Text is held back only while it may be the beginning of a placeholder; every text of every choice has its own restorer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from troth.gateway.moderation import Moderator, StreamModerator
from troth.gateway.redaction import Redaction
from troth.kernel.errors import VendorFailed
from troth.redact.tokens import StreamRestorer

MAX_CHOICES = 16
MAX_TOOL_CALLS = 128
Key = tuple[int, str, int]  # choice, field, tool call (-1 for none)


class ChatRelay:
    """One stream. Raises `VendorFailed` for chunks out of shape, `Denied` when moderation stops the text."""

    def __init__(self, redaction: Redaction, moderator: Moderator, identifier: str, model: str) -> None:
        self._redaction = redaction
        self._moderator = moderator
        self._frame = {"id": identifier, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._restorers: dict[Key, StreamRestorer] = {}
        self._moderators: dict[Key, StreamModerator] = {}

    def chunk(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """The chunk as the caller may see it."""
        choices = chunk.get("choices", [])
        if not isinstance(choices, list):
            raise _misshapen()
        given = {"choices": [self._choice(choice) for choice in choices]}
        if isinstance(chunk.get("usage"), dict):
            given["usage"] = chunk["usage"]
        return self._frame | given

    def rest(self) -> Iterator[dict[str, Any]]:
        """What a stream that ended without a finish reason still owes."""
        for index in sorted({key[0] for key in self._restorers}):
            delta: dict[str, Any] = {}
            self._flush(index, delta)
            if delta:
                yield self._frame | {"choices": [{"index": index, "delta": delta, "finish_reason": None}]}

    def _choice(self, choice: Any) -> dict[str, Any]:
        if not isinstance(choice, dict) or not isinstance(choice.get("delta", {}), dict):
            raise _misshapen()
        index, finish = _position(choice.get("index", 0), MAX_CHOICES), choice.get("finish_reason")
        delta = {name: self._member(index, name, value) for name, value in (choice.get("delta") or {}).items()}
        if finish is not None:
            self._flush(index, delta)
        given = {"index": index, "delta": delta, "finish_reason": finish}
        return given | ({"logprobs": choice["logprobs"]} if choice.get("logprobs") else {})

    def _member(self, index: int, name: str, value: Any) -> Any:
        if name == "role":
            return value
        if name == "tool_calls" and isinstance(value, list):
            return [self._tool_call(index, one) for one in value]
        if isinstance(value, str):
            return self._feed((index, name, -1), value)
        return self._redaction.restore(value)

    def _tool_call(self, index: int, tool_call: Any) -> dict[str, Any]:
        if not isinstance(tool_call, dict):
            raise _misshapen()
        position = _position(tool_call.get("index", 0), MAX_TOOL_CALLS)
        given: dict[str, Any] = self._redaction.restore(tool_call)
        for kind, text in (("function", "arguments"), ("custom", "input")):
            member = tool_call.get(kind)
            if isinstance(member, dict) and isinstance(member.get(text), str):
                given[kind][text] = self._feed((index, f"{kind}.{text}", position), member[text])
        return given

    def _feed(self, key: Key, text: str) -> str:
        if key not in self._restorers:
            self._restorers[key] = self._redaction.stream(within_json=key[1] == "function.arguments")
            self._moderators[key] = StreamModerator(self._moderator)
        return self._judged(key, self._restorers[key].feed(text))

    def _flush(self, index: int, delta: dict[str, Any]) -> None:
        """Add to `delta` what the restorers of one choice still hold."""
        for key in [key for key in self._restorers if key[0] == index]:
            rest = self._judged(key, self._restorers.pop(key).finish())
            _, name, position = key
            if not rest:
                continue
            if position < 0:
                delta[name] = (delta.get(name) or "") + rest
            else:
                kind, _, text = name.partition(".")
                delta.setdefault("tool_calls", []).append({"index": position, kind: {text: rest}})

    def _judged(self, key: Key, text: str) -> str:
        self._moderators[key].check(text)
        return text


def _position(value: Any, limit: int) -> int:
    if not isinstance(value, int) or not 0 <= value < limit:
        raise _misshapen()
    return value


def _misshapen() -> VendorFailed:
    return VendorFailed("The vendor's stream is not in OpenAI's format; choose another model.",
                        code="vendor-bad-answer")  # fmt: skip
