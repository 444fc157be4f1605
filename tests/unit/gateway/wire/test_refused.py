"""What OpenAI's API knows and Troth refuses has a code and advice of its own; null says nothing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from troth.gateway.wire import refused
from troth.gateway.wire.chat import CompleteChat
from troth.gateway.wire.responses import CreateResponse
from troth.kernel.errors import Invalid

CHAT = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
RESPONSE = {"model": "m", "input": "x"}


def part(kind: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": kind, kind: {}}]}]}


def content(kind: str) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": kind}]}]}


CASES: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    *((CompleteChat, CHAT | {name: {}}, why[0]) for name, why in refused.CHAT_FIELDS.items()),
    *((CompleteChat, CHAT | {"tools": [{"type": name}]}, why[0]) for name, why in refused.TOOLS.items()),
    *((CompleteChat, CHAT | part(name), why[0]) for name, why in refused.PARTS.items()),
    (CompleteChat, CHAT | {"modalities": ["text", "audio"]}, "audio-not-supported"),
    *((CreateResponse, RESPONSE | {name: {}}, why[0]) for name, why in refused.RESPONSE_FIELDS.items()),
    *((CreateResponse, RESPONSE | {"tools": [{"type": name}]}, why[0]) for name, why in refused.TOOLS.items()),
    *((CreateResponse, RESPONSE | {"tool_choice": {"type": name}}, why[0]) for name, why in refused.TOOLS.items()),
    *((CreateResponse, RESPONSE | {"input": [{"type": name}]}, why[0]) for name, why in refused.ITEMS.items()),
    *((CreateResponse, RESPONSE | {"include": [name]}, why[0]) for name, why in refused.INCLUDES.items()),
    *((CreateResponse, RESPONSE | content(name), why[0]) for name, why in refused.PARTS.items()),
    (CreateResponse, RESPONSE | {"background": True}, "background-not-supported"),
]


@pytest.mark.parametrize(("model", "values", "code"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_each_has_its_code_and_advice(model: type[BaseModel], values: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        model.model_validate(values)
    assert refusal.value.code == code
    assert refusal.value.field in values
    assert len(refusal.value.advice.split()) > 4


@pytest.mark.parametrize("name", refused.CHAT_FIELDS)
def test_null_in_chat_says_nothing(name: str) -> None:
    assert CompleteChat.model_validate(CHAT | {name: None}) == CompleteChat.model_validate(CHAT)


@pytest.mark.parametrize("name", [*refused.RESPONSE_FIELDS, "background"])
def test_null_in_a_response_says_nothing(name: str) -> None:
    assert CreateResponse.model_validate(RESPONSE | {name: None}) == CreateResponse.model_validate(RESPONSE)


@pytest.mark.parametrize(("model", "values"), [(CompleteChat, CHAT), (CreateResponse, RESPONSE)])
def test_what_stands_nowhere_is_an_unknown_field(model: type[BaseModel], values: dict[str, Any]) -> None:
    for change in ({"surprise": 1}, {"tools": [{"type": "surprise"}]}, {"input": [{"type": "surprise"}]}):
        with pytest.raises(ValidationError):
            model.model_validate(values | change)
