"""Reads what a vendor that speaks /v1/responses answers: a whole response, or its events one by one.

What a text says is taken from where it comes first: a text that came in pieces is not read again from the events that
repeat it whole. Unknown events and items are dropped. Raises `VendorFailed` for known ones out of shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from troth.gateway import answers
from troth.gateway.responses.moves import MAX_ITEMS, MAX_PARTS, PARTS, Closed, Ended, Kind, Move, Opened, Part, Said
from troth.kernel.errors import VendorFailed

_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
_LISTS = {"message": ("content",), "reasoning": ("summary", "content")}
_MEMBER = {"refusal": "refusal"}  # of a part, and the member that holds its text; `text` otherwise
# Event -> the text it tells a piece of, and the member with its number.
_DELTAS: dict[str, tuple[Part, str]] = {
    "response.output_text.delta": ("output_text", "content_index"),
    "response.refusal.delta": ("refusal", "content_index"),
    "response.function_call_arguments.delta": ("arguments", ""),
    "response.custom_tool_call_input.delta": ("input", ""),
    "response.reasoning_summary_text.delta": ("summary_text", "summary_index"),
    "response.reasoning_text.delta": ("reasoning_text", "content_index"),
}
_ENDS = frozenset({"response.completed", "response.incomplete"})
_FAILED = frozenset({"response.failed", "error"})
_SHORT = {"max_output_tokens", "content_filter"}


def whole(answer: dict[str, Any]) -> Iterator[Move]:
    """The moves of a response that came in one piece."""
    if answer.get("status") not in ("completed", "incomplete", None):
        raise _failed()
    for number, item in enumerate(answers.entries(answer.get("output"), MAX_ITEMS)):
        yield from _item(number, item, frozenset())
    yield _ended(answer)


class NativeEvents:
    """The moves of a stream; keeps which texts were told in pieces, no text."""

    def __init__(self) -> None:
        self._open: dict[int, Kind] = {}
        self._told: set[tuple[int, Part, int]] = set()

    def moves(self, event: dict[str, Any]) -> Iterator[Move]:
        """What one event says."""
        name = event.get("type")
        if name in _FAILED:
            raise _failed()
        if name in _DELTAS:
            yield self._said(event, *_DELTAS[name])
        elif name == "response.output_item.added":
            yield from self._opened(event)
        elif name == "response.output_item.done":
            yield from self._closed(event)
        elif name in _ENDS:
            yield _ended(answers.members(event.get("response")))

    def _opened(self, event: dict[str, Any]) -> Iterator[Move]:
        number, item = _number(event), answers.members(event.get("item"))
        kind = _kind(item)
        if kind is not None and number not in self._open:
            self._open[number] = kind
            yield _opening(number, kind, item)

    def _said(self, event: dict[str, Any], part: Part, member: str) -> Said:
        number, at = _number(event), answers.position(event.get(member, 0), MAX_PARTS) if member else 0
        kind = self._open.get(number)
        if kind is None or part not in PARTS[kind] or not isinstance(event.get("delta"), str):
            raise answers.misshapen()
        self._told.add((number, part, at))
        return Said(number, part, event["delta"], at, _logprobs(event.get("logprobs")))

    def _closed(self, event: dict[str, Any]) -> Iterator[Move]:
        number, item = _number(event), answers.members(event.get("item"))
        if number in self._open:
            known = frozenset((part, at) for one, part, at in self._told if one == number)
            yield from _texts(number, self._open[number], item, known)
            yield Closed(number)
        else:
            yield from _item(number, item, frozenset())


def _item(number: int, value: Any, known: frozenset[tuple[Part, int]]) -> Iterator[Move]:
    item = answers.members(value)
    kind = _kind(item)
    if kind is not None:
        yield _opening(number, kind, item)
        yield from _texts(number, kind, item, known)
        yield Closed(number)


def _kind(item: dict[str, Any]) -> Kind | None:
    kind = item.get("type")
    return kind if isinstance(kind, str) and kind in PARTS else None


def _opening(number: int, kind: Kind, item: dict[str, Any]) -> Opened:
    if kind == "message" and item.get("role", "assistant") != "assistant":
        raise answers.misshapen()
    if kind not in _CALLS:
        return Opened(number, kind)
    return Opened(number, kind, answers.call_id(item.get("call_id")), answers.name(item.get("name")))


def _texts(number: int, kind: Kind, item: dict[str, Any], known: frozenset[tuple[Part, int]]) -> Iterator[Said]:
    """The texts of a whole item that did not come in pieces before."""
    if kind in _CALLS:
        part = cast(Part, _CALLS[kind])
        if (part, 0) not in known:
            yield Said(number, part, _text(item.get(part)))
        return
    for member in _LISTS[kind]:
        for at, one in enumerate(answers.entries(item.get(member) or [], MAX_PARTS)):
            told = answers.members(one)
            named = told.get("type")
            if named in PARTS[kind] and (named, at) not in known:
                text = _text(told.get(_MEMBER.get(named, "text")))
                yield Said(number, named, text, at, _logprobs(told.get("logprobs")))


def _ended(response: dict[str, Any]) -> Ended:
    details = response.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, dict) else None
    return Ended(reason if reason in _SHORT else None, answers.response_usage(response.get("usage")))


def _number(event: dict[str, Any]) -> int:
    return answers.position(event.get("output_index"), MAX_ITEMS)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise answers.misshapen()
    return value


def _logprobs(value: Any) -> tuple[dict[str, Any], ...]:
    return tuple(answers.tokens(value)) if value else ()


def _failed() -> VendorFailed:
    return VendorFailed("The vendor could not finish this answer; try again later.", code="vendor-failed")
