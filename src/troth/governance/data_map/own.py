"""Activities of one's own: what a deployment does beyond Troth, in a file that adds to the map and changes nothing.

The file has `activities`, the `words` that they need, and the `stores` in which they keep what. Tables are Troth's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from troth.governance.data_map.linting import Wrong, lint
from troth.governance.data_map.map import Activity, DataMap, Store, Token, Words
from troth.governance.data_map.reading import bad, shipped, valid
from troth.kernel.errors import Invalid
from troth.settings import strict_yaml

_LARGEST: Final = 64_000  # bytes
_LIMITS: Final = strict_yaml.Limits(characters=_LARGEST, nodes=4_000, depth=8)
_MOST: Final = 64  # activities, and stores
_TAKEN: Final = frozenset({"supplier", "suppliers", "rights-of-yours"})  # parts of the statement that are no activity


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Own:
    """What the file says."""

    activities: Annotated[tuple[Activity, ...], Field(min_length=1, max_length=_MOST)]
    words: Mapping[Token, Mapping[Token, Words]] = field(default_factory=dict)
    stores: Annotated[Mapping[Token, Store], Field(max_length=_MOST)] = field(default_factory=dict)


_OWN: Final[TypeAdapter[Own]] = TypeAdapter(Own)


def with_own(of: DataMap, text: str) -> DataMap:
    """`of` and what the text adds. Raises `Invalid` (bad-data-map) with the place, `TooLarge` beyond the limits."""
    value: Any = strict_yaml.load(text, _LIMITS, what="data map")
    own = valid(_OWN, value)
    for wrong in _changing(of, own):
        raise bad(wrong.where, wrong.says)
    kinds = of.words.keys() | own.words.keys()
    found = replace(
        of,
        words={kind: {**of.words.get(kind, {}), **own.words.get(kind, {})} for kind in sorted(kinds)},
        activities=(*of.activities, *own.activities),
        stores={**of.stores, **own.stores},
    )
    for wrong in lint(found):
        raise bad(wrong.where, wrong.says)
    return found


def map_of(path: Path | None) -> DataMap:
    """The map that ships, with the activities of a file. Raises as `with_own`, `Invalid` (bad-setting) without it."""
    return shipped() if path is None else with_own(shipped(), _text(path))


def _text(path: Path) -> str:
    try:
        if not path.is_file():  # a pipe would be waited for
            raise OSError
        with path.open("rb") as file:
            return file.read(_LARGEST + 1).decode()
    except (OSError, UnicodeDecodeError) as error:
        says = "The file with activities of your own (TROTH_GOVERNANCE__DATA_MAP) cannot be read; correct it."
        raise Invalid(says, code="bad-setting") from error


def _changing(of: DataMap, own: Own) -> Iterator[Wrong]:
    """What would change the map that ships, or cannot be true of something beyond Troth."""
    for kind, said in own.words.items():
        for token in sorted(said.keys() & of.words.get(kind, {}).keys()):
            yield Wrong(f"words.{kind}.{token}", "it ships and is not said otherwise; use another word")
    for name in sorted(own.stores.keys() & of.stores.keys()):
        yield Wrong(f"stores.{name}", "it ships; give yours another name")
    for name, store in own.stores.items():
        if store.paths or store.settings:
            yield Wrong(f"stores.{name}", "paths and settings are those of Troth; say where it lies in its title")
    yield from (wrong for one in own.activities for wrong in _beyond(one))


def _beyond(one: Activity) -> Iterator[Wrong]:
    if one.id in _TAKEN:
        yield Wrong(f"activities.{one.id}", "the statement has a part of that name; use another id")
    if one.tables:
        yield Wrong(f"{one.id}.tables", "tables are those of Troth; name a store of your own")
    if any(term.setting for term in one.retention):
        yield Wrong(f"{one.id}.retention", "settings are those of Troth; say how many days")
