"""Backups and erasure: a copy of everything is made first, and must not bring an erased person back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select

from troth.kernel.errors import Gone, IntegrityError, NotFound, Unavailable
from troth.keys.domains import Domain
from troth.keys.roots.port import Root
from troth.keys.store import key_manifest, key_page, key_root, key_scope, key_tree, unit
from troth.keys.tree import KeyTree
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database, metadata
from troth.vault import store
from troth.vault.deadlines import Deadlines
from troth.vault.ground import Ground
from troth.vault.objects import Objects

_KEY_TABLES = (key_tree, key_manifest, key_page, key_root, key_scope, unit)
_COPIED = 2000  # rows in one insert
_TRIES = 4  # a copy taken across another erasure opens nothing
_NO_KEY = (IntegrityError, Gone, NotFound)
Forget = Callable[[Probe], object]


@dataclass(frozen=True)
class _ReadOnlyRoot:
    """Today's root keys, for opening only: a restore that is tried here can neither make nor destroy one."""

    root: Root

    @property
    def domain(self) -> str:
        """The same domain's name: sealed values are bound to it."""
        return self.root.domain

    @property
    def assurance(self) -> str:
        """As the root says."""
        return self.root.assurance

    def open(self, name: str, sealed: bytes, aad: bytes) -> bytes:
        """As the root does."""
        return self.root.open(name, sealed, aad)

    def _never(self, *_: object) -> Any:
        raise Unavailable("A self-check only reads.")

    create = seal = destroy = present = _never


@contextmanager
def _backup(person: Probe) -> Iterator[Callable[[str], bytes]]:
    """Copies keys, rows and ciphertext as a backup would; gives a way to open objects from it with today's roots."""
    base = person.system.base
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as name:
        folder = Path(name)
        copy = Database(f"sqlite:///{folder / 'copy.db'}")
        try:
            metadata.create_all(copy.engine)
            for table in _KEY_TABLES:
                _copy(base.database, copy, table, None)
            _copy(base.database, copy, store.objects, store.objects.c.subject == person.subject)
            blobs = LocalBlobs(folder / "objects")
            for row in _rows(copy, store.objects):
                blobs.create(row["blob"], base.objects.get(row["blob"]))
            yield lambda object_id: _restored(person, copy, blobs).open(person.tenant, person.subject, object_id)[1]
        finally:
            copy.close()


def _restored(person: Probe, copy: Database, blobs: LocalBlobs) -> Objects:
    """The vault as it would stand after a restore: old tables and objects, today's root keys."""
    base = person.system.base
    data = base.settings.data
    reading: list[Any] = [_ReadOnlyRoot(one.root) for one in base.domains]
    domains = [Domain(root, one.blobs) for root, one in zip(reading, base.domains, strict=True)]
    tree = KeyTree(copy, domains, base.clock, jurisdiction=data.jurisdiction)
    old = Ground(copy, blobs, tree, base.outbox, base.clock)
    return Objects(
        old, Deadlines(old), blind_index=base.fields.blind_index, jurisdiction_of=lambda _tenant: data.jurisdiction
    )


def _copy(source: Database, target: Database, table: Table, which: Any) -> None:
    query = select(table) if which is None else select(table).where(which)
    with source.read() as reading, target.write() as writing:
        found = reading.execution_options(yield_per=_COPIED).execute(query).mappings()
        for rows in found.partitions():
            writing.execute(insert(table), [dict(row) for row in rows])


def _rows(database: Database, table: Table) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(table)).mappings())


def _brought_back(system: System, forget: Forget) -> Facts:
    """A backup taken before an erasure: it opens before, it must not open after.

    Raises `Unavailable` when no copy ever opened (each was taken across somebody else's erasure): that proves nothing.
    """
    with probe(system) as person:
        kept = [person.keep(b"to be forgotten", own_unit=own).id for own in (True, False)]
        for _ in range(_TRIES):
            with _backup(person) as restored:
                if refused(lambda: [restored(one) for one in kept]):
                    continue
                forget(person)
                return counted([refused(lambda one=one: restored(one), *_NO_KEY) for one in kept])  # type: ignore[misc]
    raise Unavailable("No copy opened even before the erasure; look again.", code="no-copy")


def bytes_only(person: Probe) -> None:
    """The known-bad deletion: the ciphertext is unlinked, every key stays."""
    for info in person.system.vault.objects.list(person.tenant, person.subject):
        person.system.base.objects.delete(person.row(info.id)["blob"])


CHECKS = (
    Check(
        "erased-in-copies",
        ("DEL-02", "DEL-03"),
        "Key tables, rows and ciphertext are copied before an erasure, as a backup would; the copy with today's root "
        "keys must open before and not after. A copy of the root file itself is not covered (assurance A0).",
        lambda system: _brought_back(system, Probe.erase),
        lambda system: _brought_back(system, bytes_only),
        every=24 * 3600,
        scope="a copy of keys, rows and bytes of a synthetic person",
        population="objects opened from the copy",
    ),
)
