"""From a vendor's moves to what the caller sees: events with the caller's own text put back, and the whole response.

Everything that repeats a text (`...done`, `response.completed`) is made here of what was given out, so that nothing
goes on that was not restored and moderated. Items have ids of our own. Text is held back only while its end may be the
beginning of a placeholder; a piece of the vendor's is an event of ours even when nothing of it can be told yet.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from troth.gateway import answers
from troth.gateway.moderation import Moderator, StreamModerator
from troth.gateway.redaction import Redaction
from troth.gateway.responses import picture_tool
from troth.gateway.responses.moves import MAX_ITEMS, MAX_PARTS, Closed, Ended, Kind, Move, Opened, Part, Said
from troth.gateway.restoring import StreamedText, unescaped

Event = dict[str, Any]
_ESCAPED = 6  # signs of `\u0041`
_IDS: dict[Kind, str] = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc", "reasoning": "rs"}
_PICTURE = "image_generation_call"


@dataclass(frozen=True, slots=True)
class _Shape:
    """How events tell of one kind of text: their noun, its member, and of texts in lists the part and its number."""

    noun: str
    member: str
    part: str = ""
    number: str = ""


_SHAPES: dict[Part, _Shape] = {
    "output_text": _Shape("output_text", "text", "content_part", "content_index"),
    "refusal": _Shape("refusal", "refusal", "content_part", "content_index"),
    "arguments": _Shape("function_call_arguments", "arguments"),
    "input": _Shape("custom_tool_call_input", "input"),
    "summary_text": _Shape("reasoning_summary_text", "text", "reasoning_summary_part", "summary_index"),
    "reasoning_text": _Shape("reasoning_text", "text", "content_part", "content_index"),
}


@dataclass(slots=True)
class _Text:
    part: Part
    at: int  # among the parts of its list
    restorer: StreamedText
    moderator: StreamModerator
    said: list[str] = field(default_factory=list)
    tokens: list[dict[str, Any]] = field(default_factory=list)
    ranks: dict[int, StreamModerator] = field(default_factory=dict)  # of what tokens say, by rank

    def judge_end(self) -> None:
        """What the classifier has not read yet, before anything tells the whole text."""
        for moderator in (self.moderator, *self.ranks.values()):
            moderator.finish()

    def told(self) -> dict[str, Any]:
        """The part as an item holds it."""
        text = "".join(self.said)
        if self.part == "output_text":
            return {"type": "output_text", "text": text, "annotations": [], "logprobs": list(self.tokens)}
        return {"type": self.part, _SHAPES[self.part].member: text}


@dataclass(slots=True)
class _Item:
    index: int
    opened: Opened
    id: str
    name: str | None
    texts: dict[tuple[Part, int], _Text] = field(default_factory=dict)
    closed: bool = False
    picture: dict[str, Any] | None = None  # of a call for a picture: what is known of it so far

    def told(self, status: str) -> dict[str, Any]:
        """The item as the response holds it."""
        kind, texts = self.opened.kind, list(self.texts.values())
        frame: dict[str, Any] = {"id": self.id, "type": kind}
        if self.picture is not None:
            return {"id": self.id, "type": _PICTURE, "status": "generating", "result": None} | self.picture
        if kind == "message":
            return frame | {"role": "assistant", "status": status, "content": [one.told() for one in texts]}
        if kind == "reasoning":
            summary = [one.told() for one in texts if one.part == "summary_text"]
            content = [one.told() for one in texts if one.part == "reasoning_text"]
            return frame | {"summary": summary} | ({"content": content} if content else {})
        member: Part = "arguments" if kind == "function_call" else "input"
        said = next(("".join(one.said) for one in texts), "")
        call = {"call_id": self.opened.call, "name": self.name, member: said}
        return frame | call | ({"status": status} if kind == "function_call" else {})


@dataclass(frozen=True, slots=True)
class Order:
    """A picture that the model asks for, with the caller's own text put back."""

    item: str  # its id
    index: int
    prompt: str


