"""A call that a request demands (`tool_choice` names a function): its texts are filled with what the user said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from troth.gateway.studio.chat import cut, last_request

_MOST = 16  # arguments: each of them repeats what the user said


def demanded(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of an answer to a chat request: one for a function that must be called, none otherwise."""
    choice = payload.get("tool_choice")
    named = choice.get("function") if isinstance(choice, Mapping) and choice.get("type") == "function" else None
    if not isinstance(named, Mapping):
        return []
    tools = [one["function"] for one in payload.get("tools") or [] if one.get("type") == "function"]
    tool = next((one for one in tools if one["name"] == named["name"]), None)
    if tool is None:
        return []
    arguments = json.dumps(
        _filled(tool.get("parameters") or {}, cut(last_request(payload["messages"]))), ensure_ascii=False
    )
    function = {"name": tool["name"], "arguments": arguments}
    return [{"index": 0, "id": "call_1", "type": "function", "function": function}]


def _filled(schema: Mapping[str, Any], text: str) -> dict[str, str]:
    known, required = schema.get("properties"), schema.get("required")
    properties: Mapping[str, Any] = known if isinstance(known, Mapping) else {}
    names = required[:_MOST] if isinstance(required, list) else []
    kinds = {name: properties[name].get("type") for name in names
             if isinstance(name, str) and isinstance(properties.get(name), Mapping)}  # fmt: skip
    return {name: text for name, kind in kinds.items() if kind == "string"}
