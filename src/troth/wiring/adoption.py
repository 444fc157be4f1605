"""Marking places that lost, or never had, their statement of where they lie: only after looking into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import insert, select

from troth.identity.store import tenants
from troth.kernel.clock import SystemClock, epoch_ms
from troth.kernel.errors import IntegrityError
from troth.kernel.record import Fact
from troth.kernel.scope import SYSTEM, as_system
from troth.keys.domain_choice import domains_of
from troth.settings.load import Settings
from troth.storage.blobs import BlobStore, LocalBlobs
from troth.storage.database import Database
from troth.storage.isolation import settle
from troth.storage.outbox import Outbox
from troth.storage.placement import MARKER, installation, mark, placed_database, placed_store
from troth.vault import framing
from troth.vault.keeping import BLOBS
from troth.wiring.beside import recorded


@as_system
def adopt(settings: Settings) -> list[str]:
    """Mark what does not say where it lies; the names of those places. What says something else is left alone.

    Raises `IntegrityError` (stranger) at the first tenant, object or key that is of another jurisdiction: nothing is
    marked then.
    """
    data, here = settings.data, settings.data.jurisdiction
    database = Database(data.database_url or f"sqlite:///{data.folder / 'troth.db'}")
    outbox = Outbox(database)
    try:
        settle(database, owner_url=data.database_owner_url, single_role=data.database_single_role)
        stores = [(name, store) for name, store in _stores(settings) if placed_store(store) is None]
        rowless = placed_database(database) is None
        if stores or rowless:
            facts: dict[str, Fact] = {"jurisdiction": here, "count": len(stores) + rowless}
            with recorded(outbox, SystemClock(), "installation.adopted", **facts):
                _mark(database, stores, here, rowless=rowless)
        return ["database"] * rowless + [name for name, _ in stores]
    finally:
        outbox.close()
        database.close()


def _mark(database: Database, stores: Sequence[tuple[str, BlobStore]], here: str, *, rowless: bool) -> None:
    _require(here, (place for one in stores for place in _stated(one[1])))
    if rowless:
        with database.write(SYSTEM) as connection:
            _require(here, connection.execute(select(tenants.c.jurisdiction)).scalars())
            row = {"name": "this", "jurisdiction": here, "claimed_at": epoch_ms(SystemClock().now())}
            connection.execute(insert(installation), row)
    for _, store in stores:
        mark(store, here)


def _stores(settings: Settings) -> Iterator[tuple[str, BlobStore]]:
    data = settings.data
    yield "objects", LocalBlobs(data.folder / "objects")
    yield "log", LocalBlobs(data.folder / "log")
    yield "log guard", LocalBlobs(data.keys / "log-guard")
    for domain in domains_of(settings.keys, data):
        yield f"key copies of {domain.name}", domain.blobs


def _stated(store: BlobStore) -> Iterator[str]:
    """What the things in a store say of themselves."""
    for name in store.names():
        if name.startswith("kt/"):
            yield name.split("/")[1]
        elif name.startswith(BLOBS):
            yield framing.read_header(store.get(name)).facts.jurisdiction
        elif name != MARKER and not name.startswith("tlog/"):
            yield "unknown"


def _require(here: str, stated: Iterable[str]) -> None:
    if any(place != here for place in stated):
        raise IntegrityError(
            f"Something here is not of '{here}', or does not say; nothing was marked. Look where it comes from.",
            code="stranger",
        )
