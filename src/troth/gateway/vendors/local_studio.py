"""The vendor that is built in: it runs on this machine, keeps nothing, and needs no account."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import Any

from troth.gateway.studio.calls import demanded
from troth.gateway.studio.vectors import DIMENSIONS, vector
from troth.gateway.vendors.local_media import Composer, Editor, LocalMedia
from troth.gateway.vendors.papers import CLAUSES, Contract, Tier, settled
from troth.gateway.vendors.record import ANY, HERE, DueDiligence, Offer, Retention, State, VendorRecord

IMAGE_MODEL, CHAT_MODEL, EMBEDDING_MODEL = "troth-studio-1", "troth-echo-1", "troth-vectors-1"
VIDEO_MODEL = "troth-motion-1"
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
            Offer(model=VIDEO_MODEL, upstream=VIDEO_MODEL, kind="video"),
            Offer(model=CHAT_MODEL, upstream=CHAT_MODEL, kind="chat"),
            Offer(model=EMBEDDING_MODEL, upstream=EMBEDDING_MODEL, kind="embedding"),
        ),
        review=_DIGEST,
        review_expires=_FOREVER,
        diligence=settled(Tier.BUILT_IN, "shipped", 0, _DIGEST),
        agreement=_DIGEST,
        agreement_ends=_FOREVER,
        contract=Contract(parties=("Troth", "whoever runs it"), clauses=CLAUSES, starts=0),
        retention=Retention.ZERO,
        jurisdictions=(ANY,),
        regions=(HERE,),
        moderation="gateway-rules",
        raw_images=True,
    ),
)


Responder = Callable[[Sequence[Any]], Iterator[str]]


class LocalStudio(LocalMedia):
    """Implements `port.Vendor`: words, numbers and pictures by rules."""

    def __init__(self, compose: Composer, edit: Editor, answer: Responder, placeholders: re.Pattern[str]) -> None:
        super().__init__(compose, edit, placeholders)
        self._answer = answer

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A chat.completion; token counts are counts of words."""
        pieces = await asyncio.to_thread(lambda: list(self._answer(payload["messages"])))
        text = "".join(pieces)
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if calls := demanded(payload):
            message["tool_calls"] = calls
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
        calls = demanded(payload)
        for n in choices:
            yield _chunk(created, n, {"tool_calls": calls} if calls else {}, "stop")
        if (payload.get("stream_options") or {}).get("include_usage"):
            yield {"created": created, "choices": [], "usage": _usage(payload, "".join(pieces))}

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Vectors by feature hashing; token counts are counts of words."""
        given, size = payload["input"], payload.get("dimensions", DIMENSIONS)
        texts = [given] if isinstance(given, str) else given
        made = await asyncio.to_thread(lambda: [vector(text, size) for text in texts])
        words = sum(len(text.split()) for text in texts)
        data = [{"object": "embedding", "index": n, "embedding": one} for n, one in enumerate(made)]
        return {"data": data, "usage": {"prompt_tokens": words, "total_tokens": words}}


def _usage(payload: dict[str, Any], text: str) -> dict[str, int]:
    read = sum(len(str(message.get("content", "")).split()) for message in payload["messages"])
    written = len(text.split())
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _chunk(created: int, index: int, delta: dict[str, Any], finish: str | None) -> dict[str, Any]:
    return {"created": created, "choices": [{"index": index, "delta": delta, "finish_reason": finish}]}
