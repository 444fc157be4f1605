"""Every place of a wire model where a client can put text, computed from its types: a field that is added is found.

A place is a path (`messages.*[user].content.*[text].text`) and a function that builds a whole request with a value
there and the least that is needed elsewhere.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

Build = Callable[[Any], Any]


@dataclass(frozen=True)
class Place:
    """Where, what kind of value stands there (`str` or `int`), and the request with a value there."""

    path: str
    base: type
    build: Build


def places(model: type[BaseModel], samples: dict[str, Any]) -> list[Place]:
    """All places of a request. `samples`: by field name or `bytes`, what must be real even where it is least."""
    return list(_of_model(model, "", _Walk(samples)))


@dataclass(frozen=True)
class _Walk:
    samples: dict[str, Any]

    def least(self, kind: Any, name: str = "") -> Any:
        """A small valid value of a type."""
        if name in self.samples:
            return self.samples[name]
        base, inner = _bare(kind)
        if isinstance(base, type) and issubclass(base, BaseModel):
            return {_wire_name(field, one): self.least(_typed(one), field)
                    for field, one in base.model_fields.items() if one.is_required()}  # fmt: skip
        for value in self._candidates(base, inner, name):
            try:
                _adapter(kind).validate_python(value)
            except ValidationError:
                continue
            return value
        raise AssertionError(f"no small value for {kind}")

    def _candidates(self, base: Any, inner: tuple[Any, ...], name: str) -> Iterator[Any]:
        if base is Literal:
            yield inner[0]
        elif base is bytes:
            yield self.samples["bytes"]
        elif base in (Union, types.UnionType):
            yield from (self.least(one, name) for one in inner if one is not type(None))
        elif base is list:
            yield [self.least(inner[0], name)]
        elif base is dict:
            yield {}
        yield from ("x", "1", 1, 0.5, True)


def _of_model(model: type[BaseModel], path: str, walk: _Walk) -> Iterator[Place]:
    least = walk.least(model)
    for name, field in model.model_fields.items():
        wire = _wire_name(name, field)
        for place in _of_type(_typed(field), f"{path}.{wire}" if path else wire, walk):
            yield Place(
                place.path, place.base, lambda value, wire=wire, place=place: least | {wire: place.build(value)}
            )


def _of_type(kind: Any, path: str, walk: _Walk) -> Iterator[Place]:
    base, inner = _bare(kind)
    if base in (Union, types.UnionType):
        for one in inner:
            yield from _of_type(one, path, walk)
    elif base is list:
        for place in _of_type(inner[0], f"{path}.*", walk):
            yield Place(place.path, place.base, lambda value, place=place: [place.build(value)])
    elif base is dict:
        yield from _of_dict(inner, path)
    elif isinstance(base, type) and issubclass(base, BaseModel):
        yield from _of_model(base, f"{path}{_tag(base)}", walk)
    elif base in (str, int, bytes):
        yield Place(path, base, lambda value: value)


def _of_dict(inner: tuple[Any, ...], path: str) -> Iterator[Place]:
    """Free JSON, metadata, and maps of numbers alike: the key is a place too."""
    yield Place(f"{path}{{key}}", str, lambda value: {value: "1"})
    if _bare(inner[1])[0] is str:
        yield Place(f"{path}{{value}}", str, lambda value: {"a": value})
    elif _bare(inner[1])[0] is not int:
        yield Place(f"{path}{{value}}", str, lambda value: {"a": value})
        yield Place(f"{path}{{deep value}}", str, lambda value: {"a": [{"b": ["c", value]}]})
        yield Place(f"{path}{{deep key}}", str, lambda value: {"a": {"b": {value: True}}})
        yield Place(f"{path}{{number}}", int, lambda value: {"a": value})


def _bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type without annotations, and what stands in its brackets."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return get_origin(kind) or kind, get_args(kind)


def _typed(field: Any) -> Any:
    """The annotation of a field with its metadata."""
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _wire_name(name: str, field: Any) -> str:
    return str(field.alias or name)


def _tag(model: type[BaseModel]) -> str:
    """What tells members of a union apart: `[user]`, `[function]`."""
    for name in ("type", "role"):
        field = model.model_fields.get(name)
        if field is not None and get_origin(field.annotation) is Literal:
            return f"[{'|'.join(get_args(field.annotation))}]"
    return ""


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
