"""Azure OpenAI: OpenAI's API under paths of deployments, with a version in the query and the key in a header.

A deployment is what an offer names as `upstream`. Azure's notes about its content filter are taken out of answers; a
request that the filter stops is told by `content_filter` in the refusal, which the channel maps.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar
from urllib.parse import quote

from troth.gateway.vendors.channel import Authorize, Body, Channel
from troth.gateway.vendors.openai_compatible import OpenAICompatible
from troth.gateway.vendors.port import Attachment, Partial, Produced, Unoffered
from troth.gateway.vendors.sse import Events

Answer = TypeVar("Answer")
_NOTES = frozenset({"prompt_filter_results", "content_filter_results", "content_filter_offsets"})


def api_key(credential: str | None) -> Authorize:
    """The header that Azure asks for in place of `Authorization`."""
    headers = {"api-key": credential} if credential else {}
    return lambda _method, _url, _sent: headers


class _Deployment:
    """The road to one deployment: `channel.Road` with other paths."""

    def __init__(self, channel: Channel, deployment: str, version: str) -> None:
        self._channel = channel
        self._before = f"/openai/deployments/{quote(deployment, safe='')}"
        self._after = f"?api-version={version}"

    async def post(self, path: str, body: Body, understand: Callable[[bytes], Answer]) -> Answer:
        return await self._channel.post(self._place(path), body, understand)

    async def fetch(self, path: str, *, method: str = "GET") -> bytes:
        return await self._channel.fetch(self._place(path), method=method)

    def post_stream(
        self, path: str, body: Body, events: Events[Answer], media: str = "text/event-stream"
    ) -> AsyncGenerator[Answer, None]:
        return self._channel.post_stream(self._place(path), body, events, media)

    def _place(self, path: str) -> str:
        return self._before + path + self._after


class AzureOpenAI(Unoffered):
    """Implements `port.Vendor`; responses and videos are not offered under deployments."""

    def __init__(self, channel: Channel, version: str) -> None:
        self._channel = channel
        self._version = version

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST {base}/openai/deployments/{deployment}/chat/completions."""
        answer: dict[str, Any] = _without_notes(await self._of(payload).chat(payload | {"store": False}))
        return answer

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The same with `stream`; chunks that hold nothing but the filter's notes are left out."""
        async with aclosing(self._of(payload).chat_stream(payload | {"store": False})) as chunks:
            async for chunk in chunks:
                told: dict[str, Any] = _without_notes(chunk)
                if told.get("choices") or told.get("usage"):
                    yield told

    async def embeddings(self, payload: dict[str, Any]) -> dict[str, Any]:
        """POST {base}/openai/deployments/{deployment}/embeddings."""
        return await self._of(payload).embeddings(payload)

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        """POST {base}/openai/deployments/{deployment}/images/generations."""
        return await self._of(payload).image(payload)

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        """POST {base}/openai/deployments/{deployment}/images/edits."""
        return await self._of(payload).edit(payload, images, mask)

    def image_stream(self, payload: dict[str, Any]) -> AsyncGenerator[Partial | Produced, None]:
        """The same with stages."""
        return self._of(payload).image_stream(payload)

    def edit_stream(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> AsyncGenerator[Partial | Produced, None]:
        """The same with stages."""
        return self._of(payload).edit_stream(payload, images, mask)

    def _of(self, payload: Mapping[str, Any]) -> OpenAICompatible:
        return OpenAICompatible(_Deployment(self._channel, str(payload["model"]), self._version))


def _without_notes(answer: Any) -> Any:
    """The answer, its choices and what they hold, without the filter's notes."""
    kept = {name: value for name, value in answer.items() if name not in _NOTES}
    if isinstance(kept.get("choices"), list):
        kept["choices"] = [
            {name: value for name, value in one.items() if name not in _NOTES} if isinstance(one, dict) else one
            for one in kept["choices"]
        ]
    return kept
