"""How much a request will use, by estimate, and how much it used, by what the vendor said and sent."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

from troth.gateway.limits.rules import Kind
from troth.gateway.redaction import Cleared
from troth.gateway.vendors.port import NOTHING_DONE, Produced, Vendor
from troth.kernel.errors import TrothError, VendorFailed

_BYTES_A_TOKEN = 3  # English has some four, Chinese three for a token
_TOKENS_OUT = 1024  # of a choice whose request sets no limit
_PICTURE_TOKENS = 1000
_VIDEO_SECONDS = 4
_MOST_TOKENS = 1 << 31  # a vendor that counts more talks nonsense
_OUT = ("max_completion_tokens", "max_tokens", "max_output_tokens")
_IN, _CAME = ("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")


@dataclass(frozen=True, slots=True)
class Estimate:
    """Amounts of one request. `seconds` of video."""

    tokens_in: int = 0
    tokens_out: int = 0
    images: int = 0
    seconds: int = 0
    bytes: int = 0
    requests: int = 1

    def of(self, kind: Kind, money: int) -> int:
        """How much of one kind; `money` in millionths."""
        amounts = {
            Kind.REQUESTS: self.requests,
            Kind.TOKENS: self.tokens_in + self.tokens_out,
            Kind.IMAGES: self.images,
            Kind.SECONDS: self.seconds,
            Kind.BYTES: self.bytes,
            Kind.MONEY: money,
            Kind.RUNNING: 1,
        }
        return amounts[kind]


def estimated(
    kind: str, payload: dict[str, Any], attached: int = 0, *, constants: frozenset[str] | None = None
) -> Estimate:
    """Of a payload in OpenAI's format; `attached` bytes travel beside it.

    `constants`: names of members that are the API's own. All others count like texts: a tool may be described by them.
    Where several members say how much may come out, the most counts: vendors differ in which they heed.
    """
    texts = list(_texts(payload) if constants is None else _all_texts(payload, constants))
    pictures = [one for one in texts if isinstance(one, Cleared)]
    written = sum(len(one.encode("utf-8", "replace")) for one in texts) - sum(map(len, pictures))
    choices = _number(payload.get("n")) or 1
    out = (max(_number(payload.get(name)) for name in _OUT) or _TOKENS_OUT) * choices
    return Estimate(
        tokens_in=-(-written // _BYTES_A_TOKEN) + _PICTURE_TOKENS * len(pictures),
        tokens_out=out if kind == "chat" else 0,
        images=choices if kind == "image" else 0,
        seconds=(_number(payload.get("seconds")) or _VIDEO_SECONDS) if kind == "video" else 0,
        bytes=written + sum(map(len, pictures)) + attached,
    )


def brought(size: int, *, words: bool = False) -> Estimate:
    """Of so many bytes that are looked at here; where they are `words`, they are tokens too."""
    return Estimate(tokens_in=-(-size // _BYTES_A_TOKEN) if words else 0, bytes=size)


def shown(texts: Iterable[str], pictures: Sequence[str]) -> Estimate:
    """Of texts, and pictures in base64, that are judged here."""
    words = brought(sum(len(one.encode("utf-8", "replace")) for one in texts), words=True)
    tokens, size = _PICTURE_TOKENS * len(pictures), sum(map(len, pictures))
    return replace(words, tokens_in=words.tokens_in + tokens, bytes=words.bytes + size)


class Came:
    """What came of a request: by the vendor's own count of tokens where it gives one, else by the text that came.

    What was sent and did not come to its end costs what was estimated, but for text that streams: of that, what came.
    """

    def __init__(self, asked: Estimate | None = None) -> None:
        self._asked = asked or Estimate()
        self._in = self._out = self._images = self._spoken = self._bytes = 0
        self._began = self._sent = self._ended = False

    def used(self) -> Estimate:
        """All of it so far; nothing but the request while a vendor did nothing."""
        if not self._sent and not self._began:
            return Estimate()
        asked = self._asked
        out, images = self._out or -(-self._spoken // _BYTES_A_TOKEN), self._images
        if self._sent and not self._ended:
            out, images = out or asked.tokens_out, max(images, asked.images)
        return Estimate(self._in or asked.tokens_in, out, images, asked.seconds, asked.bytes + self._bytes)

    def sent(self) -> None:
        """The request is on its way: who leaves now has used what was estimated."""
        self._sent = True

    def ended(self) -> None:
        """The answer came to its end: from here on it alone counts."""
        self._ended = True

    def refused(self, refusal: TrothError) -> None:
        """It failed. Before anything came, a refusal of ours, or one that says so, means that nothing was done."""
        if not isinstance(refusal, VendorFailed) or refusal.code in NOTHING_DONE:
            self._sent = False

    def see(self, answer: Any) -> None:
        """An answer or a piece of one, in whatever shape the port gives it."""
        self._began = True
        if isinstance(answer, dict):
            response = answer.get("response")
            self._count(answer.get("usage") or (response.get("usage") if isinstance(response, dict) else None))
            said = sum(len(one.encode("utf-8", "replace")) for one in _spoken(answer))
            self._spoken, self._bytes = self._spoken + said, self._bytes + said
        elif isinstance(answer, Produced):
            self._images, self._bytes = self._images + 1, self._bytes + len(answer.content)
        elif isinstance(answer, list):
            for one in answer:
                self.see(one)

    def _count(self, usage: Any) -> None:
        if not isinstance(usage, dict):
            return
        for names, place in ((_IN, "_in"), (_CAME, "_out")):
            value = next((usage[one] for one in names if one in usage), None)
            if type(value) is int and 0 < value < _MOST_TOKENS:
                setattr(self, place, max(getattr(self, place), value))


class _Counted:
    """Any port, with its answers seen on their way."""

    def __init__(self, port: Vendor, came: Came) -> None:
        self._port = port
        self._came = came

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._port, name)

        def ask(*values: Any, **named: Any) -> Any:
            told = method(*values, **named)
            streamed: bool = inspect.isasyncgen(told)
            return self._streamed(told) if streamed else self._whole(told)

        return ask

    async def _whole(self, told: Awaitable[Any]) -> Any:
        with self._asking():
            answer = await told
            self._came.see(answer)
        return answer

    async def _streamed(self, told: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        with self._asking():
            async with aclosing(told) as pieces:
                async for piece in pieces:
                    self._came.see(piece)
                    yield piece

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self._came.sent()
        try:
            yield
        except TrothError as refusal:
            self._came.refused(refusal)
            raise
        self._came.ended()


def counted(port: Vendor, came: Came) -> Vendor:
    """The port, whose answers `came` sees."""
    return cast("Vendor", _Counted(port, came))


def _number(value: Any) -> int:
    """What a member says, as a number above zero; video lengths are written as text."""
    if isinstance(value, str) and value.isdecimal() and len(value) < 10:
        value = int(value)
    return value if type(value) is int and value > 0 else 0


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _all_texts(value: Any, constants: frozenset[str]) -> Iterator[str]:
    """Texts, names of members and numbers within what is free."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key in constants:
                yield from _all_texts(one, constants) if not isinstance(one, int | float) else ()
            else:
                yield key
                yield from _all_texts(one, constants)
    elif isinstance(value, list):
        for one in value:
            yield from _all_texts(one, constants)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _spoken(answer: dict[str, Any]) -> Iterator[str]:
    """The texts of an answer or a chunk."""
    for choice in answer.get("choices") or []:
        if isinstance(choice, dict):
            yield from _texts(choice.get("message") or choice.get("delta"))
    yield from _texts(answer.get("delta"))
    yield from _texts(answer.get("output"))
