"""POST /v1/moderations, in OpenAI's shape."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from troth.gateway.wire.fields import Answer, InlineImage, ModelName, Wire

MAX_INPUTS = 256
MAX_PICTURES = 4
_Text = Annotated[str, StringConstraints(max_length=100_000)]


class _Url(Wire):
    url: InlineImage


class TextPart(Wire):
    """A text of a multimodal input."""

    type: Literal["text"]
    text: _Text


class PicturePart(Wire):
    """A picture of a multimodal input, inline as data:image/...;base64,..."""

    type: Literal["image_url"]
    image_url: _Url


_Part = Annotated[TextPart | PicturePart, Field(discriminator="type")]


class Classify(Wire):
    """One text, several texts (a result each), or texts and pictures that belong together (one result)."""

    input: (
        _Text
        | Annotated[list[_Text], Field(min_length=1, max_length=MAX_INPUTS)]
        | Annotated[list[_Part], Field(min_length=1, max_length=MAX_INPUTS)]
    )
    model: ModelName | None = None


class Judged(Answer):
    """What was found in one input. `categories` are as the policy in force decides; scores are 0 to 1.

    `taken_down`: a picture is on the list of take-downs. `help_offered`: who wrote this may be in danger and is not
    refused. `prompt_attack` is no category of OpenAI's.
    """

    flagged: bool
    categories: dict[str, bool]
    category_scores: dict[str, float]
    category_applied_input_types: dict[str, list[Literal["text", "image"]]]
    taken_down: bool
    help_offered: bool
    prompt_attack: float | None


class Judgement(Answer):
    """The results in the order of the inputs. `policy` says which list and policy judged."""

    id: str
    model: str
    results: list[Judged]
    policy: str
