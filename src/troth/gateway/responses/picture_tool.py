"""The tool `image_generation` as vendors get it: a function with a prompt, whatever API they speak.

No vendor is offered a tool of its own that makes pictures: what it made would come unmoderated, unmarked and without
credentials. What the model writes as the function's prompt goes to the image desk (decision 0100).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from troth.gateway.restoring import well_formed
from troth.gateway.wire.images import GenerateImages
from troth.gateway.wire.response_tools import ImageTool
from troth.gateway.wire.responses import CreateResponse
from troth.kernel.errors import Invalid

NAME = "image_generation"
MOST = 4  # pictures of one answer, as of one request for pictures
_MAX_PROMPT = 32_000
_FUNCTION = {
    "type": "function",
    "name": NAME,
    "description": "Make a picture and show it to the user. Describe the whole picture in the prompt.",
    "parameters": {
        "type": "object",
        "properties": {"prompt": {"type": "string", "description": "What the picture shows, and in which style."}},
        "required": ["prompt"],
        "additionalProperties": False,
    },
    "strict": True,
}
_SHOWN = "The picture was made and shown to the user."


def tool_of(request: CreateResponse) -> ImageTool | None:
    """The tool as the caller offers it; None without. Raises `Invalid` for two, or a function of the same name."""
    tools = request.tools or []
    offered = [one for one in tools if isinstance(one, ImageTool)]
    named = [one for one in tools if not isinstance(one, ImageTool) and one.name == NAME]
    if offered and len(offered) + len(named) > 1:
        raise Invalid("Offer image_generation once, and no function of that name beside it.", code="tool-name-taken",
                      field="tools")  # fmt: skip
    if not offered and _wanted(request):
        raise Invalid("To choose image_generation, offer it in tools.", code="tool-not-offered", field="tool_choice")
    return offered[0] if offered else None


def as_function(payload: dict[str, Any]) -> None:
    """Put the function in place of the tool, of the choice of it, and of earlier calls of it."""
    if "tools" in payload:
        payload["tools"] = [_FUNCTION if one["type"] == NAME else one for one in payload["tools"]]
    choice = payload.get("tool_choice")
    if isinstance(choice, dict):
        payload["tool_choice"] = _chosen(choice)
    if isinstance(payload["input"], list):
        payload["input"] = [told for at, item in enumerate(payload["input"]) for told in _told(item, at)]


def order(tool: ImageTool, prompt: str) -> GenerateImages:
    """What the image desk is asked for."""
    wanted = tool.model_dump(exclude_none=True, exclude={"type", "action"})
    stages = bool(tool.partial_images)
    return GenerateImages(prompt=prompt, stream=stages or None, **wanted)


def prompt_of(arguments: str) -> str | None:
    """The prompt that a model wrote; None when there is none that can be asked for."""
    try:
        told = json.loads(arguments)
    except (ValueError, RecursionError):
        return None
    prompt = told.get("prompt") if isinstance(told, dict) else None
    if isinstance(prompt, str):
        prompt = well_formed(prompt)  # JSON may name half a character, which nothing later can write
    return prompt if isinstance(prompt, str) and 0 < len(prompt.strip()) <= len(prompt) <= _MAX_PROMPT else None


def most(request: CreateResponse) -> int:
    """How many pictures one answer may bring."""
    return min(MOST, request.max_tool_calls or MOST)


def _wanted(request: CreateResponse) -> bool:
    choice = request.tool_choice
    chosen: Sequence[Any] = getattr(choice, "tools", None) or [choice]
    return any(getattr(one, "type", None) == NAME for one in chosen)


def _chosen(choice: dict[str, Any]) -> dict[str, Any]:
    if choice["type"] == "allowed_tools":
        return choice | {"tools": [_chosen(one) for one in choice["tools"]]}
    return {"type": "function", "name": NAME} if choice["type"] == NAME else choice


def _told(item: dict[str, Any], at: int) -> Iterator[dict[str, Any]]:
    """An earlier picture as a call and its result: a model is told what was asked for, and never shown the picture."""
    if item["type"] != "image_generation_call":
        yield item
        return
    call, asked = f"ig_{at}", {"prompt": item.get("revised_prompt") or ""}
    yield {"type": "function_call", "call_id": call, "name": NAME, "arguments": json.dumps(asked, ensure_ascii=False)}
    yield {"type": "function_call_output", "call_id": call, "output": _SHOWN}
