"""The official OpenAI client, unmodified but for base URL, key and authority, against a `troth serve` process."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from PIL import Image

from served import Served, receipt, served
from troth.cli.demo.protect import EMAIL, NAME, photo
from troth.cli.demo.stage import Person

IMAGE, CHAT = "troth-studio-1", "troth-echo-1"
SIZE = "256x256"


@dataclass(frozen=True)
class World:
    server: Served
    person: Person
    client: OpenAI


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with served(tmp_path_factory.mktemp("openai")) as server:
        person = server.tenant("delta")
        with server.openai(server.key(person)) as client:
            yield World(server, person, client)


def user(text: str) -> Any:
    return {"role": "user", "content": text}


def picture(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as opened:
        opened.load()
        return opened


def png(side: int = 64, *, hole: bool = False) -> bytes:
    made = Image.new("RGBA", (side, side), (200, 30, 30, 255))
    if hole:
        made.paste((0, 0, 0, 0), (side // 4, side // 4, side // 2, side // 2))
    out = io.BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


# Models


def test_models(world: World) -> None:
    assert [one.id for one in world.client.models.list()] == [CHAT, IMAGE]
    one = world.client.models.retrieve(IMAGE)
    assert (one.id, one.object, one.owned_by) == (IMAGE, "model", "local-studio")


# Chat


def test_chat(world: World) -> None:
    made = world.client.chat.completions.create(model=CHAT, messages=[user(f"Greet {NAME} at {EMAIL}.")])
    assert (made.object, made.model, made.choices[0].finish_reason) == ("chat.completion", CHAT, "stop")
    assert made.choices[0].message.role == "assistant"
    assert NAME in (made.choices[0].message.content or "")
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.prompt_tokens + made.usage.completion_tokens
    assert made.id == made._request_id
    sent = json.dumps(receipt(world.server, world.person, made._request_id))
    assert NAME not in sent
    assert EMAIL not in sent


def test_chat_streamed_is_the_same_as_whole(world: World) -> None:
    words = [user(f"Greet {NAME} at {EMAIL}.")]
    whole = world.client.chat.completions.create(model=CHAT, messages=words).choices[0].message.content
    with world.client.chat.completions.create(model=CHAT, messages=words, stream=True) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == whole
    assert len(chunks) > 3
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_chat_streamed_with_usage(world: World) -> None:
    chunks = list(
        world.client.chat.completions.create(
            model=CHAT, messages=[user("Hello")], stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_the_streaming_helper_of_the_client(world: World) -> None:
    with world.client.chat.completions.stream(model=CHAT, messages=[user("Hello")]) as stream:
        for _ in stream:
            pass
        assert stream.get_final_completion().choices[0].message.content


def test_several_choices(world: World) -> None:
    made = world.client.chat.completions.create(model=CHAT, messages=[user("Hello")], n=2)
    assert [one.index for one in made.choices] == [0, 1]
    chunks = list(world.client.chat.completions.create(model=CHAT, messages=[user("Hello")], n=2, stream=True))
    assert {one.index for chunk in chunks for one in chunk.choices} == {0, 1}


ACCEPTED: list[dict[str, Any]] = [
    {"messages": [{"role": "system", "content": "Be brief."}, user("Hello")]},
    {"messages": [{"role": "developer", "content": [{"type": "text", "text": "Be brief."}]}, user("Hello")]},
    {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}, {"type": "text", "text": "you"}]}]},
    {"messages": [user("Hi"), {"role": "assistant", "content": "Yes?"}, user("Go on")]},
    {"messages": [user("Hello")], "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"], "max_tokens": 100},
    {"messages": [user("Hello")], "response_format": {"type": "json_object"}},
    {"messages": [user("Hello")], "metadata": {"project": "demo"}, "user": "someone", "store": False},
    {
        "messages": [user("Hello")],
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    },
    {
        "messages": [user("Weather?")],
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
    },
    {
        "messages": [
            user("Weather?"),
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "Sunny"},
        ]
    },
]


@pytest.mark.parametrize("wish", ACCEPTED)
def test_fields_of_a_conversation_are_accepted(world: World, wish: dict[str, Any]) -> None:
    assert world.client.chat.completions.create(model=CHAT, **wish).choices[0].message.content


def test_a_picture_in_a_conversation(world: World) -> None:
    address = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    parts: Any = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": address}}]
    made = world.client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": parts}])
    assert made.choices[0].message.content
    parts[1]["image_url"]["url"] = "https://pictures.example.org/cat.png"
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        world.client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": parts}])
    assert refused.value.code == "remote_picture"


def test_a_stored_answer_is_kept_for_its_person(world: World) -> None:
    made = world.client.chat.completions.create(model=CHAT, messages=[user("Remember me")], store=True)
    (kept,) = receipt(world.server, world.person, made._request_id)["objects"]
    opened = world.server.stage.client(world.person.session).call("GET", f"/v1/objects/{kept}/content").json()
    assert opened["choices"][0]["message"]["content"] == made.choices[0].message.content


def test_async_client(world: World) -> None:
    key = world.server.key(world.person, "generate")

    async def converse() -> tuple[str, list[str]]:
        async with world.server.openai_async(key) as client:
            whole = await client.chat.completions.create(model=CHAT, messages=[user("Hello")])
            stream = await client.chat.completions.create(model=CHAT, messages=[user("Hello")], stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
            models = [one.id async for one in client.models.list()]
        assert models == [CHAT, IMAGE]
        return whole.choices[0].message.content or "", pieces

    whole, pieces = asyncio.run(converse())
    assert whole == "".join(pieces)


# Pictures


def test_generate_base64(world: World) -> None:
    made = world.client.images.generate(model=IMAGE, prompt="a lighthouse", size=SIZE, response_format="b64_json", n=2)
    pictures = [picture(base64.b64decode(one.b64_json or "")) for one in made.data or []]
    assert [(one.format, one.size) for one in pictures] == [("PNG", (256, 256))] * 2
    assert (made.data or [])[0].b64_json != (made.data or [])[1].b64_json


def test_generate_without_any_option(world: World) -> None:
    made = world.client.images.generate(prompt="a lighthouse")
    assert picture(base64.b64decode((made.data or [])[0].b64_json or "")).size == (1024, 1024)


def test_generate_a_link(world: World) -> None:
    made = world.client.images.generate(model=IMAGE, prompt="a harbour", size=SIZE, response_format="url")
    address = (made.data or [])[0].url or ""
    assert address.startswith(world.server.stage.address)
    with httpx2.Client(verify=world.server.context()) as stranger:
        fetched = stranger.get(address)
        assert (fetched.status_code, fetched.headers["content-type"]) == (200, "image/png")
        assert picture(fetched.content).size == (256, 256)
        assert stranger.get(address[:-2]).status_code == 404


@pytest.mark.parametrize(("wish", "size"), [("512x256", (512, 256)), ("256x512", (256, 512)), ("auto", (1024, 1024))])
def test_sizes(world: World, wish: Any, size: tuple[int, int]) -> None:
    made = world.client.images.generate(model=IMAGE, prompt="waves", size=wish, response_format="b64_json")
    assert picture(base64.b64decode((made.data or [])[0].b64_json or "")).size == size


@pytest.mark.parametrize("wanted", ["png", "jpeg", "webp"])
def test_formats(world: World, wanted: Any) -> None:
    compression: Any = {} if wanted == "png" else {"output_compression": 60}
    made = world.client.images.generate(model=IMAGE, prompt="waves", size=SIZE, output_format=wanted, **compression)
    assert made.output_format == wanted
    assert picture(base64.b64decode((made.data or [])[0].b64_json or "")).format == wanted.upper()


def test_edit(world: World) -> None:
    made = world.client.images.edit(
        model=IMAGE, image=("holiday.jpg", photo(), "image/jpeg"), prompt="black and white", response_format="b64_json"
    )
    assert picture(base64.b64decode((made.data or [])[0].b64_json or "")).format == "PNG"


def test_edit_with_a_mask_and_a_list(world: World) -> None:
    made = world.client.images.edit(
        model=IMAGE,
        image=[("a.png", png(256), "image/png")],
        mask=("mask.png", png(256, hole=True), "image/png"),
        prompt="make it blue",
        size=SIZE,
        n=1,
    )
    assert picture(base64.b64decode((made.data or [])[0].b64_json or "")).size == (256, 256)


def test_edit_from_an_open_file(world: World, tmp_path: Any) -> None:
    (tmp_path / "red.png").write_bytes(png(256))
    with (tmp_path / "red.png").open("rb") as file:
        made = world.client.images.edit(model=IMAGE, image=file, prompt="make it blue")
    assert made.data


# Files


def test_files(world: World) -> None:
    lines = b'{"q": "one"}\n{"q": "two"}\n'
    life: Any = {"anchor": "created_at", "seconds": 7200}
    made = world.client.files.create(file=("rows.jsonl", lines), purpose="user_data", expires_after=life)
    assert (made.filename, made.bytes, made.purpose, made.object) == ("rows.jsonl", len(lines), "user_data", "file")
    assert made.expires_at == made.created_at + 7200
    assert world.client.files.retrieve(made.id) == made
    assert world.client.files.content(made.id).content == lines
    assert made.id in [one.id for one in world.client.files.list()]
    assert made.id not in [one.id for one in world.client.files.list(purpose="vision")]
    assert world.client.files.delete(made.id).deleted is True
    with pytest.raises(openai.APIStatusError) as gone:
        world.client.files.retrieve(made.id)
    assert (gone.value.status_code, gone.value.code) == (410, "gone")
    assert made.id not in [one.id for one in world.client.files.list()]


def test_file_pages(world: World) -> None:
    made = [world.client.files.create(file=(f"{n}.txt", b"text"), purpose="evals").id for n in range(5)]
    pages = world.client.files.list(purpose="evals", limit=2, order="asc")
    assert [one.id for one in pages] == made  # the client follows the pages by itself


# Refusals


def bad_key(world: World) -> None:
    with world.server.openai("troth_sk_" + "a" * 26 + "_" + "b" * 52) as client:
        client.models.list()


def expired_key(world: World) -> None:
    token = world.server.key(world.person, "generate")
    base = sqlite3.connect(world.server.stage.data / "troth.db", timeout=10)
    with base:
        identifier = f"key_{token.split('_')[2]}"
        assert base.execute("UPDATE api_keys SET expires_at = 1 WHERE id = ?", [identifier]).rowcount == 1
    base.close()
    with world.server.openai(token) as client:
        client.models.list()


def revoked_key(world: World) -> None:
    token = world.server.key(world.person, "generate")
    world.server.stage.client(world.person.session).call("DELETE", f"/v1/keys/key_{token.split('_')[2]}")
    with world.server.openai(token) as client:
        client.models.list()


def beyond_its_scope(world: World) -> None:
    with world.server.openai(world.server.key(world.person, "own-data")) as client:
        client.chat.completions.create(model=CHAT, messages=[user("Hello")])


def twice(world: World) -> None:
    for _ in range(2):
        world.client.chat.completions.create(
            model=CHAT, messages=[user("Hello")], extra_headers={"Idempotency-Key": "the-same"}
        )


def chat(**wish: Any) -> Callable[[World], Any]:
    return lambda world: world.client.chat.completions.create(**{"model": CHAT, "messages": [user("Hello")]} | wish)


def image(**wish: Any) -> Callable[[World], Any]:
    return lambda world: world.client.images.generate(**{"model": IMAGE, "prompt": "waves"} | wish)


REFUSALS: list[tuple[Callable[[World], Any], type[openai.APIStatusError], str]] = [
    (chat(model="gpt-nowhere"), openai.NotFoundError, "model_not_found"),
    (image(model="gpt-nowhere"), openai.NotFoundError, "model_not_found"),
    (image(model=CHAT), openai.NotFoundError, "model_not_found"),
    (lambda world: world.client.models.retrieve("gpt-nowhere"), openai.NotFoundError, "model_not_found"),
    (lambda world: world.client.files.retrieve("file-nowhere"), openai.NotFoundError, "not_found"),
    (bad_key, openai.AuthenticationError, "key_unknown"),
    (expired_key, openai.AuthenticationError, "key_expired"),
    (revoked_key, openai.AuthenticationError, "key_unknown"),
    (beyond_its_scope, openai.PermissionDeniedError, "access_denied"),
    (twice, openai.ConflictError, "duplicate_request"),
    (chat(temperature=3), openai.UnprocessableEntityError, "bad_field"),
    (chat(messages=[]), openai.UnprocessableEntityError, "bad_field"),
    (chat(messages=[{"role": "wizard", "content": "x"}]), openai.UnprocessableEntityError, "bad_field"),
    (chat(extra_body={"web_search_options": {}}), openai.UnprocessableEntityError, "unknown_field"),
    (chat(modalities=["text", "audio"]), openai.UnprocessableEntityError, "bad_field"),
    (image(size="10x10"), openai.UnprocessableEntityError, "unsupported_size"),
    (image(stream=True), openai.UnprocessableEntityError, "stream_not_supported"),
    (image(background="transparent", output_format="jpeg"), openai.UnprocessableEntityError, "format_not_supported"),
    (image(n=9), openai.UnprocessableEntityError, "bad_field"),
    (image(extra_query={"n": "2"}), openai.BadRequestError, "broken_query"),
    (
        lambda world: world.client.files.create(file=("a.exe", b"MZ\0"), purpose="user_data"),
        openai.APIStatusError,
        "unsupported_file",
    ),
    (
        lambda world: world.client.files.create(file=("a.json", b"{"), purpose="user_data"),
        openai.UnprocessableEntityError,
        "broken_json",
    ),
    (
        lambda world: world.client.images.edit(model=IMAGE, image=("a.png", b"no picture", "image/png"), prompt="x"),
        openai.BadRequestError,
        "content_type_mismatch",
    ),
    (
        lambda world: world.client.images.edit(
            model=IMAGE, image=png(256), mask=("m.png", png(128, hole=True), "image/png"), prompt="x"
        ),
        openai.UnprocessableEntityError,
        "mask_size",
    ),
]


@pytest.mark.parametrize(("ask", "kind", "code"), REFUSALS)
def test_refusals_are_the_exceptions_that_users_handle(
    world: World, ask: Callable[[World], Any], kind: type[openai.APIStatusError], code: str
) -> None:
    with pytest.raises(kind) as refused:
        ask(world)
    assert refused.value.code == code
    assert isinstance(refused.value.body, dict)
    assert len(refused.value.body["message"].split()) > 4, "a sentence that says what to do"
    assert refused.value.request_id


def test_a_route_that_troth_has_not(world: World) -> None:
    with pytest.raises(openai.NotFoundError):
        world.client.embeddings.create(model="x", input="y")
