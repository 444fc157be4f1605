"""Embeddings: kinds go out in place of values, vectors are checked number by number."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from aiohttp import web

from gateway_world import Upstream, World, serving, vectors
from troth.gateway.wire.embeddings import CreateEmbeddings, Embeddings
from troth.kernel.errors import Invalid, VendorFailed

SAID = ["Ask Jane Doe at jane.doe@example.com.", "Ask Bob Stone at bob@example.com."]


def wish(given: Any = None, **more: Any) -> CreateEmbeddings:
    return CreateEmbeddings.model_validate({"model": "acme-vectors", "input": given or SAID} | more)


def ask(world: World, request: CreateEmbeddings, answer: Any = None) -> tuple[Embeddings, Upstream]:
    async def told(asked: web.Request) -> web.StreamResponse:
        body = await asked.json()
        upstream.requests.append(body)
        return web.json_response(answer(body) if answer else vectors(body))

    upstream = Upstream(handler=told)

    async def go() -> Embeddings:
        async with serving(upstream):
            world.add_vendor(upstream.url)
            made: Embeddings = await world.answers.create_embeddings(world.call(), request)
            return made

    return world.run(go()), upstream


def test_the_vendor_sees_kinds_and_equal_texts_stay_equal(world: World) -> None:
    made, upstream = ask(world, wish(user="jane.doe@example.com", dimensions=3))
    sent = upstream.requests[0]
    assert sent["input"] == ["Ask <PERSON> at <EMAIL>.", "Ask <PERSON> at <EMAIL>."]
    assert sent["user"].startswith("u-")
    assert (sent["encoding_format"], sent["dimensions"], sent["model"]) == ("float", 3, "upstream-vectors")
    assert [one.index for one in made.data] == [0, 1]
    assert made.data[1].embedding == [0.5, -0.25, 1.0]
    assert made.model == "acme-vectors"
    assert made.usage == {"prompt_tokens": 2, "total_tokens": 2}
    assert b"Jane" not in upstream.received
    assert b"bob" not in upstream.received


def test_base64_is_little_endian_binary32(world: World) -> None:
    made, _ = ask(world, wish("x", encoding_format="base64"))
    assert made.data[0].embedding == base64.b64encode(struct.pack("<3f", 0.5, -0.25, 0)).decode()


def test_a_vendor_may_send_base64_and_any_order(world: World) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        packed = base64.b64encode(struct.pack("<2f", 1, 2)).decode()
        return {"data": [{"index": 1, "embedding": packed}, {"index": 0, "embedding": [3, 4]}]}

    made, _ = ask(world, wish(), answer)
    assert [one.embedding for one in made.data] == [[3, 4], [1, 2]]


@pytest.mark.parametrize(
    "data",
    [
        [],
        [{"index": 0, "embedding": [1]}],
        [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}],
        [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 2]}],
        [{"index": 0, "embedding": [1]}, {"index": 2, "embedding": [1]}],
        [{"index": 0, "embedding": ["1"]}, {"index": 1, "embedding": [1]}],
        [{"index": 0, "embedding": [1e300]}, {"index": 1, "embedding": [1]}],
        [{"index": 0, "embedding": []}, {"index": 1, "embedding": []}],
        [{"index": 0, "embedding": "@@"}, {"index": 1, "embedding": "AAAA"}],
        [{"index": 0}, {"index": 1}],
        "jane.doe@example.com",
    ],
)
def test_anything_else_is_refused(world: World, data: Any) -> None:
    with pytest.raises(VendorFailed) as refusal:
        ask(world, wish(), lambda body: {"data": data})
    assert refusal.value.code == "vendor-bad-answer"


@pytest.mark.parametrize("numbers", ["[NaN, 1]", "[Infinity, 1]"])
def test_numbers_are_finite(world: World, numbers: str) -> None:
    with pytest.raises(VendorFailed):
        ask(world, wish("x"), lambda body: {"data": [{"index": 0, "embedding": json.loads(numbers)}]})


@pytest.mark.parametrize("tokens", [[1, 2], [[1, 2], [3]], [True]])
def test_tokens_are_refused_with_advice(tokens: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        wish(tokens)
    assert refusal.value.code == "tokens-not-readable"
    assert "text" in refusal.value.advice


def test_the_local_studio_has_vectors_too(world: World) -> None:
    request = wish(["a red boat", "a red boat", "tax law"], model="troth-vectors-1", dimensions=64)
    made = world.run(world.answers.create_embeddings(world.call(), request))
    first, second, third = [one.embedding for one in made.data]
    assert first == second != third
    assert len(first) == 64
