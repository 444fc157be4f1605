"""What a data map claims, fact by fact. `mapped` reads the map; whoever says something names the facts that it says."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlalchemy import select

from troth.gateway.store import receipts
from troth.governance.data_map.linting import tokens
from troth.governance.data_map.map import Activity, DataMap, Retention, Supplier
from troth.kernel.scope import SYSTEM
from troth.storage.database import Database

Fact = str
"""Parts by "/": `accounts/purpose/sign-in`, `supplier/acme/model/large`. The same fact is the same text everywhere."""


def mapped(of: DataMap) -> frozenset[Fact]:
    """All that the map claims."""
    found = [fact for one in of.activities for fact in _of_activity(one)]
    found += [fact for one in of.suppliers for fact in of_supplier(one)]
    return frozenset([*found, *(f"rights/{name}" for name in of.rights)])


def _of_activity(one: Activity) -> Iterator[Fact]:
    for kind, token in tokens(one):
        if kind != "retention":
            yield f"{one.id}/{kind}/{token}"
    yield from (kept_for(one, term) for term in one.retention)
    yield f"{one.id}/role/{one.role}"
    if one.interest is not None:
        yield f"{one.id}/interest"
    yield from staying(one)


def kept_for(one: Activity, term: Retention) -> Fact:
    """The fact of one term: until when, or how long after it."""
    return f"{one.id}/retention/{term.after}/{'at-once' if term.days is None else term.days}"


def staying(one: Activity) -> list[Fact]:
    """Where a person's opaque id stays after an erasure."""
    return [f"{one.id}/stays/{name}.{column}" for name, table in one.tables.items() for column in table.stays]


def of_supplier(one: Supplier) -> Iterator[Fact]:
    """What is said of a vendor."""
    before = f"supplier/{one.id}"
    yield f"{before}/name/{one.name}"
    yield f"{before}/retention/{one.retention}/{one.retention_days}"
    yield from (model_of(one.id, name) for name in one.models)
    yield from (f"{before}/region/{name}" for name in one.regions)
    yield from (f"{before}/sub-processor/{name}" for name in one.sub_processors)


def model_of(vendor: str, model: str) -> Fact:
    """That a vendor runs a model."""
    return f"supplier/{vendor}/model/{model}"


def observed(database: Database, since: int, besides: Collection[str] = ()) -> frozenset[Fact]:
    """Vendors and models that were sent something since a moment (epoch ms), as the receipts of all tenants say.

    `besides`: tenants that do not count, such as those of self-checks.
    """
    sent = receipts.c.sent_at >= since, receipts.c.tenant.not_in(besides)
    query = select(receipts.c.vendor, receipts.c.model).where(*sent).distinct()
    with database.read(SYSTEM) as connection:
        return frozenset(model_of(str(vendor), str(model)) for vendor, model in connection.execute(query))
