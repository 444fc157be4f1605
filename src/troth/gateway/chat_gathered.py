"""A streamed answer gathered into one, for a caller who asked to keep it: of the chunks as the caller saw them."""

from __future__ import annotations

from typing import Any

from troth.gateway.answers import PARTS, TEXTS
from troth.gateway.wire.chat import Completion


class Gathered:
    """Chunks in, one completion out. Nothing of it was not restored and moderated before."""

    def __init__(self) -> None:
        self._choices: dict[int, dict[str, Any]] = {}
        self._calls: dict[tuple[int, int], dict[str, Any]] = {}
        self._frame: dict[str, Any] = {}
        self._usage: dict[str, Any] | None = None

    def add(self, chunk: dict[str, Any]) -> None:
        """One more chunk."""
        self._frame = self._frame or {name: chunk[name] for name in ("id", "created", "model")}
        self._usage = chunk.get("usage") or self._usage
        for one in chunk["choices"]:
            empty = {"message": {"role": "assistant", "content": None, "refusal": None}, "finish_reason": None}
            choice = self._choices.setdefault(one["index"], {"index": one["index"]} | empty)
            choice["finish_reason"] = one["finish_reason"] or choice["finish_reason"]
            self._say(choice["message"], one["index"], one["delta"])

    def completion(self) -> Completion:
        """What came, as if it had come at once."""
        return Completion(**self._frame, choices=[self._choices[n] for n in sorted(self._choices)], usage=self._usage)

    def _say(self, message: dict[str, Any], index: int, delta: dict[str, Any]) -> None:
        for name in TEXTS:
            if delta.get(name) is not None:
                message[name] = (message.get(name) or "") + delta[name]
        for piece in delta.get("tool_calls", []):
            call = self._calls.get((index, piece["index"]))
            if call is None:
                call = self._calls[index, piece["index"]] = {}
                message.setdefault("tool_calls", []).append(call)
            call.update({name: piece[name] for name in ("id", "type") if name in piece})
            for kind, text in PARTS.items():
                if kind in piece:
                    part = call.setdefault(kind, {text: ""})
                    part.update({"name": piece[kind]["name"]} if "name" in piece[kind] else {})
                    part[text] += piece[kind].get(text) or ""
