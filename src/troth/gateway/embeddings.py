"""POST /v1/embeddings: clear -> vendor -> check every number -> answer. A vector holds no text to put back."""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
import sys
from array import array
from typing import Any

from troth.gateway import answers
from troth.gateway.clearance import Clearance, Departure
from troth.gateway.departing import Wanted
from troth.gateway.places import EMBEDDINGS
from troth.gateway.wire.embeddings import MAX_DIMENSIONS, MAX_INPUTS, CreateEmbeddings, Embedding, Embeddings
from troth.kernel.operation import Call


class EmbeddingDesk:
    """Turns texts into vectors. Nothing is kept but the receipt."""

    def __init__(self, clearance: Clearance) -> None:
        self._clearance = clearance

    async def create(self, call: Call, request: CreateEmbeddings) -> Embeddings:
        """One vector for each text."""
        departure = await self._clearance.threads.run(self._clear, call, request)
        async with self._clearance.concluding(departure):
            answer = await departure.port.embeddings(departure.payload)
            made = await asyncio.to_thread(_delivered, departure, request, answer)
            departure.outcome = "answered"
        return made

    def _clear(self, call: Call, request: CreateEmbeddings) -> Departure:
        payload = request.model_dump(mode="json", exclude_none=True) | {"encoding_format": "float"}
        wanted = Wanted("embedding.create", "embedding", request.model, payload, EMBEDDINGS, masked=True)
        return self._clearance.clear(call, wanted)


def _delivered(departure: Departure, request: CreateEmbeddings, answer: dict[str, Any]) -> Embeddings:
    count = 1 if isinstance(request.input, str) else len(request.input)
    vectors = _vectors(answer.get("data"), count)
    packed = request.encoding_format == "base64"
    data = [Embedding(index=n, embedding=_packed(one) if packed else one.tolist()) for n, one in enumerate(vectors)]
    usage = answers.usage(answer.get("usage")) or {}
    counts = {name: usage.get(name, 0) for name in ("prompt_tokens", "total_tokens")}
    return Embeddings(data=data, model=departure.model, usage=counts, request_id=departure.call.request_id)


def _vectors(data: Any, count: int) -> list[array[float]]:
    """As many vectors as texts, each at its place, all of one length. Raises `VendorFailed` for anything else."""
    found: dict[int, array[float]] = {}
    for one in answers.entries(data, MAX_INPUTS):
        given = answers.members(one)
        found[answers.position(given.get("index"), count)] = _numbers(given.get("embedding"))
    if len(found) != count or len({len(one) for one in found.values()}) != 1:
        raise answers.misshapen()
    return [found[number] for number in range(count)]


def _numbers(value: Any) -> array[float]:
    """A vector, as numbers or as base64 of them, which some vendors send whatever was asked."""
    try:
        vector = _unpacked(value) if isinstance(value, str) else array("f", answers.entries(value, MAX_DIMENSIONS))
    except (TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise answers.misshapen() from error
    if not 1 <= len(vector) <= MAX_DIMENSIONS or not all(map(math.isfinite, vector)):
        raise answers.misshapen()
    return vector


def _unpacked(text: str) -> array[float]:
    vector = array("f")
    vector.frombytes(base64.b64decode(text, validate=True))
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def _packed(vector: array[float]) -> str:
    if sys.byteorder == "big":
        vector.byteswap()
    return base64.b64encode(vector.tobytes()).decode()
