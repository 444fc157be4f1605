"""The tools of /v1/responses: functions that the caller runs, and `image_generation`, which runs here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from troth.gateway.wire import refused
from troth.gateway.wire.fields import FreeJson, LongText, ModelName, Name, Wire
from troth.gateway.wire.images import Size


class FunctionTool(Wire):
    type: Literal["function"]
    name: Name
    description: LongText | None = None
    parameters: FreeJson | None = None
    strict: bool | None = None


class CustomTool(Wire):
    type: Literal["custom"]
    name: Name
    description: LongText | None = None
    format: FreeJson | None = None


class ImageTool(Wire):
    """Pictures made by this service when the model asks for one; no vendor is offered the tool itself.

    `model` makes the pictures (the local studio when left out); the other fields are those of /v1/images/generations.
    """

    _refused = model_validator(mode="before")(refused.fields(refused.IMAGE_TOOL_FIELDS))

    type: Literal["image_generation"]
    model: ModelName | None = None
    action: Annotated[Literal["generate", "auto"], BeforeValidator(refused.editing)] | None = None
    size: Size | None = None
    quality: Literal["low", "medium", "high", "auto"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    output_format: Literal["png", "webp", "jpeg"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    moderation: Literal["low", "auto"] | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = None


Tool = Annotated[
    FunctionTool | CustomTool | ImageTool,
    Field(discriminator="type"),
    BeforeValidator(refused.types(refused.TOOLS, "tools")),
]


class NamedTool(Wire):
    type: Literal["function", "custom"]
    name: Name


class ImageChoice(Wire):
    type: Literal["image_generation"]


class AllowedTools(Wire):
    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[
        list[Annotated[NamedTool | ImageChoice, Field(discriminator="type")]], Field(min_length=1, max_length=128)
    ]


ToolChoice = (
    Literal["none", "auto", "required"]
    | Annotated[
        NamedTool | AllowedTools | ImageChoice,
        Field(discriminator="type"),
        BeforeValidator(refused.types(refused.TOOLS, "tool_choice")),
    ]
)
