from __future__ import annotations

import stat
from pathlib import Path

import click
import pytest

from troth.audit.cosignature import Ed25519Cosigner
from troth.audit.witness_client import WitnessClient
from troth.http.tls import local_certificate
from troth.kernel.errors import Conflict, IntegrityError, Invalid, NotFound, Unavailable
from troth.storage.blobs import LocalBlobs
from witness_world import GrowingLog, command, running_witness, verifiers, witness_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    command("init", tmp_path / "w", "--name", "w.test/1")
    return tmp_path / "w"


def test_init_makes_two_keys_that_only_the_owner_reads(folder: Path) -> None:
    keys = verifiers(folder)
    assert [key.kind for key in keys] == [0x04, 0x06]
    assert {key.name for key in keys} == {"w.test/1"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "keys").iterdir()} == {0o600}
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_init_again_changes_nothing(folder: Path) -> None:
    before = verifiers(folder)
    command("init", folder, "--name", "w.test/1")
    assert verifiers(folder) == before
    with pytest.raises(Conflict, match="another name"):
        command("init", folder, "--name", "w.test/2")


def test_a_name_that_is_none_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        command("init", tmp_path / "w", "--name", "two words")
    assert not (tmp_path / "w").exists()


def test_keys_that_others_can_read_are_not_used(folder: Path) -> None:
    (folder / "keys" / "ed25519.seed").chmod(0o644)
    with pytest.raises(Unavailable) as caught:
        command("show", folder)
    assert caught.value.code == "key-file-open"


def test_logs_are_added_once(folder: Path) -> None:
    log, other = GrowingLog(), GrowingLog("troth.test/log/meta")
    command("add-log", folder, str(log.vkey))
    command("add-log", folder, str(other.vkey))
    with pytest.raises(Conflict):
        command("add-log", folder, str(log.vkey))
    shown = command("show", folder)
    assert all(f"{one.origin}  size 0" in shown for one in (log, other))


def test_a_second_key_of_a_log_does_not_forget_what_was_cosigned(folder: Path) -> None:
    log = GrowingLog().grow(5)
    command("add-log", folder, str(log.vkey))
    witness_in(folder / "state", log).add_checkpoint(log.ask(0))
    command("add-log", folder, str(GrowingLog(seed=b"\x09" * 32).vkey))
    assert f"{log.origin}  size 5" in command("show", folder)


def test_a_run_that_was_cut_off_between_record_and_trust(folder: Path) -> None:
    log = GrowingLog()
    witness_in(folder / "state", log)
    command("add-log", folder, str(log.vkey))
    assert f"{log.origin}  size 0" in command("show", folder)


def test_keys_of_witnesses_are_no_logs(folder: Path) -> None:
    with pytest.raises(Invalid, match="key of a witness"):
        command("add-log", folder, str(Ed25519Cosigner("w", b"\x01" * 32).verifier))
    with pytest.raises(IntegrityError):
        command("add-log", folder, "nonsense")


def test_show_tells_of_forks(folder: Path) -> None:
    log = GrowingLog().grow(5)
    command("add-log", folder, str(log.vkey))
    witness = witness_in(folder / "state", log)
    witness.add_checkpoint(log.ask(0))
    with pytest.raises(Conflict):
        witness.add_checkpoint(GrowingLog().grow(5, b"other").ask(5))
    assert "Forks shown to this witness: 1;" in command("show", folder)


def test_there_must_be_a_witness(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="troth witness init"):
        command("show", tmp_path / "none")


@pytest.mark.parametrize("listen", ["8444", "127.0.0.1", "127.0.0.1:99999", "a b:1", "::1:8444", ":8444"])
def test_where_to_listen_is_read_strictly(folder: Path, listen: str) -> None:
    with pytest.raises((click.UsageError, AssertionError), match="--listen"):
        command("run", folder, "--listen", listen)


def test_beyond_this_machine_only_with_tls(folder: Path) -> None:
    with pytest.raises(Invalid) as caught:
        command("run", folder, "--listen", "0.0.0.0:0")
    assert caught.value.code == "no-tls"


def test_with_a_certificate_it_answers_over_tls(folder: Path, tmp_path: Path) -> None:
    log = GrowingLog().grow(3)
    command("add-log", folder, str(log.vkey))
    authority, certificate, key = local_certificate(tmp_path / "tls", "localhost")
    tls = ("--certificate", str(certificate), "--private-key", str(key))
    with running_witness(folder, 0, "localhost", *tls) as (_, address):
        assert address.startswith("https://localhost:")
        (answer,) = WitnessClient(seconds=10, authority=authority).ask([(address, log.ask(0))])
        assert answer is not None
        assert answer.status == 200
        assert WitnessClient(seconds=10).ask([(address, log.ask(3))]) == [None]  # an authority that nobody trusts


def test_certificate_and_key_go_together(folder: Path) -> None:
    with pytest.raises(AssertionError, match="go together"):
        command("run", folder, "--certificate", __file__)
    assert list(LocalBlobs(folder / "state").names()) == []
