"""Promises about the walls between clients that the database itself keeps, and about where places say they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, func, select

from troth.identity.store import tenants
from troth.kernel.caller import anonymous
from troth.kernel.errors import Unavailable
from troth.kernel.scope import NOBODY, SYSTEM, Scope
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.storage.isolation import require_isolated
from troth.storage.placement import claim_database, claim_store, mark
from troth.vault.store import objects

View = Callable[[Scope], Scope]


def _walls(system: System, view: View) -> Facts:
    """Rows of two tenants, looked for without a scope, with each tenant's, and with the system's."""
    database = system.base.database
    with probe(system) as one, probe(system, neighbour=True) as other:
        given = [view(Scope.of(anonymous())) == NOBODY, view(Scope.of(one.caller())) == Scope(one.tenant)]
        if database.dialect != "postgresql":
            return counted(given)
        for person in (one, other):
            person.keep()
        seen = {}
        for scope in (NOBODY, Scope(one.tenant), Scope(other.tenant), SYSTEM):
            with database.read(view(scope)) as connection:
                seen[scope] = _tenants(connection)
        outcomes = [
            *given,
            seen[NOBODY] == set(),
            seen[Scope(one.tenant)] == {one.tenant},
            seen[Scope(other.tenant)] == {other.tenant},
            {one.tenant, other.tenant} <= seen[SYSTEM],
            not refused(lambda: require_isolated(database)),
        ]
    return counted(outcomes)


def _tenants(connection: Connection) -> set[str]:
    """Whose tenants and objects this connection sees."""
    found = set(connection.execute(select(tenants.c.id)).scalars())
    return found | set(connection.execute(select(objects.c.tenant).distinct()).scalars())


def _stocktaking(system: System) -> Facts:
    """The placement inventory, and places that would be refused at a start."""
    here = system.base.settings.data.jurisdiction
    elsewhere = next(place for place in ("us", "eu", "au") if place != here)
    with probe(system) as person:
        person.keep()
        counts = system.vault.stocktaking.whole()
    total = sum(line.count for line in counts.lines)
    with system.base.database.read(SYSTEM) as connection:
        rows = connection.execute(select(func.count()).select_from(objects)).scalar_one()
    with TemporaryDirectory(prefix="troth-check-") as folder:
        outcomes = [
            refused(lambda: claim_database(system.base.database, elsewhere, 0), Unavailable, code="wrong-placement"),
            refused(lambda: claim_store(system.base.objects, "object store", elsewhere), code="wrong-placement"),
            *_fresh_stores(Path(folder), here, elsewhere),
            any(line.place == "table:vault_object" and line.count <= rows for line in counts.lines),
        ]
    total += len(outcomes)
    return Facts(total, total, counts.strangers + outcomes.count(False), details={"rows": rows})


def _fresh_stores(folder: Path, here: str, elsewhere: str) -> list[bool]:
    marked, bare = LocalBlobs(folder / "marked"), LocalBlobs(folder / "bare")
    mark(marked, elsewhere)
    bare.create("objects/aa/x", b"x")
    return [
        refused(lambda: claim_store(marked, "store", here), code="wrong-placement"),
        refused(lambda: claim_store(bare, "store", here), code="no-placement"),
    ]


def _stranger(system: System) -> Facts:
    """The known-bad fixture: something in the object store that does not say where it belongs."""
    name = "strangers/left-by-a-self-check"
    system.base.objects.create(name, b"x")
    try:
        return _stocktaking(system)
    finally:
        system.base.objects.delete(name)


CHECKS = (
    Check(
        "rows-apart",
        ("EDG-05",),
        "On PostgreSQL: without a scope no row of a tenant may be seen, with a tenant's only that tenant's, and the "
        "application's role must own nothing and bypass nothing. The embedded database has no roles: there, only that "
        "every caller gets the scope of their own tenant.",
        lambda system: _walls(system, lambda scope: scope),
        lambda system: _walls(system, lambda _: SYSTEM),
        every=6 * 3600,
        scope="rows of two synthetic tenants, by scope",
        population="scopes given, and views of the database",
    ),
    Check(
        "placement-counted",
        ("LOC-01", "LOC-04"),
        "Every row with a jurisdiction, every object's header, every copy of a key page and every root is counted; all "
        "must be of this installation's jurisdiction, and a start beside a place of another, or one that does not say, "
        "must be refused. Where the machine really stands is for the operator to show.",
        _stocktaking,
        _stranger,
        every=6 * 3600,
        scope="all rows, objects, key pages and roots that name a place",
        population="things with a jurisdiction, and starts to be refused",
    ),
)
