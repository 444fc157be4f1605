"""`troth promises oscal` and `troth promises pdf` on a fresh installation: everything there, and nothing kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.cli.main import troth
from troth.promises import store
from troth.promises.check import Result
from troth.promises.runs import Run
from troth.promises.tallies import Tallies
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


@pytest.fixture(scope="module")
def period(_made: Path) -> tuple[str, ...]:
    """Two days that are over: a tally closes them. Nobody was to look in them, and no promise is kept for it."""
    with opened(load(data={"folder": _made / "data", "keys": _made / "keys"})) as troth:
        base = troth.system.base
        with base.database.write() as connection:
            run = Run("made-up", 1, Result.PASS, Result.FAIL, 1, 1, "a" * 64, "run_made_up", 1)
            store.add(connection, run, store.Signed("nobody", b"s" * 64), None)
        Tallies(base.database, base.outbox, base.clock).write()
        base.sequencer.flush()
    return "--from", "2026-01-01", "--to", "2026-01-03"


def test_a_period_in_oscal_and_on_paper(folder: Path, period: tuple[str, ...]) -> None:
    for kind, name in (("oscal", "of-period"), ("pdf", "of-period.pdf")):
        done = CliRunner().invoke(troth, ["promises", kind, "--out", str(folder / name), *period])
        assert done.exit_code == 0, done.output
    told = json.loads((folder / "of-period" / "assessment-results.json").read_text())
    (result,) = told["assessment-results"]["results"]
    assert (result["start"][:10], result["end"][:10]) == ("2026-01-01", "2026-01-03")
    assert len(result["findings"]) == 134
    assert {one["target"]["status"]["state"] for one in result["findings"]} == {"not-satisfied"}
    assert (folder / "of-period.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("days", "code"),
    [
        (("--from", "2026-01-01"), "bad-period"),
        (("--to", "2026-01-01"), "bad-period"),
        (("--from", "2026-01-02", "--to", "2026-01-02"), "bad-period"),
        (("--from", "2024-01-01", "--to", "2026-01-02"), "bad-period"),
        (("--from", "2026-01-01", "--to", "2026-01-02x"), ""),
        (("--from", "2199-01-01", "--to", "2199-01-02"), "period-open"),
    ],
)
def test_what_is_no_period_or_not_over_is_refused(folder: Path, days: tuple[str, ...], code: str) -> None:
    done = CliRunner().invoke(troth, ["promises", "oscal", "--out", str(folder / "refused"), *days])
    assert done.exit_code != 0
    assert getattr(done.exception, "code", "") in (code, 2)
    assert not (folder / "refused").exists()


def test_without_an_installation_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_DATA__FOLDER", str(tmp_path / "none"))
    monkeypatch.setenv("TROTH_DATA__KEYS", str(tmp_path / "keys"))
    done = CliRunner().invoke(troth, ["promises", "oscal", "--out", str(tmp_path / "oscal")])
    assert done.exit_code != 0
    assert not (tmp_path / "oscal").exists()
