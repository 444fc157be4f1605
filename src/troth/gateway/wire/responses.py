"""POST /v1/responses, GET and DELETE /v1/responses/{response_id}."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from troth.gateway.wire import refused
from troth.gateway.wire.fields import (
    Answer,
    FreeJson,
    Identifier,
    InlineImage,
    Label,
    LongText,
    Metadata,
    ModelName,
    Name,
    Wire,
)
from troth.gateway.wire.response_tools import Tool, ToolChoice

Status = Literal["in_progress", "completed", "incomplete"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
ResponseId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]


def _unsent() -> Any:
    """What clients send back of an earlier answer, and no vendor needs: it stays here."""
    return Field(default=None, exclude=True)


class InputText(Wire):
    type: Literal["input_text"]
    text: LongText


class OutputText(Wire):
    type: Literal["output_text"]
    text: LongText
    annotations: Annotated[list[FreeJson], Field(max_length=256)] | None = _unsent()
    logprobs: Annotated[list[FreeJson], Field(max_length=100_000)] | None = _unsent()


class RefusalText(Wire):
    type: Literal["refusal"]
    refusal: LongText


class InputImage(Wire):
    """A picture inside the request (`data:image/...;base64,`); addresses elsewhere are refused later, with advice."""

    type: Literal["input_image"]
    image_url: InlineImage
    detail: Literal["auto", "low", "high", "original"] | None = None


_PART = BeforeValidator(refused.types(refused.PARTS, "input"))
Part = Annotated[InputText | OutputText | RefusalText | InputImage, Field(discriminator="type"), _PART]
Content = LongText | Annotated[list[Part], Field(min_length=1, max_length=256)]
Output = (
    LongText
    | Annotated[
        list[Annotated[InputText | InputImage, Field(discriminator="type"), _PART]], Field(min_length=1, max_length=256)
    ]
)


class MessageItem(Wire):
    type: Literal["message"]
    role: Literal["user", "assistant", "system", "developer"]
    content: Content
    id: Identifier | None = _unsent()
    status: Status | None = _unsent()
    phase: Literal["commentary", "final_answer"] | None = None


class FunctionCallItem(Wire):
    type: Literal["function_call"]
    call_id: Identifier
    name: Name
    arguments: LongText
    id: Identifier | None = _unsent()
    status: Status | None = _unsent()


class FunctionOutputItem(Wire):
    type: Literal["function_call_output"]
    call_id: Identifier
    output: Output
    id: Identifier | None = _unsent()
    status: Status | None = _unsent()


class CustomCallItem(Wire):
    type: Literal["custom_tool_call"]
    call_id: Identifier
    name: Name
    input: LongText
    id: Identifier | None = _unsent()
    status: Status | None = _unsent()


class CustomOutputItem(Wire):
    type: Literal["custom_tool_call_output"]
    call_id: Identifier
    output: Output
    id: Identifier | None = _unsent()
    status: Status | None = _unsent()


class ImageCallItem(Wire):
    """A picture that was made before, sent back by clients: of it a model is told only what was asked for."""

    type: Literal["image_generation_call"]
    id: Identifier | None = _unsent()
    result: InlineImage | None = _unsent()
    revised_prompt: LongText | None = None
    status: Literal["in_progress", "generating", "completed", "failed"] | None = _unsent()
    action: Literal["generate"] | None = _unsent()
    background: Literal["transparent", "opaque"] | None = _unsent()
    output_format: Literal["png", "webp", "jpeg"] | None = _unsent()
    quality: Literal["low", "medium", "high", "auto"] | None = _unsent()
    size: Label | None = _unsent()


class ReasoningItem(Wire):
    """What a model thought, sent back by clients. It stays here: without a store at the vendor it helps no model."""

    type: Literal["reasoning"]
    id: Identifier | None = _unsent()
    summary: Annotated[list[FreeJson], Field(max_length=256)] | None = _unsent()
    content: Annotated[list[FreeJson], Field(max_length=256)] | None = _unsent()
    encrypted_content: LongText | None = _unsent()
    status: Status | None = _unsent()


def _typed(item: Any) -> Any:
    """A message may come without its type."""
    return {"type": "message"} | item if isinstance(item, dict) and "role" in item else item


Item = Annotated[
    MessageItem
    | FunctionCallItem
    | FunctionOutputItem
    | CustomCallItem
    | CustomOutputItem
    | ImageCallItem
    | ReasoningItem,
    Field(discriminator="type"),
    BeforeValidator(refused.types(refused.ITEMS, "input")),
    BeforeValidator(_typed),
]


class PlainFormat(Wire):
    type: Literal["text", "json_object"]


class SchemaFormat(Wire):
    type: Literal["json_schema"]
    name: Name
    schema_: Annotated[FreeJson, Field(alias="schema")]
    description: LongText | None = None
    strict: bool | None = None


class TextConfig(Wire):
    format: Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Reasoning(Wire):
    effort: Effort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class StreamOptions(Wire):
    include_obfuscation: bool | None = None


Include = Annotated[
    Literal["message.output_text.logprobs"], BeforeValidator(refused.values(refused.INCLUDES, "include"))
]


class CreateResponse(Wire):
    """The whole request. Sizes: 1,024 items, 1,000,000 characters a text, 128 tools, 24 levels of schema.

    `store` is false unless asked for; then the answer and what led to it are kept sealed here, never at a vendor.
    """

    _refused = model_validator(mode="before")(refused.fields(refused.RESPONSE_FIELDS))

    model: ModelName
    input: LongText | Annotated[list[Item], Field(min_length=1, max_length=1024)]
    background: Annotated[Literal[False], BeforeValidator(refused.background)] | None = None
    include: Annotated[list[Include], Field(max_length=8)] | None = None
    instructions: LongText | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_tool_calls: Annotated[int, Field(ge=1, le=1024)] | None = None
    metadata: Metadata | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: ResponseId | None = None
    prompt_cache_key: Identifier | None = None
    reasoning: Reasoning | None = None
    safety_identifier: Identifier | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    text: TextConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: Identifier | None = None


class ResponseById(Wire):
    """One kept response of one's own."""

    response_id: ResponseId


class Response(Answer):
    """The vendor's answer with the caller's own text put back. `id` is the request id of the receipt."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: Literal["completed", "incomplete", "in_progress"]
    model: str
    output: list[dict[str, Any]]
    error: None = None
    incomplete_details: dict[str, str] | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    reasoning: dict[str, Any] | None = None
    store: bool = False
    temperature: float | None = None
    text: dict[str, Any] | None = None
    tool_choice: str | dict[str, Any] = "auto"
    tools: list[dict[str, Any]] = Field(default_factory=list)
    top_p: float | None = None
    truncation: str | None = None
    usage: dict[str, Any] | None = None


class ResponseDeleted(Answer):
    """A kept response is gone."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True
