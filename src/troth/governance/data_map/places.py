"""What there is against what the map says: tables, columns that hold bytes, folders and settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Final

from troth.governance.data_map.map import DataMap

_HOW: Final = (
    "add it to src/troth/governance/data_map/map.yaml: to `tables` of the activity that it serves, with its personal"
    " columns (id, sealed, digest or plain; `stays` with why for an id that an erasure leaves), or to `exempt.tables`"
    " with why it holds nothing of people"
)
_STORE: Final = (
    "add it to `paths` or `settings` of a store in src/troth/governance/data_map/map.yaml; a new store is named in the"
    " activity that it serves, or under `exempt.stores` with why"
)


def unmapped(found: DataMap, tables: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """What is wrong with the tables (name to columns), each line with what is to be done; none is right."""
    said = {name: {*table.columns, *table.stays, *table.without} for name, table in found.tables.items()}
    for name in sorted(tables.keys() - said.keys() - found.exempt.tables.keys()):
        yield f"table {name} is not in the data map: {_HOW}"
    for name in sorted((said.keys() | found.exempt.tables.keys()) - tables.keys()):
        yield f"table {name} of the data map does not exist: remove its row"
    for name in sorted(said.keys() & tables.keys()):
        for column in sorted(said[name] - set(tables[name])):
            yield f"column {name}.{column} of the data map does not exist: correct its row"


def unnamed(found: DataMap, sealed: Mapping[str, Iterable[str]]) -> Iterator[str]:
    """Columns of bytes in tables about people that the map does not name: what is sealed is personal till said."""
    for name, table in sorted(found.tables.items()):
        for column in sorted(set(sealed.get(name, ())) - {*table.columns, *table.stays, *table.without}):
            yield (
                f"column {name}.{column} holds bytes and is not in the data map: name it under `columns` of {name},"
                " or under `without` with why it holds nothing of people"
            )


def unplaced(found: DataMap, places: Iterable[str]) -> Iterator[str]:
    """Of paths (`data.folder/objects`) those that no store covers."""
    patterns = [pattern for store in found.stores.values() for pattern in store.paths]
    for place in sorted(places):
        if not any(fnmatchcase(place, one) or place.startswith(f"{one}/") for one in patterns):
            yield f"{place} is not in the data map: {_STORE}"


def unset(found: DataMap, settings: Iterable[str]) -> Iterator[str]:
    """Of settings that point to a place those that no store names, and names of settings that there are not."""
    wanted, said = set(settings), {name for store in found.stores.values() for name in store.settings}
    for name in sorted(wanted - said):
        yield f"setting {name} points to a place that is not in the data map: {_STORE}"
    for name in sorted(said - wanted):
        yield f"setting {name} of the data map points nowhere: remove it"
