"""`troth audit verify`: whom it believes, what it remembers, what it says that it did not look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from click.testing import CliRunner

from database_world import opened
from log_world import World
from troth.audit.export import export_log
from troth.cli.audit import audit
from troth.cli.audit_verify import credential
from troth.kernel.errors import IntegrityError, Invalid, Malformed, TooLarge
from troth.storage.blobs import LocalBlobs

SIZE = 300


@pytest.fixture
def log(tmp_path: Path) -> Iterator[World]:
    with opened("sqlite", tmp_path) as database:
        world = World(database, LocalBlobs(tmp_path / "blobs"), tmp_path)
        world.grow(SIZE)
        export_log(world.resource(), tmp_path / "log")
        yield world
        world.sequencer.stop()


def run(*arguments: object) -> str:
    result = CliRunner().invoke(audit, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_it_remembers_what_it_saw_and_notices_a_rollback_by_itself(log: World, tmp_path: Path) -> None:
    kept, key = tmp_path / "kept", log.vkey()
    said = run("verify", tmp_path / "log", "--key", key, "--remember", kept)
    assert "No checkpoint from before was there to compare with" in said
    assert f"kept in {kept} from now on" in said
    log.grow(5, start=SIZE)
    export_log(log.resource(), tmp_path / "grown")
    said = run("verify", tmp_path / "grown", "--key", key, "--remember", kept)
    assert f"contains the checkpoint of {SIZE} entries" in said
    assert "from now on" not in said
    assert kept.read_bytes() == (tmp_path / "grown/checkpoint").read_bytes()
    before = kept.read_bytes()
    with pytest.raises(IntegrityError, match="rolled back"):
        run("verify", tmp_path / "log", "--key", key, "--remember", kept)
    assert kept.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("kept*")) == ["kept"]


def test_a_spoiled_memory_is_refused_not_replaced(log: World, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("nothing")
    with pytest.raises(IntegrityError):
        run("verify", tmp_path / "log", "--key", log.vkey(), "--remember", tmp_path / "kept")
    assert (tmp_path / "kept").read_text() == "nothing"


def test_it_says_what_it_did_not_look_at(log: World, tmp_path: Path) -> None:
    found = json.loads(run("verify", tmp_path / "log", "--key", log.vkey(), "--json"))
    assert (found["size"], found["read"], found["compared"], found["witnessed"]) == (SIZE, SIZE, None, None)
    assert [one.split()[1] for one in found["unchecked"]] == ["checkpoint", "witness"]
    (tmp_path / "log/tile/entries/000").unlink()
    with pytest.raises(IntegrityError, match="missing"):
        run("verify", tmp_path / "log", "--key", log.vkey())
    (tmp_path / "log/minimum").write_text("256\n")
    with pytest.raises(IntegrityError, match="accept that with --minimum 256"):
        run("verify", tmp_path / "log", "--key", log.vkey())
    assert "256 entries were pruned" in run("verify", tmp_path / "log", "--key", log.vkey(), "--minimum", 256)


def test_it_believes_a_policy(log: World, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.write_text(f"log {log.vkey()}\nquorum none\n")
    assert "No witness was asked for" in run("verify", tmp_path / "log", "--policy", policy)
    policy.write_text(f"log {log.vkey().replace('troth.test', 'other.test')}\nquorum none\n")
    with pytest.raises(Malformed, match="Line 1"):
        run("verify", tmp_path / "log", "--policy", policy)
    with pytest.raises(Invalid, match="whom you trust"):
        run("verify", tmp_path / "log")


def test_it_reads_a_web_address(log: World, tmp_path: Path) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "log"))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        said = run("verify", f"http://127.0.0.1:{server.server_port}", "--key", log.vkey())
        server.shutdown()
        thread.join()
    assert f"all {SIZE} entries stand" in said


def test_thecredential_goes_to_its_own_server_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TROTH_URL", "https://troth.test/")
    monkeypatch.setenv("TROTH_SESSION", "token")
    assert credential("https://troth.test/v1/log")("/v1/log/checkpoint") == {"authorization": "Bearer token"}
    for other in ("https://troth.test.evil.test/v1/log", "http://troth.test/v1/log", "https://other.test/"):
        assert credential(other)("/v1/log/checkpoint") == {}


def test_other_places_are_refused(log: World, tmp_path: Path) -> None:
    for place in (tmp_path / "none", "http://log.example.org/x", "ftp://x"):
        with pytest.raises(Invalid):
            run("verify", place, "--key", log.vkey())
    (tmp_path / "large").write_bytes(bytes((4 << 20) + 1))
    with pytest.raises(TooLarge):
        run("verify", tmp_path / "log", "--key", log.vkey(), "--trusted", tmp_path / "large")
