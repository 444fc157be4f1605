"""YAML that people send or keep beside the service, read strictly: what could blow up or be misread is refused.

No anchors, no tags, no key twice; size, nodes and depth have limits. Plain words mean what YAML 1.2 says: only `true`
and `false` are booleans (`no` and `on` stay words), only decimal digits without a leading zero are numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from troth.kernel.errors import Invalid, TooLarge

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times faster
_CORE = (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,17})", "-+0123456789"),
    ("float", r"[-+]?[0-9]{1,18}\.[0-9]{1,18}", "-+0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("timestamp", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "0123456789"),
)


class BadYaml(ValueError):
    """Not YAML, or YAML with what is not read here: anchors, tags, half characters, several documents."""


class TooMuchYaml(BadYaml):
    """Longer, deeper or of more keys, values and lists than the limits allow."""


class TooDeepYaml(TooMuchYaml):
    """Nested deeper than the limits allow."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read: characters, nodes (each key, value, list and mapping), and nesting."""

    characters: int
    nodes: int
    depth: int = 32


@dataclass(frozen=True, slots=True)
class Document:
    """What the text says, and the keys that stand twice in one mapping (the later one would win unseen)."""

    value: Any
    twice: tuple[str, ...]


class _Strict(_Base):  # type: ignore[misc]
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.twice: list[str] = []

    def construct_scalar(self, node: Any) -> Any:
        value = super().construct_scalar(node)
        if isinstance(value, str):
            value.encode()  # an escape may spell half a surrogate pair, of which no digest can be made: ValueError
        return value

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key in [self.construct_object(key, deep=True) for key, _ in node.value]:
            if key in seen:
                self.twice.append(str(key))
            seen.add(key)
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        return made


for _kind, _pattern, _first in _CORE:
    _Strict.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_pattern})$"), _first)


def read(text: str, limits: Limits) -> Document:
    """The one document of `text`. Raises BadYaml, and TooMuchYaml beyond the limits."""
    if len(text) > limits.characters:
        raise TooMuchYaml("characters")
    try:
        _measure(text, limits)  # before anything is built: a node takes far more memory than what spells it
        loader = _Strict(text)
        try:
            return Document(loader.get_single_data(), tuple(loader.twice))
        finally:
            loader.dispose()
    except BadYaml:
        raise
    except (yaml.YAMLError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise BadYaml("syntax") from error


def load(text: str, limits: Limits, *, what: str) -> Any:
    """The value of `text`, for files in which nothing may stand twice. `what` names the file in refusals ("form").

    Raises Invalid (`bad-yaml`, `yaml-twice`) or TooLarge (`yaml-too-long`).
    """
    try:
        document = read(text, limits)
    except TooMuchYaml as error:
        raise TooLarge(f"The {what} is longer or deeper than one may be; shorten it.", code="yaml-too-long") from error
    except BadYaml as error:
        says = f"The {what} is not YAML, or uses anchors or tags, which it may not."
        raise Invalid(says, code="bad-yaml") from error
    if document.twice:
        named = "".join(one for one in document.twice[0][:60] if one.isprintable())
        says = f"The {what} says {named} twice in one place, and only the last would count; remove one."
        raise Invalid(says, code="yaml-twice")
    return document.value


def _measure(text: str, limits: Limits) -> None:
    nodes = depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if not isinstance(event, yaml.NodeEvent):
            continue
        if event.anchor is not None or getattr(event, "tag", None) is not None:
            raise BadYaml("anchor or tag")
        nodes += 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        if depth > limits.depth:
            raise TooDeepYaml("depth")
        if nodes > limits.nodes:
            raise TooMuchYaml("nodes")
