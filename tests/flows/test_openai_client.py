"""The official OpenAI client, unmodified but for base URL, key and authority, against a `troth serve` process."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from openai_world import CHAT, FILM, IMAGE, SIZE, VECTORS, World, opened, picture, png, user
from served import receipt
from troth.cli.demo.protect import EMAIL, NAME, photo


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("openai")) as made:
        yield made


# Models


def test_models(world: World) -> None:
    assert [one.id for one in world.client.models.list()] == [CHAT, FILM, IMAGE, VECTORS]
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
        assert models == [CHAT, FILM, IMAGE, VECTORS]
        return whole.choices[0].message.content or "", pieces

    whole, pieces = asyncio.run(converse())
    assert whole == "".join(pieces)


# Responses


def test_response(world: World) -> None:
    made = world.client.responses.create(model=CHAT, input=f"Greet {NAME} at {EMAIL}.", instructions="Be brief.")
    assert (made.object, made.status, made.model, made.error) == ("response", "completed", CHAT, None)
    assert NAME in made.output_text
    assert made.instructions == "Be brief."
    assert made.usage is not None
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    sent = json.dumps(receipt(world.server, world.person, made._request_id))
    assert NAME not in sent
    assert EMAIL not in sent


def test_response_streamed_is_the_same_as_whole(world: World) -> None:
    words = f"Greet {NAME} at {EMAIL}."
    whole = world.client.responses.create(model=CHAT, input=words).output_text
    with world.client.responses.create(model=CHAT, input=words, stream=True) as stream:
        events = list(stream)
    assert "".join(one.delta for one in events if one.type == "response.output_text.delta") == whole
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == whole
    assert [one.sequence_number for one in events] == list(range(len(events)))


def test_the_streaming_helper_of_responses(world: World) -> None:
    with world.client.responses.stream(model=CHAT, input=f"Greet {NAME}.") as stream:
        seen = {event.type for event in stream}
        final = stream.get_final_response()
    assert {"response.created", "response.output_text.delta", "response.output_text.done"} <= seen
    assert NAME in final.output_text


def test_a_kept_response_is_retrieved_continued_and_deleted(world: World) -> None:
    first = world.client.responses.create(model=CHAT, input=f"Greet {NAME}.", store=True, metadata={"a": "b"})
    kept = world.client.responses.retrieve(first.id)
    assert (kept.output_text, kept.metadata) == (first.output_text, {"a": "b"})
    again = world.client.responses.create(model=CHAT, input="And now?", previous_response_id=first.id)
    assert again.previous_response_id == first.id
    world.client.responses.delete(first.id)
    with pytest.raises(openai.APIStatusError) as gone:
        world.client.responses.retrieve(first.id)
    assert (gone.value.status_code, gone.value.code) == (410, "gone")


RESPONSES: list[dict[str, Any]] = [
    {"input": [user("Hello"), {"role": "assistant", "content": "Yes?"}, user("Go on")]},
    {"text": {"format": {"type": "json_schema", "name": "x", "schema": {"type": "object"}, "strict": True}}},
    {"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}],
     "tool_choice": {"type": "function", "name": "f"}, "parallel_tool_calls": False},
    {"reasoning": {"effort": "low"}, "max_output_tokens": 64, "temperature": 0.5, "top_p": 0.9},
    {"truncation": "disabled", "max_tool_calls": 3, "top_logprobs": 2, "include": ["message.output_text.logprobs"]},
    {"store": False, "user": "someone", "safety_identifier": "someone", "prompt_cache_key": "k", "conversation": None},
]  # fmt: skip


@pytest.mark.parametrize("wish", RESPONSES)
def test_fields_of_a_response_are_accepted(world: World, wish: dict[str, Any]) -> None:
    assert world.client.responses.create(**{"model": CHAT, "input": "Hello"} | wish).output_text


def test_a_picture_in_a_response(world: World) -> None:
    address = f"data:image/png;base64,{base64.b64encode(png()).decode()}"
    parts: Any = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": address}]
    assert world.client.responses.create(model=CHAT, input=[{"role": "user", "content": parts}]).output_text


PAINT: dict[str, Any] = {
    "model": CHAT,
    "input": f"A lighthouse for {NAME}",
    "tools": [{"type": "image_generation", "size": SIZE, "partial_images": 1}],
    "tool_choice": {"type": "image_generation"},
}


def test_a_picture_as_a_tool_of_a_response(world: World) -> None:
    made = world.client.responses.create(**PAINT, store=True)
    (call,) = [one for one in made.output if one.type == "image_generation_call"]
    assert call.status == "completed"
    assert picture(base64.b64decode(call.result or "")).size == (256, 256)
    told = receipt(world.server, world.person, made._request_id)
    (part,) = told["parts"]
    assert (told["operation"], part["operation"], part["outcome"]) == ("response.create", "image.generate", "answered")
    assert part["marked"]["content-credentials"] == 1
    assert NAME not in json.dumps(told)
    kept = world.client.responses.retrieve(made.id)
    assert kept.output == made.output
    again = world.client.responses.create(model=CHAT, input="And now?", previous_response_id=made.id)
    assert again.output_text


def test_a_picture_as_a_tool_of_a_streamed_response(world: World) -> None:
    with world.client.responses.stream(**PAINT) as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [one.type for one in events]
    told = [one.removeprefix("response.image_generation_call.") for one in kinds if "image_generation_call" in one]
    assert told == ["in_progress", "generating", "partial_image", "completed"]
    (call,) = [one for one in final.output if one.type == "image_generation_call"]
    assert picture(base64.b64decode(call.result or "")).size == (256, 256)
    whole = list(world.client.responses.create(**PAINT, stream=True))
    assert whole[-1].type == "response.completed"
    assert {one.type for one in whole[-1].response.output} == {"message", "image_generation_call"}


def test_pictures_of_responses_are_counted_as_pictures(world: World) -> None:
    before = world.server.stage.client(world.person.session).call("GET", "/v1/usage").json()
    world.client.responses.create(**PAINT)
    after = world.server.stage.client(world.person.session).call("GET", "/v1/usage").json()
    assert after["total"]["images"] == before["total"]["images"] + 1
    assert after["total"]["requests"] == before["total"]["requests"] + 2  # the model, and the picture


# Embeddings


@pytest.mark.parametrize("encoding", [openai.omit, "float", "base64"])
def test_embeddings(world: World, encoding: Any) -> None:
    texts = [f"Ask {NAME} at {EMAIL}", "Ask somebody else", f"Ask {NAME} at {EMAIL}"]
    made = world.client.embeddings.create(model=VECTORS, input=texts, dimensions=32, encoding_format=encoding)
    first, second, third = [one.embedding for one in made.data]
    if encoding != "base64":
        assert sum(one * one for one in first) == pytest.approx(1, abs=1e-5)
        assert len(first) == 32
    assert first == third != second
    assert made.usage.total_tokens > 0
    sent = json.dumps(receipt(world.server, world.person, made._request_id))
    assert "<EMAIL>" in sent
    assert EMAIL not in sent


def test_responses_and_embeddings_of_the_async_client(world: World) -> None:
    key = world.server.key(world.person, "generate")

    async def go() -> tuple[str, str, int]:
        async with world.server.openai_async(key) as client:
            whole = await client.responses.create(model=CHAT, input="Hello")
            stream = await client.responses.create(model=CHAT, input="Hello", stream=True)
            said = [one.delta async for one in stream if one.type == "response.output_text.delta"]
            vectors = await client.embeddings.create(model=VECTORS, input="Hello")
        return whole.output_text, "".join(said), len(vectors.data[0].embedding)

    whole, streamed, length = asyncio.run(go())
    assert whole == streamed
    assert length == 256


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
    made = [world.client.files.create(file=(f"{n}.txt", b"text"), purpose="assistants").id for n in range(5)]
    pages = world.client.files.list(purpose="assistants", limit=2, order="asc")
    assert [one.id for one in pages] == made  # the client follows the pages by itself
