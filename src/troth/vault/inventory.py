"""The placement inventory: where everything is, counted row by row and header by header, never assumed (LOC-01).

What names no jurisdiction of its own (a log tile, a piece of a backup) is counted under what the marker or the setting
of its place says. Whatever is in another jurisdiction than this installation, or cannot say, is a stranger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table, func, select

from troth.kernel.errors import IntegrityError, NotFound
from troth.kernel.ids import id_bytes
from troth.keys.domains import Domain
from troth.keys.residency import roots_by_jurisdiction
from troth.storage.blobs import BlobStore
from troth.storage.database import Database, metadata
from troth.storage.placement import MARKER, placed_database, placed_store
from troth.vault import framing
from troth.vault.keeping import BLOBS

UNKNOWN = "unknown"
_SHOWN = 100  # strangers that are named; all are counted
_KEYS = "kt/"


@dataclass(frozen=True, slots=True)
class Line:
    """How many things a place holds that stand in a jurisdiction."""

    place: str
    jurisdiction: str
    count: int


@dataclass(frozen=True, slots=True)
class Inventory:
    """What was counted. `strangers` counts what is not `here`; `named` are places and opaque names of the first."""

    here: str
    lines: tuple[Line, ...]
    strangers: int
    named: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copies:
    """A further place with copies of data, such as a backup's: every object there counts under its jurisdiction."""

    name: str
    jurisdiction: str
    store: BlobStore


@dataclass(frozen=True, slots=True)
class Places:
    """Everything that holds data of this installation, which stands in `here`."""

    here: str
    database: Database
    objects: BlobStore
    domains: tuple[Domain, ...]
    mirror: BlobStore
    copies: Callable[[], Iterable[Copies]] = field(default=tuple)


class Stocktaking:
    """Counts. Reads every object's header and nothing else of it."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def whole(self) -> Inventory:
        """Everything of this installation."""
        places, count = self._places, _Count(self._places.here)
        count.add("database", placed_database(places.database) or UNKNOWN)
        self._rows(count, None)
        self._store(count, "objects", places.objects, self._headers(None))
        for domain in places.domains:
            name = f"key-copies:{domain.name}"
            found = ((one, one.split("/")[1]) for one in domain.blobs.names(_KEYS))
            self._store(count, name, domain.blobs, found)
            for jurisdiction, roots in roots_by_jurisdiction(domain).items():
                count.add(f"key-roots:{domain.name}", jurisdiction, roots)
        self._marked(count, "log", places.mirror)
        for one in places.copies():
            count.add(one.name, one.jurisdiction, sum(1 for _ in one.store.names()))
        return count.inventory()

    def of_tenant(self, tenant: str) -> Inventory:
        """Rows and objects of one tenant."""
        count = _Count(self._places.here)
        self._rows(count, tenant)
        for name, jurisdiction in self._headers(tenant):
            count.add("objects", jurisdiction, name=name)
        return count.inventory()

    def _rows(self, count: _Count, tenant: str | None) -> None:
        with self._places.database.read() as connection:
            for table in _placed_tables(tenant):
                query = select(table.c.jurisdiction, func.count()).group_by(table.c.jurisdiction)
                if tenant is not None:
                    query = query.where(_whose(table) == tenant)
                for jurisdiction, rows in connection.execute(query):
                    count.add(f"table:{table.name}", str(jurisdiction), int(rows))

    def _headers(self, tenant: str | None) -> Iterator[tuple[str, str]]:
        """Name and jurisdiction of every sealed object, as its header says."""
        wanted = None if tenant is None else id_bytes(tenant)
        for name in self._places.objects.names(BLOBS):
            try:
                facts = framing.read_header(self._places.objects.part(name, 0, framing.HEADER + framing.TAG)).facts
            except NotFound:
                continue  # deleted meanwhile
            except IntegrityError:
                if wanted is None:
                    yield name, UNKNOWN
                continue
            if wanted in (None, facts.tenant):
                yield name, facts.jurisdiction

    def _store(self, count: _Count, place: str, store: BlobStore, found: Iterable[tuple[str, str]]) -> None:
        known = {MARKER}
        count.add(f"marker:{place}", placed_store(store) or UNKNOWN)
        for name, jurisdiction in found:
            known.add(name)
            count.add(place, jurisdiction, name=name)
        for name in store.names():
            if name not in known and not name.startswith(BLOBS):  # an upload may have come meanwhile
                count.add(place, UNKNOWN, name=name)

    def _marked(self, count: _Count, place: str, store: BlobStore) -> None:
        jurisdiction = placed_store(store) or UNKNOWN
        count.add(f"marker:{place}", jurisdiction)
        count.add(place, jurisdiction, sum(1 for name in store.names() if name != MARKER))


class _Count:
    def __init__(self, here: str) -> None:
        self._here = here
        self._counts: Counter[tuple[str, str]] = Counter()
        self._named: list[str] = []

    def add(self, place: str, jurisdiction: str, count: int = 1, *, name: str = "") -> None:
        if count:
            self._counts[place, jurisdiction] += count
        if count and jurisdiction != self._here and len(self._named) < _SHOWN:
            self._named.append(f"{place} {name}".strip())

    def inventory(self) -> Inventory:
        lines = tuple(Line(*at, count) for at, count in sorted(self._counts.items()))
        strangers = sum(line.count for line in lines if line.jurisdiction != self._here)
        return Inventory(self._here, lines, strangers, tuple(self._named))


def _placed_tables(tenant: str | None) -> list[Table]:
    """Tables whose rows say where they are; of a tenant, those that also say whose they are."""
    found: Mapping[str, Table] = metadata.tables
    named = [table for _, table in sorted(found.items()) if "jurisdiction" in table.columns]
    return named if tenant is None else [table for table in named if _whose(table) is not None]


def _whose(table: Table) -> Any:
    """The column that names the tenant of a row."""
    return table.c.id if table.name == "tenants" else table.columns.get("tenant")
