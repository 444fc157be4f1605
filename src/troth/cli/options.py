"""Options made from the fields of a request model: types, choices, limits and help come from the field."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

_HIDDEN = frozenset({"password", "current", "new", "totp", "recovery_code", "code", "secret"})  # asked for, not shown
_TWICE = frozenset({"new"})
_TIMES = re.compile(r"^(since|until|expires|.*_at)$")
_MANY = (list, set, frozenset, tuple)
_LARGEST_FILE = 1 << 20  # bytes, as the server takes for a body


class Moment(click.ParamType[int]):
    """Epoch milliseconds from an ISO 8601 date or time; without a zone it is UTC. Numbers pass."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if text.isascii() and text.isdigit():
            return int(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail("give a date like 2026-01-31 or 2026-01-31T12:00:00Z, or epoch milliseconds.", param, ctx)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)


class Document(click.ParamType[dict[str, Any]]):
    """A JSON object, or `@FILE` with one."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        text = _text_of(self, value[1:], param, ctx) if value.startswith("@") else value
        try:
            document = json.loads(text)
        except ValueError:
            document = None
        if not isinstance(document, dict):
            self.fail("give a JSON object, or @FILE with one.", param, ctx)
        return document


class Typed(str):
    """A secret that somebody typed when they were asked, or that was read: to be taken as it is."""

    __slots__ = ()


class SecretText(click.ParamType[str]):
    """`@FILE` with a secret, or `-` for standard input. Not the secret: every process can read a command line."""

    name = "@file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if isinstance(value, Typed):
            return value
        if value == "-":
            return Typed(sys.stdin.read(_LARGEST_FILE).strip())
        if not str(value).startswith("@"):
            self.fail(
                "give @FILE, or - to read it from standard input; a secret on a command line can be read by every"
                " process.",
                param,
                ctx,
            )
        return Typed(_text_of(self, value[1:], param, ctx).strip())


class SecretOption(click.Option):
    """An option whose secret is asked for, unseen, when it stands without a value; a required one when left out too."""

    def prompt_for_value(self, ctx: click.Context) -> Any:
        """What was typed."""
        del ctx
        return Typed(click.prompt(self.prompt or "", hide_input=True, confirmation_prompt=self.confirmation_prompt))


class Members(click.ParamType[list[Any]]):
    """One member of a list, or all of them as a JSON list."""

    def __init__(self, member: click.ParamType[Any]) -> None:
        self._member = member
        self.name = member.name

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._member.get_metavar(param, ctx)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        if not str(value).startswith("["):
            return [self._member.convert(value, param, ctx)]
        try:
            members = json.loads(value)
        except ValueError:
            self.fail("a list that begins with a bracket must be valid JSON.", param, ctx)
        return [self._member.convert(member, param, ctx) for member in members]


def _text_of(taker: click.ParamType[Any], name: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
    """The text of a small file. Fails as the parameter's type does."""
    try:
        path = Path(name)
        if path.stat().st_size > _LARGEST_FILE:
            taker.fail("the file behind @ is too large.", param, ctx)
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        taker.fail("the file behind @ cannot be read.", param, ctx)


def option(name: str, info: FieldInfo, taken: Sequence[str] = ()) -> click.Option:
    """The option for one field; `taken` are the other fields' names."""
    kind, metadata = _bare(info.annotation, info.metadata)
    many = get_origin(kind) in _MANY
    flags, text = [*_flags(name, taken, many=many), name], _help(name, info, kind, metadata)
    if name in _HIDDEN or info.repr is False:  # a field that no log may show
        return _secret(flags, name, info, text)
    taking = _type(name, kind, metadata)
    return click.Option(
        flags,
        type=Members(taking) if many else taking,
        multiple=many,
        required=info.is_required(),
        help=text,
    )


