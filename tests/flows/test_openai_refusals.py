"""What Troth refuses, as the official OpenAI client raises it: the exception of its status, a code, and what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from openai_world import CHAT, IMAGE, VECTORS, World, opened, png, user
from troth.cli.demo.protect import NAME


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("openai")) as made:
        yield made


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


def respond(**wish: Any) -> Callable[[World], Any]:
    return lambda world: world.client.responses.create(**{"model": CHAT, "input": "Hello"} | wish)


def parted(kind: str, **part: Any) -> Any:
    return {"role": "user", "content": [{"type": kind, kind: part}]}


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
    (chat(web_search_options={}), openai.UnprocessableEntityError, "web_search_not_supported"),
    (chat(modalities=["text", "audio"]), openai.UnprocessableEntityError, "audio_not_supported"),
    (chat(audio={"voice": "alloy", "format": "wav"}), openai.UnprocessableEntityError, "audio_not_supported"),
    (
        chat(messages=[parted("input_audio", data="AA==", format="wav")]),
        openai.UnprocessableEntityError,
        "audio_not_supported",
    ),
    (
        chat(messages=[parted("file", file_data="data:text/plain;base64,QQ==")]),
        openai.UnprocessableEntityError,
        "file_part_not_supported",
    ),
    (chat(functions=[{"name": "f"}]), openai.UnprocessableEntityError, "deprecated_field"),
    (chat(tools=[{"type": "web_search"}]), openai.UnprocessableEntityError, "tool_not_supported"),
    (chat(extra_body={"surprise": 1}), openai.UnprocessableEntityError, "unknown_field"),
    (respond(tools=[{"type": "web_search"}]), openai.UnprocessableEntityError, "tool_not_supported"),
    (
        respond(tools=[{"type": "image_generation", "action": "edit"}]),
        openai.UnprocessableEntityError,
        "edit_not_supported",
    ),
    (
        respond(tools=[{"type": "image_generation", "input_fidelity": "high"}]),
        openai.UnprocessableEntityError,
        "edit_not_supported",
    ),
    (respond(tool_choice={"type": "image_generation"}), openai.UnprocessableEntityError, "tool_not_offered"),
    (respond(tools=[{"type": "image_generation", "model": "gpt-nowhere"}]), openai.NotFoundError, "model_not_found"),
    (respond(background=True), openai.UnprocessableEntityError, "background_not_supported"),
    (respond(conversation="conv_1"), openai.UnprocessableEntityError, "state_not_kept"),
    (respond(input=[{"type": "item_reference", "id": "x"}]), openai.UnprocessableEntityError, "state_not_kept"),
    (respond(previous_response_id="resp_nowhere"), openai.NotFoundError, "response_not_found"),
    (respond(include=["reasoning.encrypted_content"]), openai.UnprocessableEntityError, "include_not_supported"),
    (respond(model=VECTORS), openai.NotFoundError, "model_not_found"),
    (lambda world: world.client.responses.retrieve("resp_nowhere"), openai.NotFoundError, "response_not_found"),
    (
        lambda world: world.client.embeddings.create(model=VECTORS, input=[1, 2]),
        openai.UnprocessableEntityError,
        "tokens_not_readable",
    ),
    (lambda world: world.client.embeddings.create(model=CHAT, input="x"), openai.NotFoundError, "model_not_found"),
    (image(size="10x10"), openai.UnprocessableEntityError, "unsupported_size"),
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
        world.client.completions.create(model="x", prompt="y")


def test_a_key_that_may_only_generate_goes_on_from_nothing_that_was_kept(world: World) -> None:
    """A model would repeat to it what it may not open."""
    first = world.client.responses.create(model=CHAT, input=f"Greet {NAME}.", store=True)
    with world.server.openai(world.server.key(world.person, "generate")) as limited:
        assert limited.responses.create(model=CHAT, input="Hello").output_text
        for asked in (
            lambda: limited.responses.create(model=CHAT, input="Say it again.", previous_response_id=first.id),
            lambda: limited.responses.create(model=CHAT, input="Go on.", previous_response_id=first.id, stream=True),
            lambda: limited.responses.retrieve(first.id),
        ):
            with pytest.raises(openai.PermissionDeniedError) as refused:
                asked()
            assert NAME not in str(refused.value)
    with world.server.openai(world.server.key(world.person, "generate", "own-data")) as reading:
        made = reading.responses.create(model=CHAT, input="And now?", previous_response_id=first.id)
    assert made.previous_response_id == first.id
    world.client.responses.delete(first.id)
