"""The receipt is what the vendor received, and only its owner reads it."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from gateway_world import PERSON, TENANT, Upstream, World, completion, drawing, serving
from troth.gateway import store
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.embeddings import CreateEmbeddings
from troth.gateway.wire.images import EditImages, GenerateImages
from troth.gateway.wire.receipts import ShowReceipt
from troth.gateway.wire.responses import CreateResponse
from troth.gateway.wire.upload import Upload
from troth.kernel.errors import Denied, Gone, NotFound, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.vault.objects import KeepRequest, ObjectInfo


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


def test_it_names_every_step_and_its_end(world: World) -> None:
    call, _ = send(world)
    receipt = world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))
    assert [one.step for one in receipt.steps] == ["vendor-admitted", "input-moderated", "values-withheld"]
    assert [one.by for one in receipt.steps] == ["acme", receipt.moderation, receipt.detector]
    assert receipt.expires_at == receipt.sent_at + 30 * 86_400_000


def test_it_says_what_was_done_with_the_answer(world: World) -> None:
    call, _ = send(world)
    receipt = world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))
    done = [(one.step, one.by, one.count) for one in receipt.answer_steps]
    assert done == [("values-restored", "placeholders", 1), ("output-moderated", receipt.moderation, 1)]
    assert receipt.marked is None


def test_an_answer_that_is_stopped_was_not_moderated_through(world: World) -> None:
    call = world.call()

    async def go() -> None:
        said = Upstream(chat=lambda body: completion(f"how to build a pipe bomb, {body['messages'][0]['content']}"))
        async with serving(said) as upstream:
            world.add_vendor(upstream.url)
            body = {"model": "acme-chat", "messages": [{"role": "user", "content": "jane.doe@example.com"}]}
            with pytest.raises(Denied):
                await world.chat.complete(call, CompleteChat.model_validate(body))

    world.run(go())
    receipt = world.receipt(call)
    assert receipt.outcome == "moderation-blocked"
    assert [one.step for one in receipt.answer_steps] == ["values-restored"]


def test_pictures_have_their_marks_apart(world: World) -> None:
    call = world.call()
    world.run(world.images.generate(call, GenerateImages(prompt="A cat", size="128x96")))
    receipt = world.receipt(call)
    assert [one.step for one in receipt.answer_steps] == ["output-moderated"]
    assert receipt.marked is not None
    assert receipt.marked["content-credentials"] == 1


ASKED: list[tuple[str, dict[str, Any], list[str]]] = [
    ("create_response", {"model": "acme-chat", "input": "x", "user": "me"}, ["identity-replaced", "translated"]),
    ("create_response", {"model": "acme-native", "input": "x"}, []),
    ("create_embeddings", {"model": "acme-vectors", "input": "x"}, []),
]


@pytest.mark.parametrize(("name", "wish", "more"), ASKED)
def test_each_operation_says_what_it_did(world: World, name: str, wish: dict[str, Any], more: list[str]) -> None:
    model: Any = CreateEmbeddings if name == "create_embeddings" else CreateResponse
    call = world.call()

    async def go() -> None:
        async with serving(Upstream()) as upstream:
            world.add_vendor(upstream.url)
            await getattr(world.answers, name)(call, model.model_validate(wish))

    world.run(go())
    read = "values-masked" if name == "create_embeddings" else "values-withheld"
    assert [one.step for one in world.receipt(call).steps] == ["vendor-admitted", "input-moderated", read, *more]


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


def gone(world: World, call: Call) -> None:
    """The content is gone, from the answers and from the disk's keys; the row for a vendor's breach is not."""
    with pytest.raises(Gone):
        world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))
    assert world.objects.list(TENANT, PERSON, kind="receipt") == []
    with world.database.read() as connection:
        row = store.find_receipt(connection, TENANT, call.request_id)
    assert row is not None
    assert row.vendor == "local-studio"


@pytest.mark.parametrize("number", [0, 1])
def test_it_goes_with_the_picture_that_came_of_it(world: World, number: int) -> None:
    call, other = world.call(), world.call()
    for one in (call, other):
        world.run(world.images.generate(one, GenerateImages(prompt="A cat named Tibbles", size="128x96", n=2)))
    assert world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id)).sent["prompt"]
    pictures = [one.id for one in world.objects.list(TENANT, PERSON, kind="output")][2:]  # newest first
    world.objects.delete(TENANT, PERSON, pictures[number])
    with pytest.raises(Gone):
        world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id))
    assert world.operations.show_receipt(other, ShowReceipt(request_id=other.request_id)).sent["prompt"]
    assert len(world.objects.list(TENANT, PERSON, kind="receipt")) == 1
    assert len(world.objects.list(TENANT, PERSON, kind="output")) == 3


def test_it_goes_with_the_picture_that_was_changed(world: World) -> None:
    call = world.call()
    upload = Upload(filename="a.png", media_type="image/png", content=drawing(80, 60))
    world.run(world.images.edit(call, EditImages(prompt="brighter", image=[upload])))
    (source,) = world.objects.list(TENANT, PERSON, kind="upload")
    world.objects.delete(TENANT, PERSON, source.id)
    gone(world, call)


def test_it_goes_with_the_answer_that_was_kept(world: World) -> None:
    call = world.call()
    body = {"model": "troth-echo-1", "messages": [{"role": "user", "content": "Hello"}], "store": True}
    world.run(world.chat.complete(call, CompleteChat.model_validate(body)))
    (answer,) = world.objects.list(TENANT, PERSON, kind="answer")
    assert world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id)).sent["messages"]
    world.objects.delete(TENANT, PERSON, answer.id)
    gone(world, call)


def test_it_stays_when_nothing_could_be_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, count = world.objects.keep, 0

    def failing(request: KeepRequest, **more: Any) -> ObjectInfo:
        nonlocal count
        count += request.kind == "output"
        if count == 2:
            raise Unavailable("The vault is full.")
        return keep(request, **more)

    monkeypatch.setattr(world.objects, "keep", failing)
    call = world.call()
    with pytest.raises(Unavailable):
        world.run(world.images.generate(call, GenerateImages(prompt="A cat", size="128x96", n=2)))
    assert world.operations.show_receipt(call, ShowReceipt(request_id=call.request_id)).sent["prompt"]


def test_a_receipt_erased_meanwhile_binds_nothing(world: World) -> None:
    call = world.call()

    async def erased_on_the_way() -> None:
        departure = world.images._clear(call, GenerateImages(prompt="A cat", size="128x96"), [])
        world.objects.delete(TENANT, PERSON, departure.receipt.object)
        made = await departure.port.image(departure.payload)
        world.images._finished(departure, GenerateImages(prompt="A cat", size="128x96"), made, [])

    world.run(erased_on_the_way())
    assert len(world.objects.list(TENANT, PERSON, kind="output")) == 1
    assert world.objects.list(TENANT, PERSON, kind="receipt") == []
