"""POST /v1/chat/completions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

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


class TextPart(Wire):
    type: Literal["text"]
    text: LongText


class ImageAddress(Wire):
    """A picture inside the request (`data:image/...;base64,`); addresses elsewhere are refused later, with advice."""

    url: InlineImage
    detail: Literal["auto", "low", "high", "original"] | None = None


class ImagePart(Wire):
    type: Literal["image_url"]
    image_url: ImageAddress


class RefusalPart(Wire):
    type: Literal["refusal"]
    refusal: LongText


UserPart = Annotated[
    TextPart | ImagePart, Field(discriminator="type"), BeforeValidator(refused.types(refused.PARTS, "messages"))
]
AssistantPart = Annotated[TextPart | RefusalPart, Field(discriminator="type")]
TextContent = LongText | Annotated[list[TextPart], Field(min_length=1, max_length=256)]


class CalledFunction(Wire):
    name: Name
    arguments: LongText


class FunctionToolCall(Wire):
    id: Identifier
    type: Literal["function"]
    function: CalledFunction


class CalledCustom(Wire):
    name: Name
    input: LongText


class CustomToolCall(Wire):
    id: Identifier
    type: Literal["custom"]
    custom: CalledCustom


ToolCall = Annotated[FunctionToolCall | CustomToolCall, Field(discriminator="type")]


class InstructionMessage(Wire):
    role: Literal["system", "developer"]
    content: TextContent
    name: Name | None = None


class UserMessage(Wire):
    role: Literal["user"]
    content: LongText | Annotated[list[UserPart], Field(min_length=1, max_length=256)]
    name: Name | None = None


class AssistantMessage(Wire):
    role: Literal["assistant"]
    content: LongText | Annotated[list[AssistantPart], Field(min_length=1, max_length=256)] | None = None
    refusal: LongText | None = None
    name: Name | None = None
    tool_calls: Annotated[list[ToolCall], Field(max_length=128)] | None = None


class ToolMessage(Wire):
    role: Literal["tool"]
    content: TextContent
    tool_call_id: Identifier


Message = Annotated[InstructionMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class FunctionDefinition(Wire):
    name: Name
    description: LongText | None = None
    parameters: FreeJson | None = None
    strict: bool | None = None


class FunctionTool(Wire):
    type: Literal["function"]
    function: FunctionDefinition


class CustomDefinition(Wire):
    name: Name
    description: LongText | None = None
    format: FreeJson | None = None


class CustomTool(Wire):
    type: Literal["custom"]
    custom: CustomDefinition


Tool = Annotated[
    FunctionTool | CustomTool, Field(discriminator="type"), BeforeValidator(refused.types(refused.TOOLS, "tools"))
]


class Named(Wire):
    name: Name


class FunctionChoice(Wire):
    type: Literal["function"]
    function: Named


class CustomChoice(Wire):
    type: Literal["custom"]
    custom: Named


class AllowedTools(Wire):
    mode: Literal["auto", "required"]
    tools: Annotated[
        list[Annotated[FunctionChoice | CustomChoice, Field(discriminator="type")]], Field(min_length=1, max_length=128)
    ]


class AllowedChoice(Wire):
    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


ToolChoice = (
    Literal["none", "auto", "required"]
    | Annotated[FunctionChoice | CustomChoice | AllowedChoice, Field(discriminator="type")]
)


class PlainFormat(Wire):
    type: Literal["text", "json_object"]


class JsonSchema(Wire):
    name: Name
    description: LongText | None = None
    schema_: FreeJson | None = Field(default=None, alias="schema")
    strict: bool | None = None


class SchemaFormat(Wire):
    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat = Annotated[PlainFormat | SchemaFormat, Field(discriminator="type")]


class StreamOptions(Wire):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Prediction(Wire):
    type: Literal["content"]
    content: TextContent


Modality = Annotated[Literal["text"], BeforeValidator(refused.values({"audio": refused.AUDIO}, "modalities"))]


class CompleteChat(Wire):
    """The whole request. Sizes: 1,024 messages, 1,000,000 characters a text, 128 tools, 24 levels of schema."""

    _refused = model_validator(mode="before")(refused.fields(refused.CHAT_FIELDS))

    messages: Annotated[list[Message], Field(min_length=1, max_length=1024)]
    model: ModelName
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    logit_bias: Annotated[
        dict[Annotated[str, StringConstraints(pattern=r"^[0-9]{1,7}$")], Annotated[int, Field(ge=-100, le=100)]],
        Field(max_length=1024),
    ] | None = None  # fmt: skip
    logprobs: bool | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    metadata: Metadata | None = None
    modalities: Annotated[list[Modality], Field(max_length=1)] | None = None
    n: Annotated[int, Field(ge=1, le=8)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: Prediction | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    prompt_cache_key: Identifier | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: Identifier | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    stop: Label | Annotated[list[Label], Field(max_length=4)] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: Identifier | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class Completion(Answer):
    """The vendor's answer with the caller's own text put back. `id` is the request id of the receipt."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None = None
    service_tier: str | None = None
    system_fingerprint: str | None = None
