"""`troth promises oscal` and `troth promises pdf` on a fresh installation: everything there, and nothing kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.cli.main import troth
from troth.settings.load import load
from troth.wiring import opened


@pytest.fixture(scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("papers")
    with opened(load(data={"folder": folder / "data", "keys": folder / "keys"})):
        return folder


@pytest.fixture
def folder(_made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TROTH_DATA__FOLDER", str(_made / "data"))
    monkeypatch.setenv("TROTH_DATA__KEYS", str(_made / "keys"))
    return _made


def test_eight_documents_name_every_promise_and_call_none_satisfied(folder: Path) -> None:
    done = CliRunner().invoke(troth, ["promises", "oscal", "--out", str(folder / "oscal")])
    assert done.exit_code == 0, done.output
    made = {path.name: json.loads(path.read_text()) for path in (folder / "oscal").iterdir()}
    assert len(made) == 8
    results = json.dumps(made["assessment-results.json"])
    assert '"not-satisfied"' in results
    assert '"satisfied"' not in results


def test_paper_is_a_pdf(folder: Path) -> None:
    done = CliRunner().invoke(troth, ["promises", "pdf", "--out", str(folder / "promises.pdf")])
    assert done.exit_code == 0, done.output
    assert (folder / "promises.pdf").read_bytes().startswith(b"%PDF-")


def test_without_an_installation_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_DATA__FOLDER", str(tmp_path / "none"))
    monkeypatch.setenv("TROTH_DATA__KEYS", str(tmp_path / "keys"))
    done = CliRunner().invoke(troth, ["promises", "oscal", "--out", str(tmp_path / "oscal")])
    assert done.exit_code != 0
    assert not (tmp_path / "oscal").exists()
