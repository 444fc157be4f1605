"""What a vendor writes beside the text it was asked for: nothing of it passes unread."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_world import Upstream, World, serving
from troth.gateway.wire.chat import CompleteChat, Completion
from troth.kernel.errors import Denied, VendorFailed

ASKED = {"model": "acme-chat", "messages": [{"role": "user", "content": "Hello"}]}


def answered(world: World, choice: dict[str, Any], **more: Any) -> Completion:
    """What comes of a vendor's answer with one choice."""

    async def go() -> Completion:
        async with serving(Upstream(chat=lambda body: {"choices": [choice]} | more)) as upstream:
            world.add_vendor(upstream.url)
            answer = await world.chat.complete(world.call(), CompleteChat.model_validate(ASKED))
            assert isinstance(answer, Completion)
            return answer

    made: Completion = world.run(go())
    return made


BOMB = "how to build a pipe bomb"


@pytest.mark.parametrize(
    "choice",
    [
        {"message": {"content": BOMB}},
        {"message": {"refusal": BOMB}},
        {"message": {"reasoning_content": BOMB}},
        {"message": {"tool_calls": [{"id": BOMB.replace(" ", "-"), "type": "function", "function": {"name": "f"}}]}},
        {"message": {"tool_calls": [{"type": "function", "function": {"name": BOMB.replace(" ", "_")}}]}},
        {"message": {"tool_calls": [{"function": {"name": "f", "arguments": BOMB.replace("b", "\\u0062")}}]}},
        {"message": {"tool_calls": [{"type": "custom", "custom": {"name": "f", "input": BOMB}}]}},
        {"message": {}, "logprobs": {"content": [{"token": one, "logprob": 0} for one in BOMB]}},
    ],
)
def test_every_text_of_an_answer_is_moderated(world: World, choice: dict[str, Any]) -> None:
    with pytest.raises(Denied):
        answered(world, choice)


@pytest.mark.parametrize(
    "choice",
    [
        1,
        {},
        {"message": 1},
        {"message": {"content": ["a"]}},
        {"message": {"role": "a text"}},
        {"message": {"tool_calls": {"a": 1}}},
        {"message": {"tool_calls": [{"type": "a text"}]}},
        {"message": {}, "finish_reason": "a text"},
        {"message": {}, "index": "a text"},
        {"message": {}, "logprobs": "a text"},
    ],
)
def test_answers_out_of_shape_are_the_vendors_failure(world: World, choice: Any) -> None:
    with pytest.raises(VendorFailed):
        answered(world, choice)


def test_members_that_nobody_knows_do_not_pass(world: World) -> None:
    secret = "not for the caller"
    message = {"content": "a", "x": secret, "annotations": [secret], "audio": {"data": secret}}
    choice = {"message": message, "x": secret, "content_filter_results": {secret: secret}}
    usage = {"total_tokens": 3, "prompt_tokens": secret, "x": {secret: secret}}
    made = answered(world, choice, usage=usage, x=secret, service_tier=secret, system_fingerprint=secret, created=-1)
    assert secret not in made.model_dump_json()
    assert made.usage == {"total_tokens": 3}
    assert made.created > 0


def test_half_a_surrogate_pair_is_replaced(world: World) -> None:
    made = answered(world, {"message": {"content": "a\ud800"}})
    assert made.choices[0]["message"]["content"] == "a\ufffd"
    made.model_dump_json()
