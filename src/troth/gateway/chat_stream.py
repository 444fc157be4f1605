"""A vendor's chunks on their way to the caller: each comes through as one chunk, with the caller's own text put back.

Only the members that `answers` knows go on. Text is held back only while it may be the beginning of a placeholder;
every text of every choice has its own restorer and its own moderator.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from troth.gateway import answers
from troth.gateway.moderation import Moderator, StreamModerator
from troth.gateway.redaction import Redaction
from troth.gateway.restoring import StreamedText, unescaped

Key = tuple[int, str, int]  # choice, field, tool call or rank (-1 for none)
_ARGUMENTS = "function.arguments"
_ESCAPED = 6  # signs of `\u0041`


class ChatRelay:
    """One stream. Raises `VendorFailed` for chunks out of shape, `Denied` when moderation stops the text.

    `json_content`: the caller asked for JSON, so values within `content` come back escaped.
    """

    def __init__(
        self, redaction: Redaction, moderator: Moderator, identifier: str, model: str, *, json_content: bool = False
    ) -> None:
        self._redaction = redaction
        self._moderator = moderator
        self._frame = {"id": identifier, "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
        self._json = {_ARGUMENTS, "content"} if json_content else {_ARGUMENTS}
        self._restorers: dict[Key, StreamedText] = {}
        self._moderators: dict[Key, StreamModerator] = {}
        self._names: dict[Key, str] = {}

    def chunk(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """The chunk as the caller may see it."""
        choices = answers.entries(chunk.get("choices", []), answers.MAX_CHOICES)
        given: dict[str, Any] = {"choices": [self._choice(answers.members(choice)) for choice in choices]}
        usage = answers.usage(chunk.get("usage"))
        return self._frame | given | ({} if usage is None else {"usage": usage})

    def rest(self) -> Iterator[dict[str, Any]]:
        """What a stream that ended without a finish reason still owes."""
        for index in sorted({key[0] for key in self._moderators}):
            delta: dict[str, Any] = {}
            self._flush(index, delta)
            self._judge_end(index)
            if delta:
                yield self._frame | {"choices": [{"index": index, "delta": delta, "finish_reason": None}]}

    def _choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        index = answers.position(choice.get("index", 0), answers.MAX_CHOICES)
        finish = answers.finish_reason(choice.get("finish_reason"))
        delta = self._delta(index, answers.members(choice.get("delta") or {}))
        if finish is not None:
            self._flush(index, delta)
        given = {"index": index, "delta": delta, "finish_reason": finish}
        logprobs = answers.logprobs(choice.get("logprobs"))
        for name, tokens in (logprobs or {}).items():
            for rank, text in enumerate(answers.spoken(tokens)):
                self._judged((index, f"logprobs.{name}", rank), text)
        if finish is not None:
            self._judge_end(index)
        return given | ({"logprobs": logprobs} if logprobs else {})

    def _delta(self, index: int, delta: dict[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {"role": "assistant"} if delta.get("role") else {}
        for name, text in answers.texts(delta).items():
            given[name] = text if text is None else self._feed((index, name, -1), text)
        calls = answers.entries(delta.get("tool_calls") or [], answers.MAX_TOOL_CALLS)
        return given | ({"tool_calls": [self._tool_call(index, one) for one in calls]} if calls else {})

    def _tool_call(self, index: int, value: Any) -> dict[str, Any]:
        call = answers.tool_call(value)
        at = answers.position(value.get("index", 0), answers.MAX_TOOL_CALLS)
        given: dict[str, Any] = {"index": at}
        for name in ("id", "type"):
            given |= self._once((index, name, at), name, call.get(name))
        for kind, text in answers.PARTS.items():
            if kind not in call:
                continue
            given[kind] = self._once((index, f"{kind}.name", at), "name", call[kind].get("name"))
            if call[kind].get(text) is not None:
                given[kind][text] = self._feed((index, f"{kind}.{text}", at), call[kind][text])
        return given

    def _once(self, key: Key, name: str, value: str | None) -> dict[str, str]:
        """A name goes out whole and once: clients join what comes again, which nobody would have moderated."""
        if value is None or self._names.get(key) == value:
            return {}
        if key in self._names:
            raise answers.misshapen()
        self._names[key] = value
        restored: str = self._redaction.restore(value)
        return {name: self._judged(key, restored)}

    def _feed(self, key: Key, text: str) -> str:
        if key not in self._restorers:
            self._restorers[key] = self._redaction.stream(within_json=key[1] in self._json)
        return self._judged(key, self._restorers[key].feed(text))

    def _flush(self, index: int, delta: dict[str, Any]) -> None:
        """Add to `delta` what the restorers of one choice still hold.

        They stay: text after a finish reason goes on where the text before it ended, perhaps in an address.
        """
        for key, restorer in self._restorers.items():
            _, name, at = key
            rest = self._judged(key, restorer.finish()) if key[0] == index else ""
            if not rest:
                continue
            if at < 0:
                delta[name] = (delta.get(name) or "") + rest
            else:
                kind, _, text = name.partition(".")
                delta.setdefault("tool_calls", []).append({"index": at, kind: {text: rest}})

    def _judge_end(self, index: int) -> None:
        """The end of each text of a choice, which may be too short for the classifier to have read it."""
        for key, moderator in self._moderators.items():
            if key[0] == index:
                moderator.finish()

    def _judged(self, key: Key, text: str) -> str:
        if key not in self._moderators:
            as_json = key[1] in self._json
            self._moderators[key] = (
                StreamModerator(self._moderator, unescaped, _ESCAPED) if as_json else StreamModerator(self._moderator)
            )
        self._moderators[key].check(text)
        return text
