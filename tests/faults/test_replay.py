"""A whole installation whose database file is put back from a copy: replayed, it starts and grows on."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.audit.verify import verify_log
from troth.cli.main import troth as command
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, IntegrityError
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome
from troth.settings.load import Settings, load
from troth.wiring import opened
from troth.wiring.log_places import replayed


def settings(root: Path) -> Settings:
    mirror = {"jurisdiction": "eu", "folder": root / "far"}
    return load(data={"folder": root / "data", "keys": root / "keys"}, audit={"mirror": mirror})


def worked(root: Path, entries: int) -> tuple[bytes, str]:
    """An installation runs, writes entries and stops; gives the operator log's checkpoint and key."""
    with opened(settings(root)) as troth:
        base = troth.system.base
        for number in range(entries):
            for log, tenant in (("operator", None), ("ten_test", "ten_test")):
                entry = Entry(log, "test.work", "event", Outcome.DONE, new_id("req"), "svc_test", tenant, number)
                base.outbox.record(entry)
        base.sequencer.flush()
        return base.reader.head("operator").checkpoint, str(base.sequencer.origins.key("operator"))


def copied(root: Path) -> None:
    with closing(sqlite3.connect(root / "data" / "troth.db")) as live, closing(sqlite3.connect(root / "then.db")) as to:
        live.backup(to)


def rolled_back(root: Path) -> None:
    for path in (root / "data").glob("troth.db*"):
        path.unlink()
    shutil.copy(root / "then.db", root / "data" / "troth.db")


def test_a_database_file_of_yesterday_is_replayed_and_goes_on(tmp_path: Path) -> None:
    worked(tmp_path, 3)
    copied(tmp_path)
    trusted, key = worked(tmp_path, 400)
    rolled_back(tmp_path)
    with pytest.raises(IntegrityError, match="troth audit replay"):
        worked(tmp_path, 1)
    assert {one.log for one in replayed(settings(tmp_path))} == {"operator", "ten_test", "meta"}
    assert replayed(settings(tmp_path)) == []
    now, _ = worked(tmp_path, 5)
    for mirror in ("data/log", "far"):
        audited = verify_log(tmp_path / mirror / "tlog/operator", key, trusted=trusted)
        assert f"\n{audited.size}\n".encode() in now


def test_a_whole_data_folder_of_yesterday_is_replayed_from_the_second_region(tmp_path: Path) -> None:
    worked(tmp_path, 3)
    shutil.copytree(tmp_path / "data", tmp_path / "then")
    trusted, key = worked(tmp_path, 30)
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "then").rename(tmp_path / "data")
    replayed(settings(tmp_path))
    worked(tmp_path, 5)
    assert verify_log(tmp_path / "data/log/tlog/operator", key, trusted=trusted).size > 33


def test_the_command_says_what_it_did_and_stays_away_from_a_running_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TROTH_DATA__FOLDER", str(tmp_path / "data"))
    monkeypatch.setenv("TROTH_DATA__KEYS", str(tmp_path / "keys"))
    with opened(load()) as running:
        running.system.base.tree.own_unit("ten_test", "usr_test", DataClass.USER_GENERATED)
        refused = CliRunner().invoke(command, ["audit", "replay"])
        assert isinstance(refused.exception, Conflict)
    copied(tmp_path)
    with opened(load()) as running:
        tree = running.system.base.tree
        tree.destroy_units([tree.own_unit("ten_test", "usr_test", DataClass.USER_GENERATED).id])
    rolled_back(tmp_path)
    done = CliRunner().invoke(command, ["audit", "replay"])
    assert done.exit_code == 0, done.output
    assert "operator: " in done.output
    assert "Every log is what was signed last." in done.output
    assert "nothing was changed" in CliRunner().invoke(command, ["audit", "replay"]).output
    # The log is whole again and says that the key tables are not: replay mends logs, and nothing else.
    with pytest.raises(IntegrityError, match="newer epoch of the key tree"), opened(load()):
        pass
