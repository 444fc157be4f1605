"""The receipt is what the vendor received, and only its owner reads it."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from gateway_world import PERSON, TENANT, Upstream, World, drawing, serving
from troth.gateway import store
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.receipts import ShowReceipt
from troth.kernel.errors import Gone, NotFound
from troth.kernel.ids import new_id
from troth.kernel.operation import Call


def send(world: World) -> tuple[Call, Upstream]:
    async def go() -> tuple[Call, Upstream]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            call = world.call()
            body = {"model": "acme-chat", "messages": [{"role": "user", "content": "I am jane.doe@example.com"}]}
            await world.chat.complete(call, CompleteChat.model_validate(body))
            world.close(call)
            return call, upstream

    sent: tuple[Call, Upstream] = world.run(go())
    return sent


def test_it_is_exactly_what_the_vendor_received(world: World) -> None:
    call, upstream = send(world)
    receipt = world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))
    assert receipt.sent == upstream.requests[0]
    assert receipt.withheld == {"EMAIL": 1}
    assert (receipt.vendor, receipt.outcome, receipt.retention) == ("acme", "answered", "zero")
    assert "jane" not in receipt.model_dump_json()


def test_only_its_owner_reads_it_and_it_ends(world: World) -> None:
    call, _ = send(world)
    for stranger in (world.call(tenant=new_id("ten")), world.call(subject=new_id("usr"))):
        with pytest.raises(NotFound):
            world.operations.show_receipt(stranger, ShowReceipt(request_id=call.request_id))
    world.clock.forward(days=31)
    with pytest.raises(Gone):
        world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))


def test_the_index_holds_ids_only_and_is_small(world: World) -> None:
    call, _ = send(world)
    with world.database.read() as connection:
        (row,) = store.receipts_of_vendor(connection, "acme", 0, world.now + 1)
        assert store.receipts_of_vendor(connection, "acme", 0, world.now) == []
    assert (row.tenant, row.request) == (TENANT, call.request_id)
    assert PERSON not in repr(row)
    assert len(json.dumps([getattr(row, name) for name in row.__slots__])) <= 400


def test_pictures_stand_there_as_digests(world: World) -> None:

    async def go() -> tuple[Call, Upstream]:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            call = world.call()
            url = "data:image/png;base64," + base64.b64encode(drawing(64, 64)).decode()
            content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
            body = {"model": "acme-chat", "messages": [{"role": "user", "content": content}]}
            await world.chat.complete(call, CompleteChat.model_validate(body))
            return call, upstream

    call, upstream = world.run(go())
    sent = upstream.requests[0]["messages"][0]["content"][1]["image_url"]["url"]
    receipt = world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))
    shown = receipt.sent["messages"][0]["content"][1]["image_url"]["url"]
    assert shown == f"sha256:{hashlib.sha256(sent.encode()).hexdigest()}"
