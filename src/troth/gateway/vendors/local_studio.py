"""The vendor that is built in: it runs on this machine, keeps nothing, and needs no account."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any, Protocol

from troth.gateway.studio.compose import MAX_SIDE, MIN_SIDE
from troth.gateway.vendors.port import Attachment, Produced
from troth.gateway.vendors.record import ANY, HERE, DueDiligence, Offer, Retention, State, VendorRecord
from troth.kernel.errors import Invalid

IMAGE_MODEL, CHAT_MODEL = "troth-studio-1", "troth-echo-1"
_FOREVER = 2**53 - 1
# Takes the place of review and agreement: the digest of this sentence stands in the record.
STATEMENT = (
    "The local studio is part of Troth, runs in its process and keeps nothing; no third party receives anything."
)
_DIGEST = hashlib.sha256(STATEMENT.encode()).hexdigest()

LOCAL_STUDIO = VendorRecord(
    id="local-studio",
    kind="local-studio",
    state=State.APPROVED,
    requested_by="shipped",
    approved_by="shipped",
    facts=DueDiligence(
        name="Troth local studio",
        base_url="http://localhost",
        offers=(
            Offer(model=IMAGE_MODEL, upstream=IMAGE_MODEL, kind="image"),
            Offer(model=CHAT_MODEL, upstream=CHAT_MODEL, kind="chat"),
        ),
        review=_DIGEST,
        review_expires=_FOREVER,
        agreement=_DIGEST,
        agreement_ends=_FOREVER,
        retention=Retention.ZERO,
        jurisdictions=(ANY,),
        regions=(HERE,),
        moderation="gateway-rules",
        raw_images=True,
    ),
)


class Made(Protocol):
    """A picture (PNG) and one sentence that says how it was made."""

    @property
    def png(self) -> bytes: ...

    @property
    def description(self) -> str: ...


class Composer(Protocol):
    """`studio.compose.compose`: the same prompt, size and seed give the same picture."""

    def __call__(self, prompt: str, width: int, height: int, seed: int) -> Made: ...


class Editor(Protocol):
    """`studio.edit.apply`: a clean picture changed; `mask` is a PNG or None."""

    def __call__(self, image: bytes, prompt: str, mask: bytes | None, width: int, height: int) -> Made: ...


Responder = Callable[[Sequence[Any]], Iterator[str]]


class LocalStudio:
    """Implements `port.Vendor`. `placeholders` finds redaction placeholders: they are not drawn into pictures."""

    def __init__(self, compose: Composer, edit: Editor, answer: Responder, placeholders: re.Pattern[str]) -> None:
        self._compose = compose
        self._edit = edit
        self._answer = answer
        self._placeholders = placeholders

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A chat.completion; token counts are counts of words."""
        pieces = await asyncio.to_thread(lambda: list(self._answer(payload["messages"])))
        text = "".join(pieces)
        message = {"role": "assistant", "content": text, "refusal": None}
        choices = [
            {"index": n, "message": message, "finish_reason": "stop", "logprobs": None}
            for n in range(payload.get("n", 1))
        ]
        return {"created": int(time.time()), "choices": choices, "usage": _usage(payload, text)}

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The same piece by piece."""
        pieces = await asyncio.to_thread(lambda: list(self._answer(payload["messages"])))
        created, choices = int(time.time()), range(payload.get("n", 1))
        for n in choices:
            yield _chunk(created, n, {"role": "assistant", "content": ""}, None)
        for piece in pieces:
            for n in choices:
                yield _chunk(created, n, {"content": piece}, None)
            await asyncio.sleep(0)
        for n in choices:
            yield _chunk(created, n, {}, "stop")
        if (payload.get("stream_options") or {}).get("include_usage"):
            yield {"created": created, "choices": [], "usage": _usage(payload, "".join(pieces))}

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """Posters, patterns and layouts drawn from the prompt: the same prompt gives the same pictures."""
        width, height = _size(payload.get("size"))
        prompt = self._drawable(payload["prompt"])
        seeds = [_seed(prompt, n) for n in range(payload.get("n", 1))]
        made = [await asyncio.to_thread(self._compose, prompt, width, height, seed) for seed in seeds]
        return [Produced(picture.png, picture.description) for picture in made]

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """The first picture changed as the prompt says."""
        if len(images) > 1:
            raise Invalid("The local studio edits one picture at a time; send one.", code="one-picture", field="image")
        width, height = _fitting(images[0]) if payload.get("size") in (None, "auto") else _size(payload["size"])
        covered = mask.content if mask else None
        prompt = self._drawable(payload["prompt"])
        made = await asyncio.to_thread(self._edit, images[0].content, prompt, covered, width, height)
        return [Produced(made.png, made.description) for _ in range(payload.get("n", 1))]

    def _drawable(self, prompt: str) -> str:
        return " ".join(self._placeholders.sub(" ", prompt).split()) or "untitled"


def _size(text: str | None) -> tuple[int, int]:
    if text is None or text == "auto":
        return 1024, 1024
    width, height = (int(side) for side in text.split("x"))
    return width, height  # the studio refuses what it cannot draw


def _fitting(picture: Attachment) -> tuple[int, int]:
    """The picture's own size, made smaller or larger only as far as the studio's bounds ask."""
    longest = max(picture.width, picture.height)
    scale = min(1.0, MAX_SIDE / longest)
    return max(MIN_SIDE, round(picture.width * scale)), max(MIN_SIDE, round(picture.height * scale))


def _seed(prompt: str, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{number}:{prompt}".encode()).digest()[:4], "big")


def _usage(payload: dict[str, Any], text: str) -> dict[str, int]:
    read = sum(len(str(message.get("content", "")).split()) for message in payload["messages"])
    written = len(text.split())
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _chunk(created: int, index: int, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"created": created, "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}
