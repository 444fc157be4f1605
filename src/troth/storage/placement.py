"""Where things lie, said by the places themselves: a row in the database, a marker in every object store.

A place is claimed at its first use and asked at every start. One that answers for another jurisdiction, or that holds
something and does not answer, is refused: data never mixes with that of another region (promise LOC-01).
"""

from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import Column, String, Table, insert, select, text

from troth.kernel.errors import Conflict, IntegrityError, NotFound, Unavailable
from troth.kernel.scope import SYSTEM
from troth.storage.blobs import BlobStore
from troth.storage.database import Big, Database, metadata

MARKER = "placement"  # the name of the marker in an object store
UNREADABLE = "unreadable"  # what a marker states that is none
_FORMAT = "troth-placement-1"
_ONE = "this"
_MOST_BYTES = 1024

installation = Table(
    "installation",
    metadata,
    Column("name", String(8), primary_key=True),  # always "this": there is one row
    Column("jurisdiction", String(8), nullable=False),
    Column("claimed_at", Big, nullable=False),
    Column("house", String(64)),  # the tenant that publishes the paper, once an operator named it
    Column("house_at", Big),  # since when it is
    Column("house_proposed", String(64)),  # another one that waits for a second operator
    Column("house_proposed_by", String(64)),
    Column("house_proposed_at", Big),
)


def claim_database(database: Database, jurisdiction: str, now: int) -> None:
    """Claim an empty database for `jurisdiction`, or check whose it is; `now` in epoch ms.

    Raises `Unavailable`: `wrong-placement`, or `no-placement` for one with tenants that does not say.
    """
    found = placed_database(database)
    if found is None:
        with database.write(SYSTEM) as connection:
            if connection.execute(text("SELECT 1 FROM tenants LIMIT 1")).first() is not None:
                raise _missing("database")
            row = {"name": _ONE, "jurisdiction": jurisdiction, "claimed_at": now}
            connection.execute(insert(installation), row)
    elif found != jurisdiction:
        raise wrong_placement("database", jurisdiction, found)


def placed_database(database: Database) -> str | None:
    """The jurisdiction that the database states, or None."""
    with database.read(SYSTEM) as connection:
        found = connection.execute(select(installation.c.jurisdiction).where(installation.c.name == _ONE)).scalar()
    return None if found is None else str(found)


def claim_store(store: BlobStore, name: str, jurisdiction: str) -> None:
    """Claim an empty store, or check whose it is. `name` is what the operator knows it by. Raises as above."""
    found = placed_store(store)
    if found is None:
        if next(iter(store.names()), None) is not None:
            raise _missing(name)
        mark(store, jurisdiction)
        found = placed_store(store)
    if found != jurisdiction:
        raise wrong_placement(name, jurisdiction, str(found))


def placed_store(store: BlobStore) -> str | None:
    """The jurisdiction that a store's marker states; None without one, "unreadable" for one that is none."""
    try:
        body = store.get(MARKER, _MOST_BYTES)
    except NotFound:
        return None
    except IntegrityError:
        return UNREADABLE
    return _read(body)


def placed_folder(folder: Path) -> str | None:
    """The same for a folder that is not opened as a store yet, which looks through all of it."""
    try:
        with (folder / MARKER).open("rb") as file:
            return _read(file.read(_MOST_BYTES))
    except FileNotFoundError:
        return None
    except OSError:
        return UNREADABLE


def _read(body: bytes) -> str:
    try:
        members = json.loads(body)
        return str(members["jurisdiction"]) if members["format"] == _FORMAT else UNREADABLE
    except (ValueError, KeyError, TypeError):
        return UNREADABLE


def mark(store: BlobStore, jurisdiction: str) -> None:
    """Write the marker. One that is there already stays; a restore calls this before it fills an empty store."""
    body = json.dumps({"format": _FORMAT, "jurisdiction": jurisdiction}).encode()
    try:
        store.create(MARKER, body)
    except Conflict:
        return


def wrong_placement(name: str, here: str, found: str) -> Unavailable:
    """The refusal of a place that states `found`, in an installation that stands in `here`."""
    return Unavailable(
        f"The {name} belongs to an installation in '{found}', and this one stands in '{here}'; correct the settings. "
        "Nothing was read or written.",
        code="wrong-placement",
    )


def _missing(name: str) -> Unavailable:
    return Unavailable(
        f"The {name} holds something and does not say in which jurisdiction it lies; use the right one, or, when it is "
        "known to be right, run 'troth adopt'.",
        code="no-placement",
    )