class ResponseRelay:
    """One response. Raises `VendorFailed` for moves out of order, `Denied` when moderation stops a text.

    `frame`: what the response says of its request. `json_text`: the caller asked for JSON. `pictures`: how many calls
    of the picture tool become `orders`; with orders the end is told by `end`, once they were made.
    """

    def __init__(
        self,
        redaction: Redaction,
        moderator: Moderator,
        frame: dict[str, Any],
        *,
        json_text: bool = False,
        pictures: int = 0,
    ) -> None:
        self.orders: list[Order] = []
        self._pictures = pictures
        self._redaction = redaction
        self._moderator = moderator
        self._frame = frame
        self._json: set[Part] = {"arguments", "output_text"} if json_text else {"arguments"}
        self._items: dict[Hashable, _Item] = {}
        self._number = 0
        self._ending: Ended | None = None

    def begin(self) -> Iterator[Event]:
        """What a stream begins with."""
        for name in ("response.created", "response.in_progress"):
            yield self._event(name, response=self.response("in_progress"))

    def events(self, move: Move) -> Iterator[Event]:
        """What the caller may see of one move."""
        if isinstance(move, Opened):
            yield from self._open(move)
        elif isinstance(move, Said):
            yield from self._say(self._of(move.item), move)
        elif isinstance(move, Closed):
            yield from self._close(self._of(move.item))
        else:
            self._ending = move
            for item in self._items.values():
                if not item.closed:
                    yield from self._close(item)
            if not self.orders:
                yield self.end()

    def end(self) -> Event:
        """The last event, with the whole response."""
        made = self.response()
        return self._event(f"response.{made['status']}", response=made)

    def drawing(self, order: Order, what: str, **members: Any) -> Event:
        """An event of a picture on its way: `generating`, or `partial_image` with its members."""
        return self._event(f"response.{_PICTURE}.{what}", item_id=order.item, output_index=order.index, **members)

    def drawn(self, order: Order, picture: dict[str, Any]) -> Iterator[Event]:
        """The finished picture: `result` in base64, and what is known of it."""
        item = next(one for one in self._items.values() if one.index == order.index)
        item.picture = {**(item.picture or {}), **picture, "status": "completed"}
        yield self.drawing(order, "completed")
        yield self._event("response.output_item.done", output_index=item.index, item=item.told("completed"))

    def response(self, status: str | None = None) -> dict[str, Any]:
        """The response as far as it is told; `status` for one that goes on."""
        ending = self._ending or Ended()
        if status is None:
            status = "incomplete" if ending.short_of else "completed"
        details = {"incomplete_details": {"reason": ending.short_of}} if ending.short_of else {}
        done = {"completed_at": int(time.time())} if status == "completed" else {}
        output = [one.told(self._status(one)) for one in self._items.values()]
        return self._frame | {"status": status, "output": output, "usage": ending.usage} | details | done

    def _open(self, move: Opened) -> Iterator[Event]:
        if move.item in self._items or len(self._items) >= MAX_ITEMS or self._ending:
            raise answers.misshapen()
        index, name = len(self._items), move.name
        if name is not None:
            name = self._redaction.restore(name)
            self._moderator.check(name or "")
        draws = self._pictures > 0 and move.kind == "function_call" and name == picture_tool.NAME
        short = "ig" if draws else _IDS[move.kind]
        identifier = f"{short}_{self._frame['id'].rpartition('_')[2]}_{index}"
        item = self._items[move.item] = _Item(index, move, identifier, name, picture={} if draws else None)
        told = item.told("in_progress") | {"status": "in_progress"} if draws else item.told("in_progress")
        yield self._event("response.output_item.added", output_index=index, item=told)
        if draws:
            yield self._event(f"response.{_PICTURE}.in_progress", item_id=identifier, output_index=index)

    def _of(self, name: Hashable) -> _Item:
        item = self._items.get(name)
        if item is None or item.closed:
            raise answers.misshapen()
        return item

    def _say(self, item: _Item, move: Said) -> Iterator[Event]:
        text = item.texts.get((move.part, move.number))
        if item.picture is not None:  # what a picture is asked for by is told with the picture
            text = text or self._begin_text(item, move)
            self._add(text, text.restorer.feed(move.text))
            return
        if text is None:
            text = self._begin_text(item, move)
            yield from self._frame_of(item, text, "added")
        yield self._delta(item, text, text.restorer.feed(move.text), self._tokens(text, move))

    def _begin_text(self, item: _Item, move: Said) -> _Text:
        if len(item.texts) >= MAX_PARTS:
            raise answers.misshapen()
        as_json, number = move.part in self._json, _SHAPES[move.part].number
        moderator = (
            StreamModerator(self._moderator, unescaped, _ESCAPED) if as_json else StreamModerator(self._moderator)
        )
        at = sum(1 for one in item.texts.values() if _SHAPES[one.part].number == number)
        text = _Text(move.part, at, self._redaction.stream(within_json=as_json), moderator)
        item.texts[move.part, move.number] = text
        return text

    def _tokens(self, text: _Text, move: Said) -> list[dict[str, Any]]:
        """Tokens are moderated, never restored: a placeholder is cut into several of them."""
        for rank, said in enumerate(answers.spoken(list(move.logprobs))):
            text.ranks.setdefault(rank, StreamModerator(self._moderator)).check(said)
        tokens = [_with_bytes(one) for one in move.logprobs]
        text.tokens += tokens
        return tokens

    def _add(self, text: _Text, piece: str) -> None:
        text.moderator.check(piece)
        text.said.append(piece)

    def _delta(self, item: _Item, text: _Text, piece: str, tokens: list[dict[str, Any]]) -> Event:
        self._add(text, piece)
        more: dict[str, Any] = {"logprobs": tokens} if text.part == "output_text" else {}
        return self._event(f"response.{_SHAPES[text.part].noun}.delta", **_place(item, text), delta=piece, **more)

    def _close(self, item: _Item) -> Iterator[Event]:
        if item.picture is not None:
            yield from self._ordered(item)
            return
        for text in item.texts.values():
            rest = text.restorer.finish()
            last = [self._delta(item, text, rest, [])] if rest else []
            text.judge_end()
            yield from last
            told, shape = text.told(), _SHAPES[text.part]
            more = {"logprobs": told["logprobs"]} if text.part == "output_text" else {}
            whole = {shape.member: "".join(text.said)}
            yield self._event(f"response.{shape.noun}.done", **_place(item, text), **whole, **more)
            yield from self._frame_of(item, text, "done")
        item.closed = True
        done = item.told(self._status(item))
        yield self._event("response.output_item.done", output_index=item.index, item=done)

    def _ordered(self, item: _Item) -> Iterator[Event]:
        """A call for a picture is whole: an order, or failed where nothing can be made of it."""
        for text in item.texts.values():
            self._add(text, text.restorer.finish())
            text.judge_end()
        item.closed = True
        prompt = picture_tool.prompt_of("".join(said for text in item.texts.values() for said in text.said))
        if prompt is not None and len(self.orders) < self._pictures:
            self.orders.append(Order(item.id, item.index, prompt))
            return
        item.picture = {"status": "failed"}
        yield self._event("response.output_item.done", output_index=item.index, item=item.told("failed"))

    def _frame_of(self, item: _Item, text: _Text, what: str) -> Iterator[Event]:
        shape = _SHAPES[text.part]
        if shape.part:
            yield self._event(f"response.{shape.part}.{what}", **_place(item, text), part=text.told())

    def _status(self, item: _Item) -> str:
        if not item.closed:
            return "in_progress"
        last = item.index == len(self._items) - 1
        return "incomplete" if last and self._ending is not None and self._ending.short_of else "completed"

    def _event(self, name: str, **members: Any) -> Event:
        number, self._number = self._number, self._number + 1
        return {"type": name, "sequence_number": number} | members


def _place(item: _Item, text: _Text) -> dict[str, Any]:
    number = _SHAPES[text.part].number
    return {"item_id": item.id, "output_index": item.index} | ({number: text.at} if number else {})


def _with_bytes(token: dict[str, Any]) -> dict[str, Any]:
    """A token as a response has it: the list of bytes is there and empty, since nobody would read it."""
    lower = [{"token": one["token"], "logprob": one["logprob"], "bytes": []} for one in token["top_logprobs"]]
    return {"token": token["token"], "logprob": token["logprob"], "bytes": [], "top_logprobs": lower}
