"""Calls to vendors are timed by the model on offer; tokens are counted when the vendor's figures make sense."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from prometheus_client import generate_latest

from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.port import Attachment, Produced
from troth.gateway.vendors.watched import WatchedVendor
from troth.kernel.errors import VendorFailed
from troth.telemetry.metrics import Meter

NEEDLE = "jane.doe@example.com"
OFFER = next(one for one in LOCAL_STUDIO.facts.offers if one.kind == "chat")


class Vendor:
    """Answers with the usage it is told to state, or refuses."""

    def __init__(self, usage: Any) -> None:
        self.usage = usage

    async def chat(self, payload: dict[str, Any]) -> dict[str, Any]:
        if self.usage == "refuse":
            raise VendorFailed(NEEDLE)
        return {"choices": [], "usage": self.usage}

    async def chat_stream(self, payload: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        yield {"choices": []}
        yield {"choices": [], "usage": self.usage}

    async def image(self, payload: dict[str, Any]) -> list[Produced]:
        return []

    async def edit(
        self, payload: dict[str, Any], images: Sequence[Attachment], mask: Attachment | None
    ) -> list[Produced]:
        return []


def shown(usage: Any, *, model: str = OFFER.upstream, stream: bool = False, leaves: bool = False) -> str:
    meter = Meter()
    vendor = WatchedVendor(Vendor(usage), LOCAL_STUDIO, meter)

    async def ask() -> None:
        if not stream:
            await vendor.chat({"model": model})
            return
        chunks = vendor.chat_stream({"model": model})
        async for _ in chunks:
            if leaves:
                await chunks.aclose()
                return

    with contextlib.suppress(VendorFailed):
        asyncio.run(ask())
    return generate_latest(meter.registry).decode()


@pytest.mark.parametrize("stream", [False, True])
def test_tokens_and_outcome(stream: bool) -> None:
    text = shown({"prompt_tokens": 7, "completion_tokens": 9}, stream=stream)
    assert f'troth_vendor_calls_total{{model="{OFFER.model}",outcome="done"}} 1.0' in text
    assert f'troth_vendor_tokens_total{{direction="in",model="{OFFER.model}"}} 7.0' in text
    assert f'troth_vendor_tokens_total{{direction="out",model="{OFFER.model}"}} 9.0' in text


@pytest.mark.parametrize("usage", [None, NEEDLE, {"prompt_tokens": NEEDLE}, {"prompt_tokens": -4},
                                   {"prompt_tokens": True}, {"prompt_tokens": 1 << 40}])  # fmt: skip
def test_nonsense_is_not_counted(usage: Any) -> None:
    text = shown(usage)
    assert "troth_vendor_tokens_total{" not in text
    assert NEEDLE not in text


def test_a_refusal_and_a_client_who_leaves_are_not_done() -> None:
    assert 'outcome="refused"} 1.0' in shown("refuse")
    assert 'outcome="failed"} 1.0' in shown(None, stream=True, leaves=True)


def test_a_model_that_is_not_on_offer_is_other() -> None:
    text = shown(None, model="jane-doe")
    assert 'model="other"' in text
    assert "jane-doe" not in text
