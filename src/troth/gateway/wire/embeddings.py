"""POST /v1/embeddings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from troth.gateway.wire.fields import Answer, Identifier, ModelName, Wire
from troth.kernel.errors import Invalid

MAX_INPUTS = 2048
MAX_DIMENSIONS = 16_384
_Text = Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)]


def _readable(value: Any) -> Any:
    numbers = value[0] if isinstance(value, list) and value and isinstance(value[0], list) else value
    if isinstance(numbers, list) and any(isinstance(one, int) for one in numbers):
        raise Invalid("Tokens cannot be read for personal data; send the text itself.", code="tokens-not-readable",
                      field="input")  # fmt: skip
    return value


class CreateEmbeddings(Wire):
    """One text or up to 2,048. What is personal goes out as its kind (`<PERSON>`): equal texts give equal vectors."""

    input: Annotated[
        _Text | Annotated[list[_Text], Field(min_length=1, max_length=MAX_INPUTS)], BeforeValidator(_readable)
    ]
    model: ModelName
    dimensions: Annotated[int, Field(ge=1, le=MAX_DIMENSIONS)] | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: Identifier | None = None


class Embedding(Answer):
    """One vector: numbers, or base64 of little-endian IEEE 754 binary32."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class Embeddings(Answer):
    """The vectors in the order of the texts. `request_id` names the receipt."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: dict[str, int]
    request_id: str
