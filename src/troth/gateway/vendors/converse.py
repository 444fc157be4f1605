"""OpenAI's chat in the shape of Bedrock's Converse API, and back. Pure.

What Converse has no place for is refused: a request that is answered differently than asked is worse than none.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

from troth.gateway.vendors.port import unoffered
from troth.kernel.errors import VendorFailed

_SETTINGS = {"max_tokens": "maxTokens", "max_completion_tokens": "maxTokens", "temperature": "temperature",
             "top_p": "topP"}  # fmt: skip
# Translated below, or said by the road itself. `store`, `user` and the like never reach Bedrock: it has no such fields.
_KNOWN = frozenset(_SETTINGS) | frozenset(
    """model messages stop tools tool_choice stream stream_options store user safety_identifier seed
    parallel_tool_calls""".split()
)
_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}
_INLINE = re.compile(r"data:image/(png|jpeg|webp|gif);base64,(.*)", re.DOTALL)
_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})")


def request(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The body of Converse. Raises `Invalid` for what it cannot say."""
    extra = {name for name, value in payload.items() if name not in _KNOWN and not _ordinary(name, value)}
    if extra:
        raise unoffered()
    made: dict[str, Any] = {"messages": _merged(_turns(payload["messages"]))}
    if system := [{"text": text} for one in payload["messages"] for text in _instructions(one)]:
        made["system"] = system
    settings = {new: payload[old] for old, new in _SETTINGS.items() if payload.get(old) is not None}
    if stop := payload.get("stop"):
        settings["stopSequences"] = [stop] if isinstance(stop, str) else list(stop)
    if settings:
        made["inferenceConfig"] = settings
    if payload.get("tools") and payload.get("tool_choice") != "none":
        made["toolConfig"] = _tools(payload["tools"], payload.get("tool_choice"))
    return made


def _ordinary(name: str, value: Any) -> bool:
    """True for a setting that asks for what happens anyway."""
    ordinary: dict[str, Any] = {"n": 1, "logprobs": False, "frequency_penalty": 0, "presence_penalty": 0,
                                "response_format": {"type": "text"}}  # fmt: skip
    return value is None or (name in ordinary and value == ordinary[name])


def _instructions(message: Mapping[str, Any]) -> Iterator[str]:
    if message["role"] in ("system", "developer"):
        for block in _blocks(message["content"]):
            if "text" not in block:
                raise unoffered()
            yield block["text"]