def _secret(flags: list[str], name: str, info: FieldInfo, text: str) -> click.Option:
    asked = name in _HIDDEN or not info.is_required()  # a required document, as of a provider, is nothing to type
    return SecretOption(
        flags,
        type=SecretText(),
        required=info.is_required() and not asked,
        prompt=_words(name) if asked else False,
        prompt_required=info.is_required(),
        hide_input=asked,
        confirmation_prompt=name in _TWICE,
        help=text,
    )


def given(values: dict[str, Any]) -> dict[str, Any]:
    """The values that were given, lists flattened."""
    return {
        name: [member for part in value for member in part] if isinstance(value, tuple) else value
        for name, value in values.items()
        if value is not None and value != ()
    }


def _flags(name: str, taken: Sequence[str], *, many: bool) -> Iterator[str]:
    yield f"--{name.replace('_', '-')}"
    if many and name.endswith("s") and name[:-1] not in taken:
        yield f"--{name[:-1].replace('_', '-')}"


def _bare(annotation: Any, metadata: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The type without `Annotated` and `None`, and every constraint that stood around it."""
    found = list(metadata)
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            for one in more:
                found += one.metadata if isinstance(one, FieldInfo) else [one]
        elif get_origin(annotation) in (Union, UnionType):
            annotation = next(one for one in get_args(annotation) if one is not NoneType)
        else:
            return annotation, found


def _type(name: str, kind: Any, metadata: list[Any]) -> click.ParamType[Any]:
    if get_origin(kind) in _MANY:
        return _type(name, *_bare(get_args(kind)[0], []))
    if choices := _choices(kind):
        return click.Choice(choices)
    if kind is bool:
        return click.BOOL
    if kind is int and _TIMES.match(name):
        return Moment()
    if kind is int:
        least, most = _limit(metadata, "ge"), _limit(metadata, "le")
        return click.INT if least is most is None else click.IntRange(least, most)
    is_object = get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel | dict))
    return Document() if is_object else click.STRING


def _choices(kind: Any) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    if isinstance(kind, type) and issubclass(kind, Enum):
        return [str(one.value) for one in kind]
    return []


def _limit(metadata: list[Any], name: str) -> int | None:
    return next((value for one in metadata if (value := getattr(one, name, None)) is not None), None)


def _help(name: str, info: FieldInfo, kind: Any, metadata: list[Any]) -> str:
    text = info.description or f"{_words(name)}: {_sentence(name, kind, metadata)}"
    if name in _HIDDEN or info.repr is False:
        asked = "; asked for when left out" if info.is_required() else "; asked for when nothing stands behind it"
        asked = asked if name in _HIDDEN or not info.is_required() else ""
        text = f"{text.rstrip('.')} (@FILE, or - for standard input){asked}."
    if not info.is_required() and info.default not in (None, ...) and isinstance(info.default, str | int):
        text = f"{text.rstrip('.')}; {info.default} when left out."
    return text if text.endswith(".") else f"{text}."


def _sentence(name: str, kind: Any, metadata: list[Any]) -> str:
    if get_origin(kind) in _MANY:
        return "give it once for each, or one JSON list"
    taking = _type(name, kind, metadata)
    if isinstance(taking, Moment):
        return "a date or time (ISO 8601, UTC), or epoch milliseconds"
    if isinstance(taking, Document):
        return "a JSON object, or @FILE with one"
    if isinstance(taking, click.Choice):
        return "one of " + ", ".join(taking.choices) if len(taking.choices) > 1 else f'say "{taking.choices[0]}"'
    if kind is int:
        return "a whole number" + _between(_limit(metadata, "ge"), _limit(metadata, "le"), "")
    return "text" + _between(_limit(metadata, "min_length"), _limit(metadata, "max_length"), " characters")


def _between(least: int | None, most: int | None, unit: str) -> str:
    if most is None:
        return f", at least {least}{unit}" if least else ""
    return f" from {least} to {most}{unit}" if least is not None else f" of at most {most}{unit}"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
