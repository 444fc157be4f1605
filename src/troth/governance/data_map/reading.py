"""Reading a data map strictly: a text that says a thing twice, or what is not known, is refused with its place."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from troth.governance.data_map.linting import lint
from troth.governance.data_map.map import DataMap
from troth.kernel.errors import Invalid
from troth.settings import strict_yaml

Read = TypeVar("Read")
_LIMITS: Final = strict_yaml.Limits(characters=128_000, nodes=12_000, depth=10)
_WHOLE: Final[TypeAdapter[DataMap]] = TypeAdapter(DataMap)


def parse_map(text: str) -> DataMap:
    """The map that a text says. Raises `Invalid` (bad-data-map) with the place, `TooLarge` beyond the limits."""
    value: Any = strict_yaml.load(text, _LIMITS, what="data map")
    found = valid(_WHOLE, value)
    for wrong in lint(found):
        raise bad(wrong.where, wrong.says)
    return found


def valid(adapter: TypeAdapter[Read], value: object) -> Read:
    """What a model makes of a value. Raises `Invalid` (bad-data-map) with the first place that does not fit."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(one) for one in first["loc"])[:120]
        raise bad(place, first["msg"]) from None


@cache
def shipped() -> DataMap:
    """The map of what this version keeps."""
    return parse_map(files(__package__).joinpath("map.yaml").read_text("utf-8"))


def bad(place: str, says: str) -> Invalid:
    """The refusal of a map that is not right at a place."""
    return Invalid(f"The data map is not right at {place}: {says}.", code="bad-data-map", field=place)
