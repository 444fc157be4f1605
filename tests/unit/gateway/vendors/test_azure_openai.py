"""Azure's paths, its header, its version, and what its filter says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from aiohttp import web

from gateway_world import Upstream, completion, drawing, event, serving
from troth.gateway.vendors.azure_openai import AzureOpenAI, api_key
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel
from troth.gateway.vendors.port import Attachment
from troth.kernel.errors import TrothError

FILTER = {"hate": {"filtered": False, "severity": "safe"}}
Use = Callable[[AzureOpenAI], Coroutine[Any, Any, Any]]


def asked(use: Use, upstream: Upstream) -> Any:
    async def go() -> Any:
        async with serving(upstream):
            channel = Channel(upstream.url.removesuffix("/v1"), None, Limits(5), authorize=api_key("azure-key"))
            try:
                return await use(AzureOpenAI(channel, "2025-04-01-preview"))
            finally:
                await channel.close()

    return asyncio.run(go())


def told(upstream: Upstream) -> str:
    return upstream.received.split(b"((", 1)[0].decode()


def test_a_conversation_goes_to_its_deployment_with_key_and_version_and_is_not_stored() -> None:
    choice = {"content_filter_results": FILTER} | completion("Hi")["choices"][0]
    upstream = Upstream(chat=lambda _: completion("") | {"choices": [choice], "prompt_filter_results": [FILTER]})
    answer = asked(lambda vendor: vendor.chat({"model": "gpt 4o", "messages": [{"content": "x"}]}), upstream)
    assert told(upstream) == "/openai/deployments/gpt%204o/chat/completions?api-version=2025-04-01-preview"
    assert upstream.headers[0]["api-key"] == "azure-key"
    assert "Authorization" not in upstream.headers[0]
    assert upstream.requests[0]["store"] is False
    assert answer["choices"][0]["message"]["content"] == "Hi"
    assert "filter" not in json.dumps(answer)


def test_a_stream_loses_the_notes_and_the_chunks_that_hold_nothing_else() -> None:
    def chunks(_: dict[str, Any]) -> list[bytes]:
        return [event([], prompt_filter_results=[FILTER]),
                event([{"index": 0, "delta": {"content": "Hi"}, "content_filter_results": FILTER}]),
                b"data: [DONE]\n\n"]  # fmt: skip

    async def use(vendor: AzureOpenAI) -> list[Any]:
        return [one async for one in vendor.chat_stream({"model": "m", "messages": [{"content": "x"}], "stream": True})]

    found = asked(use, Upstream(chunks=chunks))
    assert [one["choices"] for one in found] == [[{"index": 0, "delta": {"content": "Hi"}}]]


@pytest.mark.parametrize(
    ("use", "path"),
    [
        (lambda vendor: vendor.image({"model": "pics", "prompt": "a pump"}), "images/generations"),
        (lambda vendor: vendor.edit({"model": "pics", "prompt": "x"},
                                    [Attachment(drawing(8, 8), "image/png", 8, 8)], None), "images/edits"),
    ],
    ids=["image", "edit"],
)  # fmt: skip
def test_pictures_too(use: Use, path: str) -> None:
    upstream = Upstream()
    assert asked(use, upstream)[0].content == upstream.picture
    assert told(upstream) == f"/openai/deployments/pics/{path}?api-version=2025-04-01-preview"


def test_embeddings_too() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"data": [{"index": 0, "embedding": [0.5]}]})

    upstream = Upstream(handler=answer)
    made = asked(lambda vendor: vendor.embeddings({"model": "emb", "input": "x"}), upstream)
    assert made["data"][0]["embedding"] == [0.5]
    assert "/deployments/emb/embeddings?" in told(upstream)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, {"error": {"code": "content_filter", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
         "moderation-blocked"),
        (404, {"error": {"code": "DeploymentNotFound"}}, "vendor-model-unknown"),
        (401, {"error": {"code": "401"}}, "vendor-credential"),
        (400, {"error": {"code": "BadRequest"}}, "vendor-refused-request"),
    ],
    ids=["filtered", "no-deployment", "key", "bad"],
)  # fmt: skip
def test_refusals_are_told_apart(status: int, body: dict[str, Any], code: str) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    with pytest.raises(TrothError) as refusal:
        asked(lambda vendor: vendor.chat({"model": "m", "messages": []}), Upstream(handler=answer))
    assert refusal.value.code == code


@pytest.mark.parametrize(
    "use",
    [lambda vendor: vendor.responses({"model": "m"}), lambda vendor: vendor.video_create({"model": "m"}, [])],
    ids=["responses", "video"],
)
def test_what_it_does_not_offer_is_refused(use: Use) -> None:
    upstream = Upstream()
    with pytest.raises(TrothError) as refusal:
        asked(use, upstream)
    assert (refusal.value.code, upstream.received) == ("call-not-offered", b"")
