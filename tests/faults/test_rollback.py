"""A whole data folder from a backup beside the keys of today: the log is not signed a second time."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import IntegrityError
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome
from troth.settings.load import load
from troth.wiring import opened


def worked(root: Path, entries: int) -> int:
    """An installation runs, writes entries and stops; gives the size of the operator's log."""
    with opened(load(data={"folder": root / "data", "keys": root / "keys"})) as troth:
        base = troth.system.base
        for number in range(entries):
            entry = Entry("operator", "test.work", "event", Outcome.DONE, new_id("req"), "svc_test", None, number)
            base.outbox.record(entry)
        base.sequencer.flush()
        return base.reader.size("operator")


def test_an_older_data_folder_with_the_keys_of_today_signs_nothing(tmp_path: Path) -> None:
    old = worked(tmp_path, 3)
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    new = worked(tmp_path, 4)
    shutil.rmtree(tmp_path / "data")
    shutil.copytree(tmp_path / "backup", tmp_path / "data")
    with pytest.raises(IntegrityError, match=f"signed at {new} entries and the database holds {old}") as refusal:
        worked(tmp_path, 9)
    assert refusal.value.code == "fork"


def test_keys_that_forgot_the_log_sign_nothing_and_say_what_to_restore(tmp_path: Path) -> None:
    worked(tmp_path, 3)
    shutil.rmtree(tmp_path / "keys" / "log-guard")
    with pytest.raises(IntegrityError, match="restore the log guard in the keys folder"):
        worked(tmp_path, 1)


def test_an_empty_data_folder_beside_the_keys_of_today_is_refused(tmp_path: Path) -> None:
    worked(tmp_path, 3)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(IntegrityError, match=r"rolled back|the database holds 0"):
        worked(tmp_path, 1)


KEY_TABLES = ("key_tree", "key_manifest", "key_page", "key_root", "key_scope", "key_suspension", "unit")


def _erased_someone(root: Path) -> None:
    """A unit is made and destroyed, so that the tree moves to another epoch."""
    with opened(load(data={"folder": root / "data", "keys": root / "keys"})) as troth:
        tree = troth.system.base.tree
        tree.destroy_units([tree.own_unit("ten_test", "usr_test", DataClass.USER_GENERATED).id])


def _alarms(root: Path) -> list[str]:
    with closing(sqlite3.connect(root / "data" / "troth.db")) as database:
        leaves = [json.loads(leaf) for (leaf,) in database.execute("SELECT leaf FROM outbox")]
        leaves += [json.loads(leaf) for (leaf,) in database.execute("SELECT leaf FROM audit_entries")]
    return [leaf["code"] for leaf in leaves if leaf["op"] == "keys.alarm"]


def _roots(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (root / "keys" / "roots").glob("*.root")}


def test_key_tables_older_than_the_log_are_refused_with_an_alarm(tmp_path: Path) -> None:
    """Only the key tables come from a backup, and the roots of then with them: the log is what gives it away."""
    worked(tmp_path, 1)
    old = tmp_path / "old.db"
    shutil.copy(tmp_path / "data" / "troth.db", old)
    shutil.copytree(tmp_path / "keys" / "roots", tmp_path / "old-roots")
    _erased_someone(tmp_path)
    with closing(sqlite3.connect(tmp_path / "data" / "troth.db")) as database:
        database.execute("ATTACH ? AS old", (str(old),))
        for table in KEY_TABLES:
            database.execute(f"DELETE FROM {table}")
            database.execute(f"INSERT INTO {table} SELECT * FROM old.{table}")
        database.commit()
    shutil.rmtree(tmp_path / "keys" / "roots")
    shutil.copytree(tmp_path / "old-roots", tmp_path / "keys" / "roots")
    before = _roots(tmp_path)
    for _ in range(2):  # refused again and again, not once
        with pytest.raises(IntegrityError) as refusal:
            worked(tmp_path, 1)
        assert refusal.value.code == "key-epoch-log"
        assert _roots(tmp_path) == before  # nothing was destroyed
    assert set(_alarms(tmp_path)) == {"key-epoch-log"}


def test_emptied_key_tables_do_not_become_a_new_tree(tmp_path: Path) -> None:
    worked(tmp_path, 1)
    before = _roots(tmp_path)
    with closing(sqlite3.connect(tmp_path / "data" / "troth.db")) as database:
        for table in KEY_TABLES:
            database.execute(f"DELETE FROM {table}")
        database.commit()
    with pytest.raises(IntegrityError) as refusal:
        worked(tmp_path, 1)
    assert refusal.value.code == "key-epoch-log"
    assert _roots(tmp_path) == before


def test_roots_from_a_backup_beside_the_tables_of_today_are_refused(tmp_path: Path) -> None:
    worked(tmp_path, 1)
    shutil.copytree(tmp_path / "keys" / "roots", tmp_path / "old-roots")
    _erased_someone(tmp_path)
    today = tmp_path / "todays-roots"
    shutil.copytree(tmp_path / "keys" / "roots", today)
    shutil.rmtree(tmp_path / "keys" / "roots")
    shutil.copytree(tmp_path / "old-roots", tmp_path / "keys" / "roots")
    before = _roots(tmp_path)
    with pytest.raises(IntegrityError) as refusal:
        worked(tmp_path, 1)
    assert refusal.value.code == "tree-rolled-back"
    assert _roots(tmp_path) == before
    assert _alarms(tmp_path) == ["tree-rolled-back"]
    shutil.copytree(today, tmp_path / "keys" / "roots", dirs_exist_ok=True)  # both: the old one had come back
    with pytest.raises(IntegrityError) as refusal:
        worked(tmp_path, 1)
    assert refusal.value.code == "root-returned"
    assert worked(tmp_path, 1) > 1  # it was destroyed again, and the next start works


def test_a_log_that_agrees_is_no_alarm(tmp_path: Path) -> None:
    for _ in range(3):
        _erased_someone(tmp_path)
        worked(tmp_path, 1)
    assert _alarms(tmp_path) == []
