"""Backups through the HTTPS door and on the command line: operators only, recorded, with exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from backup_world import backup_settings, world
from house import House, house
from troth.cli.main import troth


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as built:
        yield built


def test_an_operator_backs_up_lists_and_tries(home: House) -> None:
    made = home.ok("POST", "/v1/backups", home.operator)
    assert (made["complete"], made["places"], made["failed"]) == (True, ["place-1", "place-2"], [])
    listed = home.ok("GET", "/v1/backups", home.operator)["backups"]
    assert [one["backup"] for one in listed] == [made["backup"]]
    tried = home.ok("POST", "/v1/backups/drills", home.operator)
    assert tried["backup"] == made["backup"]
    assert tried["rto_ms"] > 0


def test_nobody_else_does(home: House) -> None:
    owner = home.tenant("omega")
    for method, path in (("GET", "/v1/backups"), ("POST", "/v1/backups"), ("POST", "/v1/backups/drills")):
        assert home.call(method, path, owner.headers).status_code == 403
        assert home.call(method, path).status_code == 401


def test_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = backup_settings(tmp_path)
    with world(tmp_path) as made:
        made.someone(made.tenant("One"), 2)
    monkeypatch.setenv("TROTH_DATA__FOLDER", str(settings.data.folder))
    monkeypatch.setenv("TROTH_DATA__KEYS", str(settings.data.keys))
    monkeypatch.setenv("TROTH_SERVER__NAME", settings.server.name)
    places = [{"jurisdiction": "eu", "folder": str(one.folder)} for one in settings.backup.locations]
    monkeypatch.setenv("TROTH_BACKUP__LOCATIONS", json.dumps(places))

    def run(*arguments: str) -> tuple[int, dict[str, object]]:
        done = CliRunner().invoke(troth, ["backup", *arguments, "--json"])
        return done.exit_code, json.loads(done.stdout) if done.stdout else {}

    code, first = run("run")
    assert (code, first["complete"], first["objects"]) == (0, True, 2)
    assert run("list")[1]["backups"][0]["backup"] == first["backup"]  # type: ignore[index]
    code, checked = run("verify")
    assert (code, [one["state"] for one in checked["places"]]) == (0, ["holds", "holds"])  # type: ignore[union-attr]
    assert run("drill")[0] == 0
    code, restored = run("restore", "--into", str(tmp_path / "restored"))
    assert (code, restored["live_objects_opened"]) == (0, 2)
    assert run("restore", "--into", str(tmp_path / "restored"))[0] == 1
    assert run("restore")[0] == 2
    part = next(path for path in (tmp_path / "places" / "a" / "objects").rglob("obj_*"))
    part.write_bytes(b"x")
    code, checked = run("verify")
    assert (code, [one["state"] for one in checked["places"]]) == (1, ["backup-broken", "holds"])  # type: ignore[union-attr]
    code, restored = run("restore", "--go-live", "--yes")
    assert (code, restored["place"]) == (0, "place-2")
