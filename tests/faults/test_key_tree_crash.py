"""The key tree under kill -9, lost writes, lost acknowledgements and domains that fail, at every step."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from faults.key_crash_worker import opened
from key_world import World
from killing import Victims
from troth.kernel.errors import Conflict, Gone, TrothError, Unavailable
from troth.keys.tree import KeyTree, Scope, Use

ROUNDS = int(os.environ.get("TROTH_TEST_CRASH_ROUNDS", "60"))  # `make soak` asks for 500
WORKER = Path(__file__).with_name("key_crash_worker.py")


class Told:
    """What the killed processes said: keys that must live, keys that must be gone, keys that may be either."""

    def __init__(self) -> None:
        self.live: dict[str, str] = {}
        self.held: dict[str, str] = {}
        self.unsure: set[str] = set()
        self.destroyed: set[str] = set()

    def hear(self, lines: list[list[str]]) -> None:
        for verb, *values in lines:
            if verb == "added":
                self.live[values[0]] = values[1]
            elif verb == "held":
                self.held[values[0]] = values[1]
            elif verb == "destroying":
                self.unsure |= set(values)
            elif verb == "destroyed":
                self.destroyed |= set(values)

    def check(self, tree: KeyTree) -> None:
        for unit in self.destroyed:
            with pytest.raises(Gone):
                tree.key(bytes.fromhex(unit))
        for unit in self.live.keys() - self.unsure:
            assert tree.key(bytes.fromhex(unit)).key.hex() == self.live[unit]
        for unit, key in self.held.items():
            assert tree.key(bytes.fromhex(unit), Use.PRIVACY).key.hex() == key
            with pytest.raises(Conflict):
                tree.key(bytes.fromhex(unit))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory: what a killed process wrote stays all the same, and no round waits for a disk."""
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="troth-", dir=shared if shared.is_dir() else tmp_path) as name:
        yield Path(name)


