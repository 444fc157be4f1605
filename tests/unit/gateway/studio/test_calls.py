"""Calls that a request demands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from troth.gateway.studio.calls import demanded

SCHEMA = {
    "type": "object",
    "properties": {"prompt": {"type": "string"}, "count": {"type": "integer"}, "note": {"type": "string"}},
    "required": ["prompt", "count"],
}
CHOSEN = {"type": "function", "function": {"name": "draw"}}


def asked(**change: Any) -> dict[str, Any]:
    tool = {"type": "function", "function": {"name": "draw", "parameters": SCHEMA}}
    messages = [{"role": "user", "content": "A house"}, {"role": "assistant", "content": "Yes?"}]
    return {"messages": messages, "tools": [tool], "tool_choice": CHOSEN} | change


def test_its_required_texts_are_what_the_user_said() -> None:
    (call,) = demanded(asked())
    assert (call["type"], call["function"]["name"]) == ("function", "draw")
    assert json.loads(call["function"]["arguments"]) == {"prompt": "A house"}


@pytest.mark.parametrize("schema", [{}, {"properties": [], "required": 3}, {"properties": {"a": 1}, "required": ["a"]}])
def test_a_schema_that_asks_for_nothing_gets_nothing(schema: dict[str, Any]) -> None:
    (call,) = demanded(asked(tools=[{"type": "function", "function": {"name": "draw", "parameters": schema}}]))
    assert call["function"]["arguments"] == "{}"


@pytest.mark.parametrize(
    "change",
    [{"tool_choice": "auto"}, {"tool_choice": "required"}, {"tools": []},
     {"tool_choice": {"type": "custom", "custom": {"name": "draw"}}},
     {"tools": [{"type": "function", "function": {"name": "other"}}]}],
)  # fmt: skip
def test_nothing_is_called_that_nobody_demands(change: dict[str, Any]) -> None:
    assert demanded(asked(**change)) == []


def test_what_is_repeated_is_bounded() -> None:
    schema = {
        "properties": {f"p{n}": {"type": "string"} for n in range(500)},
        "required": [f"p{n}" for n in range(500)],
    }
    tools = [{"type": "function", "function": {"name": "draw", "parameters": schema}}]
    (call,) = demanded(asked(tools=tools, messages=[{"role": "user", "content": "house " * 10_000}]))
    assert len(call["function"]["arguments"]) < 20_000
