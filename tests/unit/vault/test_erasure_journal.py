"""What the database itself remembers of a person: emptied before the erasure looks, or named in the certificate."""

from __future__ import annotations

from pathlib import Path

import pytest

from troth.kernel.errors import Gone
from troth.kernel.personal import Forgotten
from troth.vault import ledger
from troth.vault.residual import EMPTIED, SERVER, residual
from vault_world import ANN, TENANT, VaultWorld


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # a server keeps its own; the certificate says so
def test_dropped_rows_do_not_stay_in_the_journal(world: VaultWorld, tmp_path: Path) -> None:
    world.keep()
    row = b"a dropped row"
    with world.database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE note (line BLOB)")
        connection.exec_driver_sql("INSERT INTO note VALUES (?)", (row,))

    def forget(tenant: str, subject: str) -> Forgotten:
        del tenant, subject
        with world.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM note")
        return Forgotten("notebook")

    world.notebook.forget = forget  # type: ignore[method-assign]
    assert row in (tmp_path / "test.db-wal").read_bytes()
    assert world.erase().state == ledger.DONE
    assert [path for path in tmp_path.glob("test.db*") if row in path.read_bytes()] == []


def test_a_journal_in_use_delays_the_certificate(world: VaultWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = world.keep()
    monkeypatch.setattr(world.database, "checkpoint", lambda: False)
    waiting = world.erase()
    assert (waiting.state, waiting.certificate) == (ledger.RUNNING, None)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    monkeypatch.undo()
    assert [one.state for one in world.erasures.resume()] == [ledger.DONE]


def test_a_servers_journal_and_the_hash_in_old_copies_are_named(world: VaultWorld) -> None:
    of_object, of_person = world.erase(object_id=world.keep().id), world.erase()
    cleared = {"by_deletion": {"count": 0}, "vendors": []}
    results = {"clear": cleared, "elsewhere": {"away": []}, "tombstone": {}}

    def said(erasure: ledger.Erasure, journal: str) -> str:
        return " ".join(residual(erasure, None, [], results | {"journal": {"journal": journal}}))

    assert ["keyed hash" in said(one, EMPTIED) for one in (of_object, of_person)] == [False, True]
    assert ["server's write-ahead log" in said(of_person, one) for one in (EMPTIED, SERVER)] == [False, True]
