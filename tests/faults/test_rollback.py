"""A whole data folder from a backup beside the keys of today: the log is not signed a second time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
