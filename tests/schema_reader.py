"""The part of JSON Schema 2020-12 that the OCSF schema uses. A keyword that it does not know stops the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

_IGNORED = {"type", "$schema", "$id", "$defs", "title", "deprecated", "required", "properties", "additionalProperties"}
_TYPES: dict[str, Any] = {"object": dict, "array": list, "string": str, "number": (int, float), "boolean": bool}
_RULES: dict[str, Callable[[Any, Any], bool]] = {
    "enum": lambda value, wanted: value in wanted,
    "const": lambda value, wanted: bool(value == wanted),
    "maxLength": lambda value, wanted: len(value) <= wanted,
    "minimum": lambda value, wanted: value >= wanted,
    "maximum": lambda value, wanted: value <= wanted,
    "pattern": lambda value, wanted: re.search(wanted, value) is not None,
}


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = "$") -> Iterator[str]:
    """What of `value` the schema refuses, with its place."""
    root = root or schema
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{at}: not {schema['type']}"
        return
    for keyword, wanted in schema.items():
        if keyword in _RULES:
            if not _RULES[keyword](value, wanted):
                yield f"{at}: {keyword} {wanted}"
        elif keyword not in _IGNORED:
            yield from _PARTS[keyword](value, wanted, root, at)  # KeyError: a keyword that this reader does not know
    if isinstance(value, dict):
        yield from _members(value, schema, root, at)


def _reference(value: Any, wanted: str, root: dict[str, Any], at: str) -> Iterator[str]:
    yield from problems(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)


def _items(value: Any, wanted: dict[str, Any], root: dict[str, Any], at: str) -> Iterator[str]:
    for index, one in enumerate(value):
        yield from problems(one, wanted, root, f"{at}[{index}]")


def _any(value: Any, wanted: list[Any], root: dict[str, Any], at: str) -> Iterator[str]:
    if all(list(problems(value, one, root, at)) for one in wanted):
        yield f"{at}: none of {wanted}"


def _one(value: Any, wanted: list[Any], root: dict[str, Any], at: str) -> Iterator[str]:
    if sum(not list(problems(value, one, root, at)) for one in wanted) != 1:
        yield f"{at}: not one of {wanted}"


def _members(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{at}: lacks {name}" for name in schema.get("required", ()) if name not in value)
    for name, one in value.items():
        if name in known:
            yield from problems(one, known[name], root, f"{at}.{name}")
        elif schema.get("additionalProperties") is False:
            yield f"{at}: {name} is not in the schema"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, int) if kind == "integer" else isinstance(value, _TYPES[kind])


_PARTS: dict[str, Any] = {"$ref": _reference, "items": _items, "anyOf": _any, "oneOf": _one}
