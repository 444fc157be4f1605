"""Pictures as OpenAI's API gives them, and answers that only look like it."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from aiohttp import web

from gateway_world import Upstream, serving
from troth.gateway.vendors.bounds import Limits
from troth.gateway.vendors.channel import Channel
from troth.gateway.vendors.openai_compatible import OpenAICompatible
from troth.gateway.vendors.port import Attachment, Produced
from troth.kernel.errors import VendorFailed


def pictures(answer: Any) -> list[Produced]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return web.json_response(answer)

    async def go() -> list[Produced]:
        async with serving(Upstream(handler=handle)) as upstream:
            channel = Channel(upstream.url, None, Limits(5))
            try:
                return await OpenAICompatible(channel).image({"prompt": "x"})
            finally:
                await channel.close()

    return asyncio.run(go())


def test_pictures_and_revised_prompts() -> None:
    encoded = base64.b64encode(b"picture").decode()
    data = [{"b64_json": encoded, "revised_prompt": "y"}, {"b64_json": encoded, "revised_prompt": 3}]
    assert pictures({"data": data}) == [Produced(b"picture", "y"), Produced(b"picture", None)]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"data": []},
        {"data": "x"},
        {"data": [1]},
        {"data": [{"url": "https://elsewhere.test/a.png"}]},
        {"data": [{"b64_json": "@@"}]},
    ],
)
def test_answers_that_are_no_pictures(answer: Any) -> None:
    with pytest.raises(VendorFailed) as refusal:
        pictures(answer)
    assert refusal.value.code == "vendor-bad-answer"


def test_forms_carry_numbers_for_names() -> None:
    async def go() -> bytes:
        async with serving(Upstream()) as upstream:
            channel = Channel(upstream.url, None, Limits(5))
            one = Attachment(b"\x89PNG one", "image/png", 1, 1)
            two = Attachment(b"\xff\xd8 two", "image/jpeg", 1, 1)
            await OpenAICompatible(channel).edit({"prompt": "x", "n": 2}, [one, two], one)
            await channel.close()
            return upstream.received

    received = asyncio.run(go())
    for part in (
        b'name="image[]"; filename="0.png"',
        b'filename="1.jpg"',
        b'name="mask"; filename="mask.png"',
        b"\r\n2\r\n",
    ):
        assert part in received
