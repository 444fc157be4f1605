"""`troth scan` looks at the environment that runs these tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from troth.cli.main import troth


def advisories(folder: Path, package: str, day: str = "") -> Path:
    path = folder / "osv.json"
    events = [{"introduced": "0"}]
    affected = [
        {"package": {"ecosystem": "PyPI", "name": package}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    ]
    changed = day or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    path.write_text(json.dumps([{"id": "PYSEC-PLANTED", "modified": changed, "affected": affected}]))
    return path


def test_a_planted_vulnerable_package_is_found(tmp_path: Path) -> None:
    done = CliRunner().invoke(troth, ["scan", "--advisories", str(advisories(tmp_path, "PyYAML"))])
    assert done.exit_code == 1, done.output
    assert f"PYSEC-PLANTED  pyyaml {metadata.version('pyyaml')}" in done.output


def test_what_is_not_named_is_clean_and_the_record_says_what_was_looked_at(tmp_path: Path) -> None:
    bill = tmp_path / "bill.json"
    path = advisories(tmp_path, "no-such-package")
    done = CliRunner().invoke(
        troth, ["scan", "--advisories", str(path), "--source", "osv.dev", "--sbom", str(bill), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["state"], told["values"]["source"], told["values"]["skipped"]) == ("clean", "osv.dev", 0)
    assert told["values"]["components"] == len(json.loads(bill.read_text())["components"]) > 50


@pytest.mark.parametrize("day", ["2020-01-01T00:00:00Z", "2199-01-01T00:00:00Z"])
def test_a_list_of_another_day_proves_nothing(tmp_path: Path, day: str) -> None:
    done = CliRunner().invoke(troth, ["scan", "--advisories", str(advisories(tmp_path, "no-such-package", day))])
    assert done.exit_code == 2
    assert "proves nothing" in done.output


def test_a_source_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(troth, ["scan", "--advisories", str(tmp_path / "none.zip")])
    assert done.exit_code == 2
    assert CliRunner().invoke(troth, ["scan"]).exit_code == 2
