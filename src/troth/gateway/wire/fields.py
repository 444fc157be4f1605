"""Field types that several requests share. Limits are in characters unless a name says otherwise."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

MAX_JSON_DEPTH = 24  # levels of a tool's JSON schema; deeper is an attack on the walker, not a tool
MAX_JSON_NODES = 20_000


class Wire(BaseModel):
    """Base of every request: unknown fields are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Answer(BaseModel):
    """Base of every response."""

    model_config = ConfigDict(frozen=True)


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    nodes, level = 0, [value] if value else []
    for _ in range(MAX_JSON_DEPTH):
        following: list[Any] = []
        for node in level:
            children = node.values() if isinstance(node, dict) else node
            following += [child for child in children if isinstance(child, dict | list)]
            nodes += len(node)
        if not following:
            break
        level = following
    else:
        raise ValueError(f"nested deeper than {MAX_JSON_DEPTH} levels")
    if nodes > MAX_JSON_NODES:
        raise ValueError(f"holds more than {MAX_JSON_NODES} values")
    return value


ModelName = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Label = Annotated[str, StringConstraints(max_length=512)]
Prompt = Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
LongText = Annotated[str, StringConstraints(max_length=1_000_000)]
InlineImage = Annotated[str, StringConstraints(max_length=28 << 20)]  # base64 of 20 MB
FreeJson = Annotated[dict[str, JsonValue], AfterValidator(_bounded)]
Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=512)]],
    Field(max_length=16),
]
