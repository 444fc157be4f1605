"""A redacted request for /v1/responses as one for chat/completions: every text is moved, none is read or written."""

from __future__ import annotations

from typing import Any

from troth.kernel.errors import Invalid

# Members that have the same name and meaning in both.
_SAME = """model stream store temperature top_p parallel_tool_calls service_tier user safety_identifier""".split()
_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
_RESULTS = frozenset({"function_call_output", "custom_tool_call_output"})


def as_chat(payload: dict[str, Any]) -> dict[str, Any]:
    """The chat request. Raises `Invalid` (not-translatable) for what chat has no place for."""
    chat = {name: payload[name] for name in _SAME if name in payload}
    chat["messages"] = _messages(payload)
    if payload.get("truncation") == "auto":
        raise _untranslatable("truncation")
    if "max_output_tokens" in payload:
        chat["max_completion_tokens"] = payload["max_output_tokens"]
    if "effort" in payload.get("reasoning", {}):
        chat["reasoning_effort"] = payload["reasoning"]["effort"]
    if payload.get("tools"):
        chat["tools"] = [_tool(one) for one in payload["tools"]]
    if "tool_choice" in payload:
        chat["tool_choice"] = _choice(payload["tool_choice"])
    if payload.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    return chat | _text(payload.get("text", {})) | _logprobs(payload)


def _messages(payload: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if payload.get("instructions"):
        messages.append({"role": "system", "content": payload["instructions"]})
    if isinstance(payload["input"], str):
        return [*messages, {"role": "user", "content": payload["input"]}]
    for item in payload["input"]:
        kind = item["type"]
        if kind in _CALLS:
            _add_call(messages, item)
        elif kind in _RESULTS:
            messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": _result(item["output"])})
        elif kind == "message":
            messages.append({"role": item["role"], "content": _content(item)})
    return messages


def _add_call(messages: list[dict[str, Any]], item: dict[str, Any]) -> None:
    """Chat has the calls of one turn in one message, with what was said before them."""
    kind, text = _CALLS[item["type"]]
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    made = {"id": item["call_id"], "type": kind, kind: {"name": item["name"], text: item[text]}}
    messages[-1].setdefault("tool_calls", []).append(made)


def _content(item: dict[str, Any]) -> Any:
    content, assistant = item["content"], item["role"] == "assistant"
    if isinstance(content, str):
        return content
    parts = [_part(one) for one in content]
    kinds = {part["type"] for part in parts}
    if (kinds - {"text", "image_url"} and not assistant) or ("image_url" in kinds and item["role"] != "user"):
        raise _untranslatable("input")
    return parts


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "input_image":
        detail = {"detail": part["detail"]} if "detail" in part else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"]} | detail}
    if part["type"] == "refusal":
        return {"type": "refusal", "refusal": part["refusal"]}
    return {"type": "text", "text": part["text"]}


def _result(output: Any) -> Any:
    if isinstance(output, str):
        return output
    parts = [_part(one) for one in output]
    if any(part["type"] != "text" for part in parts):
        raise _untranslatable("input")
    return parts


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    kind = tool["type"]
    made: dict[str, Any] = {name: value for name, value in tool.items() if name != "type"}
    grammar: dict[str, Any] = made.get("format") or {}
    if kind == "custom" and grammar.get("type") == "grammar":
        made["format"] = {"type": "grammar", "grammar": {k: v for k, v in grammar.items() if k != "type"}}
    return {"type": kind, kind: made}


def _choice(choice: Any) -> Any:
    if isinstance(choice, str):
        return choice
    if choice["type"] == "allowed_tools":
        tools = [_choice(one) for one in choice["tools"]]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice["mode"], "tools": tools}}
    return {"type": choice["type"], choice["type"]: {"name": choice["name"]}}


def _text(config: dict[str, Any]) -> dict[str, Any]:
    wanted = config.get("format") or {}
    made = {"verbosity": config["verbosity"]} if "verbosity" in config else {}
    if wanted.get("type") == "json_schema":
        schema = {name: value for name, value in wanted.items() if name != "type"}
        return made | {"response_format": {"type": "json_schema", "json_schema": schema}}
    return made | ({"response_format": wanted} if wanted else {})


def _logprobs(payload: dict[str, Any]) -> dict[str, Any]:
    if not payload.get("include") and "top_logprobs" not in payload:
        return {}
    return {"logprobs": True} | ({"top_logprobs": payload["top_logprobs"]} if "top_logprobs" in payload else {})


def _untranslatable(field: str) -> Invalid:
    return Invalid("The vendor of this model speaks chat alone, which has no place for this; leave it out or choose "
                   "another model.", code="not-translatable", field=field)  # fmt: skip
