from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from database_world import opened
from log_world import World
from troth.audit.export import export_log
from troth.cli.audit import audit
from troth.kernel.errors import IntegrityError
from troth.storage.blobs import LocalBlobs


@pytest.fixture
def log(tmp_path: Path) -> Iterator[World]:
    with opened("sqlite", tmp_path) as database:
        world = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        world.grow(300)
        export_log(world.resource(), tmp_path / "log")
        yield world
        world.sequencer.stop()


def run(*arguments: object) -> str:
    result = CliRunner().invoke(audit, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_verify_says_what_holds(log: World) -> None:
    folder, key = log.folder / "log", log.vkey()
    assert "all 300 entries stand" in run("verify", folder, "--key", key)
    assert "--trusted" in run("verify", folder, "--key", key)
    shown = json.loads(run("verify", folder, "--key", key, "--json"))
    assert (shown["origin"], shown["size"]) == ("troth.test/log/operator", 300)
    assert "--trusted" not in run("verify", folder, "--key", key, "--trusted", folder / "checkpoint")


def test_verify_names_the_bad_entry(log: World) -> None:
    bundle = log.folder / "log/tile/entries/000"
    bundle.write_bytes(bundle.read_bytes().replace(b"req_7", b"req_8"))
    with pytest.raises(IntegrityError, match="Entry 7"):
        run("verify", log.folder / "log", "--key", log.vkey())


def test_verify_refuses_a_rolled_back_log(log: World, tmp_path: Path) -> None:
    log.grow(1, start=300)
    newer = tmp_path / "newer"
    newer.write_bytes(log.publisher.resource("operator", "checkpoint"))
    with pytest.raises(IntegrityError, match="rolled back"):
        run("verify", log.folder / "log", "--key", log.vkey(), "--trusted", newer)


def test_verify_proof(log: World, tmp_path: Path) -> None:
    proof, leaf = tmp_path / "entry.tlog-proof", tmp_path / "leaf"
    proof.write_text(log.prover.proof("operator", 42), encoding="utf-8")
    leaf.write_bytes(log.reader.entry("operator", 42))
    assert "index 42" in run("verify-proof", proof, "--leaf", leaf, "--key", log.vkey())
    leaf.write_bytes(b"{}")
    with pytest.raises(IntegrityError, match="Entry 42"):
        run("verify-proof", proof, "--leaf", leaf, "--key", log.vkey())
