"""GET /v1/models and /v1/models/{model}."""

from __future__ import annotations

from typing import Literal

from troth.gateway.wire.fields import Answer, ModelName, Wire


class ListModels(Wire):
    """All models this caller may use now."""


class ShowModel(Wire):
    """One model by its name."""

    model: ModelName


class Model(Answer):
    """One model. `owned_by` is the vendor's id; `created` is seconds since the epoch."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class Models(Answer):
    """Models in the order of their names."""

    object: Literal["list"] = "list"
    data: list[Model]
