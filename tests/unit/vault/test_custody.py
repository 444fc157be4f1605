"""Custody: every entry about an object in order, and a statement that is never green when something is not known."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from database_world import owned
from troth.audit.store import entries
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import NotFound
from troth.kernel.record import Entry, Outcome
from troth.storage.database import Database
from troth.vault import custody as custody_module
from troth.vault.custody import BROKEN, UNBROKEN, UNKNOWN, Custody
from troth.vault.framing import HEADER
from troth.vault.scrubbing import Scrub
from troth.vault.store import by_ids
from vault_world import ANN, BOB, OTHER, TENANT, VaultWorld


@pytest.fixture
def custody(world: VaultWorld) -> Custody:
    return Custody(world.ground, world.log, Scrub(world.ground))


def test_from_ingest_to_erasure(world: VaultWorld, custody: Custody) -> None:
    kept = world.keep()
    other = world.keep()
    world.sequencer.integrate()
    chain = custody.of(TENANT, kept.id, owner=ANN)
    assert [(step.what, step.operation) for step in chain.steps] == [("ingest", "object.kept")]
    assert (chain.statement, chain.reasons, chain.erased_at) == (UNBROKEN, (), None)
    erasure = world.erase(object_id=kept.id)
    world.sequencer.integrate()
    after = custody.of(TENANT, kept.id)
    assert after.steps[0].operation == "object.kept"
    assert {step.what for step in after.steps} == {"ingest", "deletion"}
    assert [step.index for step in after.steps] == sorted(step.index for step in after.steps)
    assert (after.state, after.statement) == ("erased", UNBROKEN)
    assert "erasure.certified" in {step.operation for step in after.steps}
    assert erasure.certificate
    assert len(custody.of(TENANT, other.id).steps) == 1


def test_of_nobody_else(world: VaultWorld, custody: Custody) -> None:
    kept = world.keep()
    world.sequencer.integrate()
    for asked in ((OTHER, kept.id, None), (TENANT, kept.id, BOB), (TENANT, "obj_" + "a" * 26, None)):
        with pytest.raises(NotFound):
            custody.of(asked[0], asked[1], owner=asked[2])


def test_a_changed_byte_is_broken(world: VaultWorld, custody: Custody, database: Database) -> None:
    kept = world.keep()
    world.sequencer.integrate()
    with database.read() as connection:
        (row,) = by_ids(connection, [kept.id])
    whole = world.blobs.get(row.blob or "")
    world.blobs.delete(row.blob or "")
    world.blobs.create(row.blob or "", whole[:HEADER] + bytes([whole[HEADER] ^ 1]) + whole[HEADER + 1 :])
    chain = custody.of(TENANT, kept.id)
    assert (chain.statement, chain.reasons) == (BROKEN, ("tob1-tampered",))


def test_what_the_log_does_not_hold_is_unknown(world: VaultWorld, custody: Custody, database: Database) -> None:
    kept, before = world.keep(), world.keep()
    world.sequencer.integrate()
    assert custody.of(TENANT, before.id).statement == UNBROKEN
    with owned(database) as connection:
        connection.execute(update(entries).where(entries.c.operation == "object.kept").values(leaf=b'{"op":"x"}'))
    chain = custody.of(TENANT, kept.id)
    assert (chain.statement, chain.reasons) == (UNKNOWN, ("no-ingest",))
    with owned(database) as connection:
        connection.execute(delete(entries))


def test_an_entry_that_was_changed_is_broken(world: VaultWorld, custody: Custody, database: Database) -> None:
    kept = world.keep()
    world.sequencer.integrate()
    leaf = world.log.entry(TENANT, custody.of(TENANT, kept.id).steps[0].index)
    with owned(database) as connection:
        changed = leaf.replace(b'"outcome":"done"', b'"outcome":"nope"')
        assert changed != leaf
        connection.execute(update(entries).where(entries.c.leaf == leaf).values(leaf=changed))
    chain = custody.of(TENANT, kept.id)
    assert (chain.statement, chain.reasons, chain.steps) == (BROKEN, ("log-broken",), ())


def test_the_end_of_an_object_that_was_much_read_is_found(
    world: VaultWorld, custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MOST", 4), ("_EARLIER", 2)):
        monkeypatch.setattr(custody_module, name, value)
    kept = world.keep()
    for number in range(12):
        world.clock.forward(seconds=10)
        read = ("object.open", "closed", Outcome.DONE, f"req_{number}", ANN, TENANT, epoch_ms(world.clock.now()))
        world.recorder.record(Entry(TENANT, *read, facts={"object": kept.id}))
    world.clock.forward(seconds=10)
    world.erase(object_id=kept.id)
    world.sequencer.integrate()
    part = custody.of(TENANT, kept.id, limit=3)
    assert (len(part.steps), part.statement, part.reasons) == (3, UNBROKEN, ())


def test_a_long_log_is_looked_at_in_parts(world: VaultWorld, custody: Custody, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LOOKED", 4), ("_EARLIER", 2)):
        monkeypatch.setattr(custody_module, name, value)
    for _ in range(6):
        world.keep()
        world.clock.forward(seconds=10)
    kept = world.keep()
    for _ in range(6):
        world.clock.forward(seconds=10)
        world.keep()
    world.clock.forward(seconds=10)
    world.erase(object_id=kept.id)
    world.sequencer.integrate()
    parts = [custody.of(TENANT, kept.id, limit=2)]
    while (after := parts[-1].next) is not None:
        parts.append(custody.of(TENANT, kept.id, after=after, limit=2))
    assert len(parts) > 2
    assert {part.statement for part in parts} == {UNBROKEN}  # beginning and end are looked for, wherever one reads
    assert max(len(part.steps) for part in parts) <= 2
    told = [step.index for part in parts for step in part.steps]
    monkeypatch.undo()
    assert told == [step.index for step in custody.of(TENANT, kept.id).steps]
