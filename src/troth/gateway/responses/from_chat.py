"""Reads what a vendor that speaks chat/completions answers to a translated request: a completion, or its chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from troth.gateway import answers
from troth.gateway.responses.moves import Closed, Ended, Move, Opened, Part, Said

_MESSAGE, _REASONING = "message", "reasoning"
# Members of a delta, and what they are in a response.
_TEXTS: tuple[tuple[str, str, Part], ...] = (
    ("reasoning_content", _REASONING, "reasoning_text"),
    ("content", _MESSAGE, "output_text"),
    ("refusal", _MESSAGE, "refusal"),
)
_SHORT = {"length": "max_output_tokens", "content_filter": "content_filter"}
_KINDS = {"function": "function_call", "custom": "custom_tool_call"}


def whole(answer: dict[str, Any]) -> Iterator[Move]:
    """The moves of a completion of one choice."""
    reader = ChatChunks()
    choice = answers.members(next(iter(answers.entries(answer.get("choices"), 1)), None))
    message = answers.members(choice.get("message"))
    made = answers.entries(message.get("tool_calls") or [], answers.MAX_TOOL_CALLS)
    calls = [answers.members(one) | {"index": number} for number, one in enumerate(made)]
    texts = {name: message.get(name) for name, _, _ in _TEXTS if message.get(name) is not None}
    delta = {"role": message.get("role"), "tool_calls": calls} | texts
    yield from reader.moves({"choices": [choice | {"delta": delta}], "usage": answer.get("usage")})
    yield from reader.rest()


class ChatChunks:
    """The moves of a stream of chunks. A message has the refusal as its second text, as the official API has it."""

    def __init__(self) -> None:
        self._open: dict[str | int, tuple[str, ...]] = {}
        self._short: str | None = None
        self._usage: dict[str, Any] | None = None

    def moves(self, chunk: dict[str, Any]) -> Iterator[Move]:
        """What one chunk says."""
        self._usage = answers.response_usage(chunk.get("usage")) or self._usage
        for one in answers.entries(chunk.get("choices", []), 1):
            choice = answers.members(one)
            delta = answers.members(choice.get("delta") or {})
            yield from self._texts(delta, answers.logprobs(choice.get("logprobs")))
            for call in answers.entries(delta.get("tool_calls") or [], answers.MAX_TOOL_CALLS):
                yield from self._call(call)
            self._short = _SHORT.get(answers.finish_reason(choice.get("finish_reason")) or "", self._short)

    def rest(self) -> Iterator[Move]:
        """How it ended: a chat stream says so only by ending."""
        for item in self._open:
            yield Closed(item)
        yield Ended(cast(Any, self._short), self._usage)

    def _texts(self, delta: dict[str, Any], logprobs: dict[str, Any] | None) -> Iterator[Move]:
        told = answers.texts(delta)
        for name, item, part in _TEXTS:
            text = told.get(name)
            if text is None or (not text and item not in self._open):
                continue
            if item not in self._open:
                self._open[item] = ()
                yield Opened(item, cast(Any, item))
            tokens = (logprobs or {}).get("refusal" if part == "refusal" else "content") or []
            yield Said(item, part, text, int(part == "refusal"), () if part == "reasoning_text" else tuple(tokens))

    def _call(self, value: Any) -> Iterator[Move]:
        call = answers.tool_call(value)
        at = answers.position(value.get("index", 0), answers.MAX_TOOL_CALLS)
        kind = next((one for one in _KINDS if one in call), None)
        if kind is None:
            return
        name, identity = call[kind].get("name"), call.get("id")
        if at not in self._open:
            if name is None or identity is None:
                raise answers.misshapen()
            self._open[at] = (kind, name, identity)
            yield Opened(at, cast(Any, _KINDS[kind]), identity, name)
        known = self._open[at]
        if known[0] != kind or name not in (None, known[1]) or identity not in (None, known[2]):
            raise answers.misshapen()
        part = answers.PARTS[kind]
        if call[kind].get(part) is not None:
            yield Said(at, cast(Part, part), call[kind][part])
