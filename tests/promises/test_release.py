"""The check of the installed release, on made-up distributions: what was changed, put in or taken away is seen."""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from troth.kernel.clock import SystemClock
from troth.promises.check import Facts, Result, judge
from troth.promises.checks.release import CHECKS, _release
from troth.promises.system import System

(CHECK,) = CHECKS
SYSTEM = cast(System, SimpleNamespace(base=SimpleNamespace(clock=SystemClock())))
ARCHIVE: dict[str, Any] = {"url": "file:///x.whl", "archive_info": {"hashes": {"sha256": "a" * 64}}}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A release of one module, as an installer leaves it."""
    told = tmp_path / "troth-1.dist-info"
    for folder in (tmp_path / "troth" / "__pycache__", told):
        folder.mkdir(parents=True)
    (tmp_path / "troth" / "a.py").write_text("A = 1\n")
    (tmp_path / "troth" / "__pycache__" / "a.cpython-311.pyc").write_text("made while it runs")
    (tmp_path / "troth" / "__pycache__" / "a.cpython-311.opt-1.pyc").write_text("made after it was installed")
    found = base64.urlsafe_b64encode(hashlib.sha256(b"A = 1\n").digest()).decode().rstrip("=")
    (told / "RECORD").write_text(
        f"troth/a.py,sha256={found},6\ntroth/__pycache__/a.cpython-311.pyc,,\ntroth-1.dist-info/RECORD,,\n"
    )
    (told / "direct_url.json").write_text(json.dumps(ARCHIVE))
    return tmp_path


def _look(root: Path, runs: str = "troth") -> Facts:
    return _release(SYSTEM, metadata.PathDistribution(root / "troth-1.dist-info"), root / runs)


def test_a_release_as_it_was_installed(root: Path) -> None:
    seen = _look(root)
    assert judge(seen) is Result.PASS
    assert seen.tested > 20, "the packages of the bill"


@pytest.mark.parametrize("change", ["edited", "put-in", "away", "elsewhere", "without-digest"])
def test_what_is_not_as_it_was_installed_is_seen(root: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.promises.checks.release._inventory", lambda _now: [])  # it reads all that is installed
    if change == "edited":
        (root / "troth" / "a.py").write_text("A = 2\n")
    elif change == "put-in":
        (root / "troth" / "b.py").write_text("B = 1\n")
    elif change == "away":
        (root / "troth" / "a.py").unlink()
    elif change == "without-digest":
        record = root / "troth-1.dist-info" / "RECORD"
        record.write_text(record.read_text() + "troth/c.py,,\n")
        (root / "troth" / "c.py").write_text("C = 1\n")
    assert _look(root, "elsewhere" if change == "elsewhere" else "troth").broken == 1


@pytest.mark.parametrize("name", ["b.pyc", "__pycache__/b.cpython-311.pyc", "__pycache__/a.pyc"])
@pytest.mark.parametrize("recorded", [False, True])
def test_a_compiled_file_without_its_source_is_seen(
    root: Path, name: str, recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RECORD gives compiled files no digest, so a line in it makes none of them one of the release."""
    monkeypatch.setattr("troth.promises.checks.release._inventory", lambda _now: [])
    (root / "troth" / name).write_text("from elsewhere")
    if recorded:
        record = root / "troth-1.dist-info" / "RECORD"
        record.write_text(record.read_text() + f"troth/{name},,\n")
    assert _look(root).broken == 1


@pytest.mark.parametrize(
    "origin",
    [
        {"url": "file:///x", "dir_info": {"editable": True}},
        {"url": "file:///x", "dir_info": {}},
        {"url": "file:///x.whl", "archive_info": {}},
        {"archive_info": {"hash": "sha256=short"}},
    ],
    ids=["editable", "folder", "no-digest", "bad-digest"],
)
def test_what_names_no_archive_shows_nothing(root: Path, origin: dict[str, Any]) -> None:
    (root / "troth-1.dist-info" / "direct_url.json").write_text(json.dumps(origin))
    assert judge(_look(root)) is Result.ERROR


def test_a_release_that_was_changed_is_the_control() -> None:
    assert CHECK.sabotage(SYSTEM).broken == 2
