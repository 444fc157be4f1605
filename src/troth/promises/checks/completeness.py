"""Promises about what the log leaves out: nothing, as far as counters and triggers can tell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from troth.kernel.clock import epoch_ms
from troth.kernel.uses import READ, VENDOR, tallying
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, ground, probe
from troth.promises.reconciling import Reconciliation, unsettled
from troth.promises.system import System
from troth.storage.database import Database, metadata
from troth.storage.meters import Meters
from troth.storage.outbox import Outbox, outbox
from troth.storage.watching import PRIVILEGED, unwatched, watch
from troth.vault import framing
from troth.vault.custody import UNBROKEN, Custody
from troth.vault.messages import ObjectNamed

_WEEK_MS = 7 * 86_400_000


def _reconciled(system: System) -> Facts:
    """Compare now; nothing may differ, nor have differed within a week."""
    base = system.base
    compared = Reconciliation(base.database, base.outbox, base.clock).run()
    with base.database.read() as connection:
        broken = unsettled(connection, epoch_ms(base.clock.now()) - _WEEK_MS)
    tested = 0 if compared.begun else 5  # the first comparison only notes where to begin
    return Facts(5, tested, max(broken, len(compared.differences)), configured=not compared.begun)


@contextmanager
def _scratch() -> Iterator[Database]:
    """An empty database with the whole schema, made for this."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scratch.db'}")
        try:
            metadata.create_all(database.engine)
            yield database
        finally:
            database.close()


def _unrecorded(system: System) -> Facts:
    """The known-bad fixture: content that was opened, and a vendor that was asked, and no entry of either."""
    with _scratch() as database:
        recorder, meters = Outbox(database), Meters(database)
        compare = Reconciliation(database, recorder, system.base.clock)
        try:
            begun = compare.run().begun
            quiet = not compare.run().differences
            with tallying(None):  # in nobody's name
                meters.count(READ)
                meters.count(VENDOR)
            found = compare.run().differences
        finally:
            recorder.close()
    return counted([not (begun and quiet and found == {READ: 1, VENDOR: 1})] * 2)


def _watched(database: Database, harm: Callable[[Database], object] = lambda _database: None) -> Facts:
    """All triggers stand in the installation's database; on a scratch one, an edit by another hand is told."""
    with database.write() as connection:
        astray = unwatched(connection)
    with _scratch() as scratch:
        with scratch.write() as connection:
            watch(connection)
        harm(scratch)
        told = _told(scratch)
    return Facts(population=len(PRIVILEGED), tested=len(PRIVILEGED), broken=len(astray) + (not told))


def _told(scratch: Database) -> bool:
    """Somebody else's connection, which carries no mark, makes a tenant."""
    with scratch.read() as connection:
        connection.exec_driver_sql("PRAGMA analysis_limit=0")
        connection.exec_driver_sql("INSERT INTO tenants VALUES ('ten_probe', 'probe', 'eu', 0)")
        leaves = connection.execute(outbox.select()).all()
        connection.exec_driver_sql("DELETE FROM tenants")
    return len(leaves) == 1 and b'"op":"database.changed"' in bytes(leaves[0].leaf)


def _unarmed(scratch: Database) -> None:
    """The known-bad fixture: a database whose trigger somebody took away."""
    with scratch.write() as connection:
        connection.execute(text("DROP TRIGGER troth_watch_tenants_insert"))


def _beside(person: Probe, kept: str) -> object:
    """The known-bad opening: its bytes and its key are taken, and no operation is asked."""
    header = framing.read_header(sealed := person.sealed(kept))
    return len(sealed), person.system.base.tree.key(header.unit)


def _custody(system: System, open_it: Callable[[Probe, str], object]) -> Facts:
    """A synthetic object comes in, is opened and erased: its custody must tell each, in order, and be unbroken."""
    custody = Custody(ground(system), system.base.reader, system.vault.scrub)
    with probe(system) as person:
        kept = person.keep().id
        open_it(person, kept)
        system.base.sequencer.flush(person.tenant)
        living = custody.of(person.tenant, kept, owner=person.subject)
        person.erase(object_id=kept)
        system.base.sequencer.flush(person.tenant)
        after = custody.of(person.tenant, kept)
    told = [step.what for step in after.steps]
    outcomes = [living.statement == UNBROKEN, after.statement == UNBROKEN, "access" in told]
    outcomes += [told[:1] == ["ingest"], told[-1:] == ["deletion"], after.erased_at is not None]
    return counted(outcomes)


CHECKS = (
    Check(
        "reconciled",
        ("AUD-01", "VEN-03"),
        "What was counted where it happened (content opened for somebody, vendors asked, receipts kept) is compared "
        "with what the entries of all logs say; a difference stays red for a week. Both are kept by this software: who "
        "changes the software can change both.",
        _reconciled,
        _unrecorded,
        every=24 * 3600,
        scope="counters of use against the entries of all logs",
        population="kinds of use that are counted",
    ),
    Check(
        "database-watched",
        ("AUD-01", "AUD-04"),
        "Every privileged table has its triggers as they were made, and on a scratch database an edit by another "
        "program leaves an entry. Whoever owns the tables can take triggers away between two looks, or copy the mark "
        "of Troth's own transactions.",
        lambda system: _watched(system.base.database),
        lambda system: _watched(system.base.database, _unarmed),
        every=3600,
        scope="privileged tables of this database, and a scratch one",
        population="privileged tables",
    ),
    Check(
        "custody-told",
        ("AUD-06",),
        "A synthetic object comes in, is opened by its operation and is erased: its custody must list each from the "
        "log, in order, and state that it was never outside an encrypted state. What people do with copies that they "
        "took away is not known.",
        lambda system: _custody(system, lambda person, kept: person.run("object.open", ObjectNamed(object_id=kept))),
        lambda system: _custody(system, _beside),
        every=6 * 3600,
        scope="custody of one synthetic object",
        population="statements and steps of its custody",
    ),
)
