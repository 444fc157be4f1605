"""Any upstream that speaks OpenAI's API: hosted vendors, LiteLLM, vLLM, LocalAI, Ollama."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from troth.gateway.vendors.openai_json import bad_answer, json_object
from troth.gateway.vendors.openai_media import OpenAIMedia
from troth.gateway.vendors.sse import Events

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed", "error"})


class OpenAICompatible(OpenAIMedia):
    """Implements `port.Vendor` over a `Channel`."""

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST {base}/chat/completions."""
        return await self._channel.post("/chat/completions", lambda: {"json": payload}, _holding("choices"))

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The same with `stream`. A stream that ends without `[DONE]` raises `VendorFailed`."""
        told: Events[dict[str, Any] | None] = Events(_chunk, lambda chunk: chunk is None)
        stream = self._channel.post_stream("/chat/completions", lambda: {"json": payload}, told)
        async with aclosing(stream) as chunks:
            async for chunk in chunks:
                if chunk is not None:
                    yield chunk

    async def responses(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST {base}/responses."""
        return await self._channel.post("/responses", lambda: {"json": payload}, _holding("output"))

    async def responses_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The same with `stream`. A stream that ends before the response does raises `VendorFailed`."""
        told = Events(json_object, lambda event: event.get("type") in _ENDS)
        async with aclosing(self._channel.post_stream("/responses", lambda: {"json": payload}, told)) as events:
            async for event in events:
                yield event

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST {base}/embeddings."""
        return await self._channel.post("/embeddings", lambda: {"json": payload}, _holding("data"))


def _holding(name: str) -> Callable[[bytes], dict[str, Any]]:
    """Reads an answer that must have a list of this name."""

    def read(text: bytes) -> dict[str, Any]:
        answer = json_object(text)
        if not isinstance(answer.get(name), list):
            raise bad_answer()
        return answer

    return read


def _chunk(event: str) -> dict[str, Any] | None:
    """None stands for the mark of the end."""
    return None if event == "[DONE]" else json_object(event)
