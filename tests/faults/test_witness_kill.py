"""A witness that is killed in the middle of a request never cosigns two histories afterwards."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from troth.audit.witness import OtherSize
from troth.kernel.errors import Conflict
from witness_world import GrowingLog, command, running_witness, witness_in

WORKER = Path(__file__).with_name("witness_kill_worker.py")


def killed(folder: Path, moment: str, size: int, old: int) -> None:
    """Let a witness process work until it dies of its own kill -9."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    arguments = [sys.executable, str(WORKER), str(folder), moment, str(size), str(old)]
    assert subprocess.run(arguments, env=environment, check=False, timeout=60).returncode == -signal.SIGKILL


def test_killed_between_check_and_answer(tmp_path: Path) -> None:
    log = GrowingLog().grow(10)
    witness_in(tmp_path, log).add_checkpoint(log.ask(0, 3))
    killed(tmp_path, "after", 7, 3)
    again, forked = witness_in(tmp_path, log), GrowingLog().grow(7, b"other")
    with pytest.raises(Conflict) as caught:  # it may have been cosigned: no other root of that size ever is
        again.add_checkpoint(forked.ask(7))
    assert caught.value.code == "witness-fork"
    with pytest.raises(OtherSize) as behind:
        again.add_checkpoint(log.ask(3, 7))
    assert behind.value.size == 7
    assert again.add_checkpoint(log.ask(7, 7))  # what the log does then, and it gets its cosignature


def test_killed_before_the_record_moved(tmp_path: Path) -> None:
    log = GrowingLog().grow(10)
    witness_in(tmp_path, log).add_checkpoint(log.ask(0, 3))
    killed(tmp_path, "before", 7, 3)
    assert witness_in(tmp_path, log).add_checkpoint(log.ask(3, 7))


def test_a_killed_server_goes_on_where_it_was(tmp_path: Path) -> None:
    log = GrowingLog().grow(20)
    command("init", tmp_path / "w", "--name", "w.test/1")
    command("add-log", tmp_path / "w", str(log.vkey))
    size = 0
    for until in (4, 9):
        with running_witness(tmp_path / "w") as (process, address):
            host = address.removeprefix("http://")
            for more in range(size + 1, until + 1):
                connection = http.client.HTTPConnection(host, timeout=20)
                connection.request("POST", "/add-checkpoint", log.ask(size, more))
                answer = connection.getresponse()
                assert (answer.status, answer.read()[:3]) == (200, "—".encode())
                size = more
                connection.close()
            os.kill(process.pid, signal.SIGKILL)
    assert f"{log.origin}  size 9  root {log.checkpoint(9).root.hex()}" in command("show", tmp_path / "w")


def test_two_processes_on_one_folder_are_one_witness(tmp_path: Path) -> None:
    histories = [GrowingLog().grow(40, b"left"), GrowingLog().grow(40, b"right")]
    command("init", tmp_path / "w", "--name", "w.test/1")
    command("add-log", tmp_path / "w", str(histories[0].vkey))
    with (
        running_witness(tmp_path / "w") as (_, first),
        running_witness(tmp_path / "w") as (_, second),
        ThreadPoolExecutor(2) as pool,
    ):
        cosigned = list(pool.map(_growing, (first, second), histories))
    assert sorted(map(bool, cosigned)) == [False, True]  # one from its first entry on, the other never
    winner = histories[0] if cosigned[0] else histories[1]
    last = max(cosigned)
    assert f"{winner.origin}  size {last}  root {winner.checkpoint(last).root.hex()}" in command("show", tmp_path / "w")


def _growing(address: str, log: GrowingLog) -> int:
    """Offer a history one entry at a time; the largest size that was cosigned."""
    size = 0
    for more in range(1, 20):
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
        connection.request("POST", "/add-checkpoint", log.ask(size, more))
        size = more if connection.getresponse().status == 200 else size
        connection.close()
    return size
