"""Every table, store and setting that names a place is in the data map, or on its exempt list with why."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from sqlalchemy import LargeBinary

import troth.wiring
from troth.governance.data_map.linting import lint
from troth.governance.data_map.places import unmapped, unnamed, unplaced, unset
from troth.governance.data_map.reading import shipped
from troth.promises.checks.places import _FILES, _STORES
from troth.settings.load import Settings
from troth.storage.database import metadata

assert troth.wiring
TABLES = {table.name: {column.name for column in table.columns} for table in metadata.sorted_tables}
BYTES = {
    table.name: {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    for table in metadata.sorted_tables
}
_ENDS = ("_url", "endpoint", "bucket", "clamd", "relay_host", "listen", "domains")
# Words that end so and point nowhere: the public name of a passkey's site.
_NO_PLACE = frozenset({"identity.passkey_domain"})


def settings(of: type[BaseModel] = Settings, before: str = "") -> Iterator[str]:
    """Settings that point to a place: a path, or a name that says so."""
    for name, one in of.model_fields.items():
        parts = (one.annotation, *typing.get_args(one.annotation))
        inner = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
        for part in inner:
            yield from settings(part, f"{before}{name}.")
        if not inner and (Path in parts or name.endswith(_ENDS)) and f"{before}{name}" not in _NO_PLACE:
            yield f"{before}{name}"


def test_every_table_is_in_the_map_or_exempt_and_every_named_column_exists() -> None:
    assert list(unmapped(shipped(), TABLES)) == []


def test_a_planted_table_is_missed_and_the_message_says_what_to_add() -> None:
    (said,) = unmapped(shipped(), TABLES | {"new_table": {"id"}})
    assert said.startswith("table new_table is not in the data map: add it to src/troth/governance/data_map/map.yaml")
    assert "exempt.tables" in said
    (gone,) = unmapped(shipped(), {name: columns for name, columns in TABLES.items() if name != "users"})
    assert gone == "table users of the data map does not exist: remove its row"
    (lost,) = unmapped(shipped(), TABLES | {"users": TABLES["users"] - {"email"}})
    assert lost == "column users.email of the data map does not exist: correct its row"


def test_every_column_of_bytes_in_a_table_about_people_is_named() -> None:
    assert list(unnamed(shipped(), BYTES)) == []
    (said,) = unnamed(shipped(), BYTES | {"users": BYTES["users"] | {"face"}})
    assert said.startswith("column users.face holds bytes and is not in the data map")


def test_every_store_is_in_the_map() -> None:
    assert list(unplaced(shipped(), [f"data.folder/{one}" for one in (*_STORES, *_FILES)])) == []
    (said,) = unplaced(shipped(), ["data.folder/notes", "data.folder/objects/ab/obj_1"])
    assert said.startswith("data.folder/notes is not in the data map: add it to `paths` or `settings` of a store")


def test_every_setting_that_points_to_a_place_is_in_the_map() -> None:
    assert list(unset(shipped(), settings())) == []
    more, gone = unset(shipped(), {*settings(), "mail.spool"} - {"limits.valkey_url"})
    assert more.startswith("setting mail.spool points to a place that is not in the data map")
    assert gone == "setting limits.valkey_url of the data map points nowhere: remove it"


def test_the_map_has_nothing_that_contradicts() -> None:
    assert lint(shipped()) == []
