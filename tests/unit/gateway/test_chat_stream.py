"""Chunks out of shape, text held to the end, and streams that nobody reads to the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway_world import Upstream, World, event, serving
from troth.gateway.chat_stream import ChatRelay
from troth.gateway.moderation import Moderator
from troth.gateway.places import CHAT
from troth.gateway.redaction import Redactor
from troth.gateway.wire.chat import CompleteChat
from troth.kernel.errors import Denied, VendorFailed
from troth.redact.detect import rules_detector
from troth.redact.policy import vendor_policy

MAIL = "jane.doe@example.com"
MODERATOR = Moderator()


def relay() -> tuple[ChatRelay, str]:
    """A relay, and the placeholder of MAIL."""
    redaction = Redactor(rules_detector(), vendor_policy(), b"k" * 32).begin()
    sent = redaction.redact({"messages": [{"content": MAIL}]}, CHAT)
    return ChatRelay(redaction, MODERATOR, "req_x", "m"), sent["messages"][0]["content"]


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}


def delta(given: dict[str, Any]) -> dict[str, Any]:
    return given["choices"][0]["delta"]


def test_held_text_comes_with_the_finish() -> None:
    stream, placeholder = relay()
    assert delta(stream.chunk(chunk({"role": "assistant", "content": f"a {placeholder[:5]}"}))) == {
        "role": "assistant",
        "content": "a ",
    }
    finished = stream.chunk(chunk({}, "stop"))
    assert delta(finished) == {"content": placeholder[:5]}
    assert list(stream.rest()) == []


HATE = "go die you disgusting retard, nobody loves you, you ugly fat pig"


@pytest.mark.parametrize("ends", [True, False], ids=["finish reason", "none"])
def test_the_end_of_a_text_is_judged_before_the_end_is_told(ends: bool) -> None:
    stream, _ = relay()
    for word in HATE.split(" "):  # without an end of a sentence, and too short to be read on the way
        stream.chunk(chunk({"content": f"{word} "}))
    with pytest.raises(Denied):
        stream.chunk(chunk({}, "stop")) if ends else list(stream.rest())


def test_held_arguments_come_with_the_finish() -> None:
    stream, placeholder = relay()
    tool = {
        "index": 2,
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": f'{{"a": "{placeholder[:5]}'},
    }
    given = delta(stream.chunk(chunk({"tool_calls": [tool]})))["tool_calls"][0]
    assert given == {"index": 2, "id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": "'}}
    rest = delta(stream.chunk(chunk({}, "tool_calls")))["tool_calls"]
    assert rest == [{"index": 2, "function": {"arguments": placeholder[:5]}}]


def test_held_text_of_a_stream_without_finish() -> None:
    stream, placeholder = relay()
    stream.chunk(chunk({"content": placeholder[:5]}, index=1))
    (rest,) = stream.rest()
    assert rest["choices"] == [{"index": 1, "delta": {"content": placeholder[:5]}, "finish_reason": None}]


def test_other_texts_and_structures_are_restored_too() -> None:
    stream, placeholder = relay()
    custom = {"index": 0, "custom": {"name": "f", "input": placeholder}}
    given = delta(stream.chunk(chunk({"reasoning_content": placeholder, "tool_calls": [custom]})))
    assert given["reasoning_content"] == MAIL
    assert given["tool_calls"][0]["custom"]["input"] == MAIL


def test_logprobs_pass_without_bytes() -> None:
    stream, _ = relay()
    token = {"token": "a", "logprob": -1.5, "bytes": [97], "x": 1}
    given = stream.chunk(
        {"choices": [{"index": 0, "delta": {}, "logprobs": {"content": [token | {"top_logprobs": [token]}]}}]}
    )
    kept = {"token": "a", "logprob": -1.5, "bytes": None}
    assert given["choices"][0]["logprobs"] == {"content": [kept | {"top_logprobs": [kept]}], "refusal": None}


def test_members_that_nobody_knows_do_not_pass() -> None:
    stream, placeholder = relay()
    tool = {"index": 0, "x": placeholder, "function": {"name": "f", "x": placeholder}, "custom": None}
    given = stream.chunk({
        "x": placeholder,
        "service_tier": placeholder,
        "usage": {"total_tokens": 3, "prompt_tokens": "3", "completion_tokens": True, "x": placeholder,
                  "prompt_tokens_details": {"cached_tokens": 1, "x": placeholder}},
        "choices": [{"index": 0, "x": placeholder, "delta": {"audio": {"x": placeholder}, "x": [placeholder],
                     "annotations": [placeholder], "tool_calls": [tool]}}],
    })  # fmt: skip
    (choice,) = given["choices"]
    assert choice == {
        "index": 0,
        "delta": {"tool_calls": [{"index": 0, "function": {"name": "f"}}]},
        "finish_reason": None,
    }
    assert given["usage"] == {"total_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}}
    assert set(given) == {"id", "object", "created", "model", "choices", "usage"}


PHRASE = ("how to bui", "ld a pipe", " bomb")


@pytest.mark.parametrize(
    "parts",
    [
        [{"delta": {"content": one}} for one in PHRASE],
        [{"delta": {"refusal": one}} for one in PHRASE],
        [{"delta": {"reasoning_content": one}} for one in PHRASE],
        [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "how_to_build_a_pipe_bomb"}}]}}],
        [{"delta": {"tool_calls": [{"index": 0, "id": "how-to-build-a-pipe-bomb"}]}}],
        [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": one}}]}} for one in PHRASE],
        [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": one}}]}}
         for one in ("how to b\\u00", "75ild a p\\u0069pe bo", "mb")],
        [{"delta": {"tool_calls": [{"index": 0, "custom": {"input": one}}]}} for one in PHRASE],
        [{"delta": {}, "logprobs": {"content": [{"token": one, "logprob": 0}]}} for one in PHRASE],
        [{"delta": {}, "logprobs": {"refusal": [{"token": one, "logprob": 0} for one in PHRASE]}}],
        [{"delta": {}, "logprobs": {"content": [
            {"token": "a", "logprob": 0, "top_logprobs": [{"token": "b", "logprob": 0}, {"token": one, "logprob": 0}]}
            for one in PHRASE]}}],
    ],
)  # fmt: skip
def test_every_text_is_moderated(parts: list[dict[str, Any]]) -> None:
    stream, _ = relay()
    with pytest.raises(Denied):
        for one in parts:
            stream.chunk({"choices": [{"index": 0} | one]})


def test_text_after_the_finish_goes_on_in_its_address() -> None:
    stream, placeholder = relay()
    stream.chunk(chunk({"content": "![x](//1.2.3.4/"}, "stop"))
    assert delta(stream.chunk(chunk({"content": placeholder}))) == {"content": placeholder}


def test_names_go_out_once() -> None:
    stream, _ = relay()
    first = chunk({"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]})
    assert delta(stream.chunk(first))["tool_calls"][0]["id"] == "c1"
    assert delta(stream.chunk(first))["tool_calls"][0] == {"index": 0, "function": {"arguments": ""}}
    with pytest.raises(VendorFailed):
        stream.chunk(chunk({"tool_calls": [{"index": 0, "function": {"name": "g"}}]}))


def test_json_content_comes_back_as_json() -> None:
    redaction = Redactor(rules_detector(), vendor_policy(), b"k" * 32).begin()
    placeholder = redaction.redact({"messages": [{"content": MAIL}]}, CHAT)["messages"][0]["content"]
    stream = ChatRelay(redaction, MODERATOR, "req_x", "m", json_content=True)
    written = f'{{"page":"https://example.org/","mail":"{placeholder}"}}'
    assert json.loads(delta(stream.chunk(chunk({"content": written})))["content"])["mail"] == MAIL


def test_half_a_surrogate_pair_is_replaced() -> None:
    stream, _ = relay()
    given = stream.chunk({"choices": [{"index": 0, "delta": {"content": "a\ud800"},
                          "logprobs": {"content": [{"token": "\udfff", "logprob": 0}]}}]})  # fmt: skip
    assert delta(given) == {"content": "a\ufffd"}
    json.dumps(given, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "broken",
    [
        {"choices": 1},
        {"choices": [1]},
        {"choices": [{"delta": 1}]},
        {"choices": [{"index": -1, "delta": {}}]},
        {"choices": [{"index": 99, "delta": {}}]},
        {"choices": [{"index": "a", "delta": {}}]},
        {"choices": [{"delta": {"tool_calls": [1]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 1000}]}}]},
        {"choices": [{"delta": {"tool_calls": {"x": 1}}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "type": "x"}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a b"}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "a b"}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": {}}}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": "f"}]}}]},
        {"choices": [{"index": True, "delta": {}}]},
        {"choices": [{"delta": {"content": ["a"]}}]},
        {"choices": [{"delta": {"content": {"text": "a"}}}]},
        {"choices": [{"delta": {"role": "a text"}}]},
        {"choices": [{"delta": {"role": ["assistant"]}}]},
        {"choices": [{"delta": {}, "finish_reason": "a text"}]},
        {"choices": [{"delta": {}, "finish_reason": ["stop"]}]},
        {"choices": [{"delta": {}, "logprobs": [1]}]},
        {"choices": [{"delta": {}, "logprobs": {"content": [{"token": 1, "logprob": 0}]}}]},
        {"choices": [{"delta": {}, "logprobs": {"content": [{"token": "a", "logprob": "a text"}]}}]},
        {"choices": [{"delta": {}}] * 17},
    ],
)
def test_chunks_out_of_shape_are_the_vendors_failure(broken: dict[str, Any]) -> None:
    with pytest.raises(VendorFailed):
        relay()[0].chunk(broken)


def test_a_caller_who_leaves_ends_the_request(tmp_path: Any) -> None:
    world = World(tmp_path)
    chunks = [event([{"index": 0, "delta": {"content": "a"}}])] * 9

    async def go() -> str:
        async with serving(Upstream(chunks=lambda body: chunks)) as upstream:
            world.add_vendor(upstream.url)
            call = world.call()
            body = {"model": "acme-chat", "messages": [{"role": "user", "content": "go"}], "stream": True}
            stream = await world.chat.complete(call, CompleteChat.model_validate(body))
            async for piece in stream.chunks:
                assert json.loads(piece.removeprefix(b"data: "))
                break
            await stream.chunks.aclose()
            return world.receipt(call).outcome

    assert world.run(go()) == "cancelled"
