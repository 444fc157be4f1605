"""The manual of the settings: each one's environment name, default and docstring (docs/reference/settings.md)."""

from __future__ import annotations

import ast
import inspect
import json
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from troth.settings.load import PREFIX, Settings


class Manual(BaseModel):
    """One line of docs/reference/settings.md."""

    model_config = ConfigDict(frozen=True)

    environment: str
    default: str
    text: str


def manual() -> list[Manual]:
    """Every setting with its environment name, default and docstring; the members of a table after their list."""
    return [
        line
        for name, section in Settings.model_fields.items()
        if isinstance(section.annotation, type) and issubclass(section.annotation, BaseModel)
        for field, info in section.annotation.model_fields.items()
        for line in _lines(f"{PREFIX}{name}__{field}".upper(), info, texts(section.annotation).get(field, ""))
    ]


@cache
def texts(model: type[BaseModel]) -> dict[str, str]:
    """The docstring under each field of a model, by field; of the models that it inherits from too.

    pydantic has a setting for it, which would read the source of every section at each start of the server.
    """
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind is not BaseModel and issubclass(kind, BaseModel):
            (definition,) = ast.parse(inspect.getsource(kind)).body
            assert isinstance(definition, ast.ClassDef)
            for field, below in pairwise(definition.body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                        found[name] = inspect.cleandoc(text)
    return found


def _lines(name: str, info: FieldInfo, text: str) -> list[Manual]:
    tables = _tables(info.annotation)
    default = str(info.default) if not tables else json.dumps(to_jsonable_python(info.default, exclude_none=True))
    lines = [Manual(environment=name, default=default, text=text)]
    for table in tables:
        kind = table.model_fields.get("kind")
        mark = f"{name}[{get_args(kind.annotation)[0] if kind else ''}]"
        lines += [
            Manual(environment=f"{mark}.{member}", default=_default(inner), text=texts(table).get(member, ""))
            for member, inner in table.model_fields.items()
        ]
    return lines


def _default(info: FieldInfo) -> str:
    return "needed" if info.is_required() else str(info.default)


def _tables(annotation: Any) -> list[type[BaseModel]]:
    """The models in a list of tables, whatever stands around them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _tables(inner)]