@pytest.mark.parametrize("split", [False, True], ids=["together", "split"])
def test_kill_9_at_random_moments_loses_and_resurrects_nothing(
    memory: Path, monkeypatch: pytest.MonkeyPatch, split: bool
) -> None:
    monkeypatch.setattr("troth.keys.btree.LEAF_MAX", 6)
    monkeypatch.setattr("troth.keys.btree.BRANCH_MAX", 4)
    if split:
        (memory / "split").touch()
    chance, told, victims = random.Random(20261122 + split), Told(), Victims(WORKER, memory)
    for seed in range(ROUNDS // 2):
        told.hear(victims.killed(chance, seed))
        tree, domains, database = opened(memory)
        assert tree.resume()
        assert [len(domain.root.present()) for domain in domains] == [1, 1]
        if seed % 5 == 4:  # a whole look is dear, and what is broken stays broken
            tree.verify()
            told.check(tree)
        database.close()
    victims.close()
    assert len(told.live) > ROUNDS
    assert told.destroyed


class Fuse:
    """Counts the calls that touch a disk, a database or a domain; one of them fails, before or after its effect."""

    def __init__(self) -> None:
        self.calls, self.at, self.after = 0, 0, False

    def arm(self, at: int, *, after: bool) -> None:
        self.calls, self.at, self.after = 0, at, after

    def wrap(self, thing: Any) -> Any:
        return _Fused(thing, self)

    @contextmanager
    def around(self) -> Iterator[None]:
        self.calls += 1
        blows = self.calls == self.at
        if blows and not self.after:
            raise Unavailable("The fuse blew before.", code="fuse")
        yield
        if blows:
            raise Unavailable("The fuse blew after.", code="fuse")


class _Fused:
    """Any port, with the fuse in each of its calls."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name == "read":
            return found
        if name == "write":
            return self._write

        def fused(*values: Any) -> Any:
            with self._fuse.around():
                return found(*values)

        return fused

    @contextmanager
    def _write(self, *scope: Any) -> Iterator[Any]:
        with self._fuse.around(), self._inner.write(*scope) as connection:
            yield connection


@pytest.mark.parametrize("after", [False, True], ids=["lost-write", "lost-acknowledgement"])
def test_a_failure_at_every_step_of_an_erasure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    monkeypatch.setattr("troth.keys.btree.LEAF_MAX", 6)
    fuse = Fuse()
    world = World(tmp_path, domains=2, wrap=fuse.wrap)
    kept = world.own("ten_a", "usr_kept", 8)
    steps, erased = 0, []
    while True:
        steps += 1
        goes = world.own("ten_a", f"usr_{steps}", 2)
        fuse.arm(steps, after=after)
        try:
            world.tree.destroy_subject("ten_a", f"usr_{steps}")
            blown = fuse.calls >= steps
        except TrothError:
            blown = True
        fuse.arm(0, after=False)
        world.keep()
        tree = world.reopen()
        proof = tree.destroy_subject("ten_a", f"usr_{steps}")
        assert proof.units == 2
        assert [one.domain for one in proof.roots[:2]] == ["local-0", "local-1"]
        erased += goes
        world.keep()
        if not blown:
            break
    assert steps > 20
    found = world.history.secrets(world.roots)
    assert not [one for one in erased if world.history.opens(one, found)]
    assert all(world.history.opens(one, found) for one in kept)
    assert all(world.tree.key(one.key.id) == one.key for one in kept)
    assert all(len(root.present()) == 1 for root in world.roots)
    world.close()


@pytest.mark.parametrize("after", [False, True], ids=["lost-write", "lost-acknowledgement"])
def test_a_failure_at_every_step_of_adding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool) -> None:
    monkeypatch.setattr("troth.keys.btree.LEAF_MAX", 3)
    fuse = Fuse()
    world = World(tmp_path, wrap=fuse.wrap)
    for at in range(1, 30):
        before = list(world.made)
        fuse.arm(1 + at % 6, after=after)
        try:
            world.shared("ten_a", "usr_a", f"{at}")
        except TrothError:
            fuse.arm(0, after=False)
            world.shared("ten_a", "usr_a", f"{at}")  # asked again: made once, whichever half was lost
        fuse.arm(0, after=False)
        tree = world.reopen() if at % 5 == 0 else world.tree
        assert all(tree.key(one.key.id) == one.key for one in before)
    assert world.tree.verify() == len(world.made) == 29
    world.close()


@pytest.mark.parametrize("method", ["create", "seal", "open", "destroy", "present"])
def test_no_proof_while_a_domain_is_away_and_one_when_it_is_back(tmp_path: Path, method: str) -> None:
    world = World(tmp_path, domains=2)
    (unit,), (other,) = world.own("ten_a", "usr_a"), world.own("ten_a", "usr_b")
    away = world.roots[1]

    def fails(*_: object) -> None:
        raise Unavailable("The domain is away.", code="away")

    setattr(away, method, fails)
    with pytest.raises(Unavailable):
        world.tree.destroy_subject("ten_a", "usr_a")
    with pytest.raises(Gone):
        world.tree.key(unit.key.id)  # the live effect does not wait
    assert world.tree.key(other.key.id) == other.key
    delattr(away, method)
    proof = world.tree.seal([world.tree.revoke(Scope.of_subject("ten_a", "usr_a"))])
    assert [one.domain for one in proof.roots] == ["local-0", "local-1"]
    assert all(len(root.present()) == 1 for root in world.roots)
    world.close()


def test_a_root_that_claims_to_be_destroyed_and_is_not_gives_no_proof(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.own("ten_a", "usr_a")
    root = world.roots[0]
    root.destroy = lambda _name: "done"  # type: ignore[method-assign]
    with pytest.raises(Unavailable) as refusal:
        world.tree.destroy_subject("ten_a", "usr_a")
    assert refusal.value.code == "seal-pending"
    assert world.tree.resume() is False
    present = root.present
    root.present = lambda: present()[1:]  # type: ignore[method-assign]  # it hides, but the canary still opens
    with pytest.raises(Unavailable) as refusal:
        world.tree.destroy_subject("ten_a", "usr_a")
    assert refusal.value.code == "seal-pending"
    del root.destroy, root.present
    assert world.tree.destroy_subject("ten_a", "usr_a").roots[0].evidence.endswith("lookup:absent;canary:refused")
    world.close()


def test_a_domain_that_silently_drops_a_page_gives_no_proof(tmp_path: Path) -> None:
    world = World(tmp_path, domains=2)
    (unit,) = world.own("ten_a", "usr_a")
    blobs = world.domains[1].blobs._inner  # type: ignore[attr-defined]
    create = blobs.create
    blobs.create = lambda name, content: None
    with pytest.raises(Unavailable) as refusal:
        world.tree.destroy_units([unit.key.id])
    assert refusal.value.code == "key-copy-lost"
    blobs.create = create
    assert world.tree.destroy_units([unit.key.id]).units == 1
    world.close()
