"""The key tree on a full disk, with a disk that does not sync, with others at work, and with a clock that goes back."""

from __future__ import annotations

import errno
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from key_world import World
from troth.kernel.clock import SystemClock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, TrothError, Unavailable
from troth.keys.state import LEASE_SECONDS
from troth.keys.tree import KeyTree, Scope
from troth.storage.database import Database

USER = DataClass.USER_GENERATED


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, domains=2)
    yield made
    made.close()


@contextmanager
def _failing(patch: pytest.MonkeyPatch, call: str, at: int, number: int) -> Iterator[Callable[[], int]]:
    """The `at`-th `os.<call>` from now on fails with `number`, and all after it."""
    real, calls = getattr(os, call), [0]

    def fails(*values: object, **named: object) -> object:
        calls[0] += 1
        if calls[0] >= at:
            raise OSError(number, os.strerror(number))
        return real(*values, **named)

    with patch.context() as here:
        here.setattr(os, call, fails)
        yield lambda: calls[0]


@pytest.mark.parametrize(
    ("call", "number"), [("fsync", errno.EIO), ("fsync", errno.ENOSPC), ("open", errno.ENOSPC), ("link", errno.ENOSPC)]
)
def test_no_proof_while_the_disk_fails_and_one_when_it_works(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    kept = world.own("ten_a", "usr_kept", 3)
    at, refused = 1, 0
    while True:
        (goes,) = world.own("ten_a", f"usr_{at}")
        with _failing(monkeypatch, call, at, number) as calls:
            try:
                world.tree.destroy_subject("ten_a", f"usr_{at}")
                failed = False
            except Unavailable:
                failed, refused = True, refused + 1
        with pytest.raises(Gone):
            world.tree.key(goes.key.id)
        assert world.tree.resume()
        assert world.tree.destroy_subject("ten_a", f"usr_{at}").units == 1
        assert [world.tree.key(one.key.id) for one in kept] == [one.key for one in kept]
        if not failed and calls() < at:
            break
        at += 3
    assert refused > 1
    assert world.reopen().verify() == 3
    assert all(len(root.present()) == 1 for root in world.roots)


def test_a_full_database_refuses_and_loses_nothing(world: World) -> None:
    kept = world.own("ten_a", "usr_kept", 300)
    with world.database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    refused = 0
    for _ in range(40):
        try:
            world.own("ten_a", "usr_more", 20)
        except Unavailable:
            refused += 1
    assert refused > 5
    with pytest.raises(Unavailable):
        for at in range(10):
            world.tree.rotate()
            world.own("ten_a", f"usr_{at}", 300)
    world.tree._state.forget()
    assert [world.tree.key(one.key.id) for one in kept] == [one.key for one in kept]
    with world.database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1073741823")
    assert world.tree.resume()
    assert world.tree.destroy_subject("ten_a", "usr_kept").units == 300
    assert world.reopen().verify() == len(world.made) - 300


def test_erasures_and_additions_at_once_from_two_processes_trees(world: World) -> None:
    other = KeyTree(Database(world.url), world.domains, SystemClock())
    assert other.resume()
    trees = (world.tree, other)
    kept = world.own("ten_a", "usr_kept", 20)
    goes = [world.own("ten_a", f"usr_{at}", 3) for at in range(6)]
    failures: list[BaseException] = []
    proofs: list[int] = []
    added: list[bytes] = []

    def work(at: int) -> None:
        try:
            for turn in range(3):
                added.append(trees[turn % 2].own_unit("ten_b", f"usr_{at}", USER).id)
            proofs.append(trees[at % 2].destroy_subject("ten_a", f"usr_{at}").units)
        except TrothError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(at,)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert proofs == [3] * 6
    assert other.rotate().roots  # whoever comes last destroys what the others left
    for tree in (*trees, world.reopen()):
        tree._state.forget()
        assert all(tree.key(one.key.id) == one.key for one in kept)
        assert all(tree.key(one) for one in added)
        for unit in (one for made in goes for one in made):
            with pytest.raises(Gone):
                tree.key(unit.key.id)
    assert world.tree.verify() == 20 + 18
    assert all(len(root.present()) == 1 for root in world.roots)


class _Clock:
    """The system's clock, put back or forward."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


def test_a_clock_that_goes_back_an_hour_changes_nothing(world: World) -> None:
    world.clock = clock = _Clock()  # type: ignore[assignment]
    tree = world.reopen()
    shared = world.shared("ten_a", "usr_a", "2026-11")
    (goes,) = world.own("ten_a", "usr_b")
    proof = tree.revoke(Scope.of_subject("ten_a", "usr_b"))
    clock.shift = timedelta(hours=-1)
    assert tree.seal([proof]).units == 1
    assert tree.rotate_due() is False
    tree.rotate_units(Scope.of_subject("ten_a", "usr_a"))
    fresh = tree.unit("ten_a", "usr_a", DataClass.ACCOUNT, "2026-11")
    assert fresh.generation == 2
    assert tree.unit("ten_a", "usr_a", DataClass.ACCOUNT, "2026-11") == fresh
    tree.suspend(Scope.of_subject("ten_a", "usr_a"))
    tree = world.reopen()
    tree.resume_use(Scope.of_subject("ten_a", "usr_a"))
    assert tree.key(shared.key.id) == shared.key
    with pytest.raises(Gone):
        tree.key(goes.key.id)
    assert tree.rotate().epoch_after == 3
    assert tree.verify() == 2


def _reader(folder: Path, url: str, unit: bytes, line: Connection) -> None:
    """Another process: opens the unit, says so, and looks again whenever it is asked."""
    from troth.keys.domains import Domain  # noqa: PLC0415
    from troth.keys.roots.local import LocalRoot  # noqa: PLC0415
    from troth.storage.blobs import LocalBlobs  # noqa: PLC0415

    made = [
        Domain(LocalRoot(folder / f"roots-{at}", f"local-{at}"), LocalBlobs(folder / f"copies-{at}")) for at in (0, 1)
    ]
    tree = KeyTree(Database(url), made, SystemClock())
    while True:
        try:
            tree.key(unit)
            line.send("opens")
        except TrothError as refusal:
            line.send(refusal.code)
        if line.recv() == "end":
            return


def test_a_key_that_another_process_has_cached_is_dropped_there_too(world: World) -> None:
    (unit,) = world.own("ten_a", "usr_a")
    ours, theirs = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=_reader, args=(world.folder, world.url, unit.key.id, theirs))
    process.start()
    try:
        said = [ours.recv()]
        for act in (
            lambda: world.tree.suspend(Scope.of_units([unit.key.id])),
            lambda: world.tree.resume_use(Scope.of_units([unit.key.id])),
            lambda: world.tree.revoke(Scope.of_units([unit.key.id])),
        ):
            act()
            time.sleep(LEASE_SECONDS)  # from then on nobody may use what was cached
            ours.send("again")
            said.append(ours.recv())
    finally:
        ours.send("end")
        process.join()
    assert said == ["opens", "key-suspended", "opens", "key-destroyed"]