def _turns(messages: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for message in messages:
        role = message["role"]
        if role == "tool":
            result = {"toolUseId": message["tool_call_id"], "content": _blocks(message["content"])}
            yield {"role": "user", "content": [{"toolResult": result}]}
        elif role == "assistant":
            calls = [_call(one) for one in message.get("tool_calls") or []]
            yield {"role": "assistant", "content": [*_blocks(message.get("content")), *calls]}
        elif role == "user":
            yield {"role": "user", "content": _blocks(message["content"])}
        elif role not in ("system", "developer"):
            raise unoffered()


def _merged(turns: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Converse wants roles in turn: neighbours of one role become one."""
    made: list[dict[str, Any]] = []
    for turn in turns:
        if made and made[-1]["role"] == turn["role"]:
            made[-1]["content"] += turn["content"]
        else:
            made.append(turn)
    return made


def _blocks(content: Any) -> list[dict[str, Any]]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [{"text": content}]
    return [_block(part) for part in content]


def _block(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"text": part["text"]}
    if part.get("type") == "image_url" and (found := _INLINE.match(part["image_url"]["url"])):
        return {"image": {"format": found[1], "source": {"bytes": found[2]}}}
    raise unoffered()


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = call["function"]
    try:
        given = json.loads(function["arguments"] or "{}")
    except ValueError as error:
        raise unoffered() from error
    return {"toolUse": {"toolUseId": call["id"], "name": function["name"], "input": given}}


def _tools(tools: list[Mapping[str, Any]], choice: Any) -> dict[str, Any]:
    specs = []
    for tool in tools:
        if tool.get("type") != "function":
            raise unoffered()
        function = tool["function"]
        spec = {"name": function["name"], "inputSchema": {"json": function.get("parameters") or {"type": "object"}}}
        specs.append({"toolSpec": spec | ({"description": d} if (d := function.get("description")) else {})})
    made: dict[str, Any] = {"tools": specs}
    if choice == "required":
        made["toolChoice"] = {"any": {}}
    elif isinstance(choice, dict):
        made["toolChoice"] = {"tool": {"name": choice["function"]["name"]}}
    return made


def completion(answer: Mapping[str, Any]) -> dict[str, Any]:
    """A chat.completion of Converse's answer. Raises `VendorFailed`."""
    message = (answer.get("output") or {}).get("message")
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        raise VendorFailed("The vendor's answer is not in Bedrock's format; try again or choose another model.",
                           code="vendor-bad-answer")  # fmt: skip
    blocks = [one for one in message["content"] if isinstance(one, dict)]
    text = "".join(one["text"] for one in blocks if isinstance(one.get("text"), str))
    calls = [_told(one["toolUse"]) for one in blocks if isinstance(one.get("toolUse"), dict)]
    said: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
    said |= {"tool_calls": calls} if calls else {}
    choice = {"index": 0, "message": said, "finish_reason": _reason(answer.get("stopReason")), "logprobs": None}
    return {"created": int(time.time()), "choices": [choice], "usage": _usage(answer.get("usage"))}


def chunks(name: str, event: Mapping[str, Any], *, usage: bool) -> Iterator[dict[str, Any]]:
    """The chat.completion.chunks that one event of ConverseStream is."""
    if name == "messageStart":
        yield _chunk({"role": "assistant", "content": ""})
    elif name == "contentBlockStart" and (use := (event.get("start") or {}).get("toolUse")):
        function = {"name": use.get("name"), "arguments": ""}
        index = event.get("contentBlockIndex", 0)
        yield _chunk({"tool_calls": [{"index": index, "id": use.get("toolUseId"), "type": "function",
                                      "function": function}]})  # fmt: skip
    elif name == "contentBlockDelta":
        delta = event.get("delta") or {}
        if isinstance(delta.get("text"), str):
            yield _chunk({"content": delta["text"]})
        elif isinstance(given := (delta.get("toolUse") or {}).get("input"), str):
            index = event.get("contentBlockIndex", 0)
            yield _chunk({"tool_calls": [{"index": index, "function": {"arguments": given}}]})
    elif name == "messageStop":
        yield _chunk({}, _reason(event.get("stopReason")))
    elif name == "metadata" and usage:
        yield {"created": int(time.time()), "choices": [], "usage": _usage(event.get("usage"))}


def _chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"created": int(time.time()), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def _told(use: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": use.get("name"), "arguments": json.dumps(use.get("input") or {})}
    return {"id": use.get("toolUseId"), "type": "function", "function": function}


def _reason(reason: Any) -> str:
    return _REASONS.get(str(reason), "stop")


def _usage(usage: Any) -> dict[str, int]:
    given = usage if isinstance(usage, dict) else {}
    read, made = given.get("inputTokens", 0), given.get("outputTokens", 0)
    if not (isinstance(read, int) and isinstance(made, int)):
        read = made = 0
    return {"prompt_tokens": read, "completion_tokens": made, "total_tokens": read + made}


def picture(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The body of InvokeModel for Titan and Nova Canvas. Raises `Invalid` for a size in other words."""
    size = payload.get("size") or "1024x1024"
    found = _SIZE.fullmatch("1024x1024" if size == "auto" else size)
    if found is None:
        raise unoffered()
    config = {"numberOfImages": payload.get("n") or 1, "width": int(found[1]), "height": int(found[2])}
    return {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": payload["prompt"]}, "imageGenerationConfig": config}
