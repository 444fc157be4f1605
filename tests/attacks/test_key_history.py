"""The all-history adversary: every version of every page, copy, manifest and database file ever, and today's roots.

Nothing that was erased may open; everything that lives must. The control gives the adversary the old roots too, and
then everything opens: so the search itself works.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from database_world import DATABASES
from key_world import Made, World
from troth.kernel.errors import Conflict, Gone
from troth.keys.roots.local import LocalRoot
from troth.keys.tree import Options, Reason, Scope

SUBJECTS = 9
STEPS = {"own": 6, "shared": 2, "units": 2, "subject": 1, "rotate": 0.5, "turn": 0.7, "rekey": 0.3, "compromise": 0.7}
STEPS |= {"sweep": 0.5, "hold": 0.5}


@pytest.fixture
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.keys.btree.LEAF_MAX", 4)
    monkeypatch.setattr("troth.keys.btree.BRANCH_MAX", 4)


WORLDS = [(kind, *shape) for kind in DATABASES for shape in ((1, False), (2, False), (2, True))]


@pytest.fixture(params=WORLDS, ids=lambda one: f"{one[0]}-{one[1]}{'-split' * one[2]}")
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    kind, domains, split = request.param
    made = World(tmp_path, kind=kind, domains=domains, options=Options(split=split))
    yield made
    made.close()


def _hold(world: World) -> None:
    """A legal hold, an erasure that it stops, and its end: nothing is lost by it."""
    person = Scope.of_subject("ten_a", world.made[0].subject) if world.made else Scope.of_subject("ten_a", "usr_x")
    with contextlib.suppress(Gone):
        world.tree.suspend(person, Reason.LEGAL_HOLD)
        with pytest.raises(Conflict):
            world.tree.revoke(person)
        world.tree.resume_use(person, Reason.LEGAL_HOLD)


QUIET: dict[str, Callable[[World], object]] = {  # what takes no key from anybody
    "rotate": lambda world: world.tree.rotate(),
    "turn": lambda world: world.tree.rotate_units(Scope.of_tenant("ten_b")),
    "rekey": lambda world: world.tree.replace_compromised_roots("lost-token"),
    "sweep": lambda world: world.tree.sweep(),
    "hold": _hold,
}


def _steal(world: World) -> None:
    world.keep()
    if world.database.dialect == "sqlite":
        world.history.add_sqlite_file(world.folder / "test.db", world.folder / "thief")


def _life(world: World, chance: random.Random, steps: int) -> set[bytes]:
    """Random adds and erasures; the ids of erased units."""
    erased: set[bytes] = set()
    alive = [f"usr_{one}" for one in range(SUBJECTS)]
    for _ in range(steps):
        live = [one for one in world.made if one.key.id not in erased]
        kind = chance.choices(list(STEPS), list(STEPS.values()))[0]
        if kind == "own":
            world.own("ten_a", chance.choice(alive), chance.randint(1, 6))
        elif kind == "shared":
            world.shared("ten_b", chance.choice(alive), f"2026-{chance.randint(1, 12):02}")
        elif kind == "units" and live:
            goes = chance.sample(live, min(len(live), chance.randint(1, 3)))
            world.tree.destroy_units([one.key.id for one in goes])
            erased |= {one.key.id for one in goes}
        elif kind == "subject" and len(alive) > 2:
            subject = alive.pop(chance.randrange(len(alive)))
            scopes = [Scope.of_subject(tenant, subject) for tenant in ("ten_a", "ten_b")]
            world.tree.seal(world.tree.revoke_all(scopes))
            erased |= {one.key.id for one in world.made if one.subject == subject}
        elif kind == "compromise" and live:
            goes = chance.sample(live, min(len(live), 2))
            world.tree.mark_compromised([one.key.id for one in goes], "lost-laptop")
            world.tree.destroy_units([one.key.id for one in goes])
            erased |= {one.key.id for one in goes}
        elif kind in QUIET:
            QUIET[kind](world)
        _steal(world)
    return erased


def _opened(world: World, found: dict[bytes, set[bytes]], made: list[Made]) -> set[bytes]:
    return {one.key.id for one in made if world.history.opens(one, found)}


@pytest.mark.usefixtures("_small_pages")
def test_nothing_erased_opens_and_everything_alive_does(world: World) -> None:
    hoard = _hoarded_roots(world)
    erased = _life(world, random.Random(1), 60)
    live = {one.key.id for one in world.made} - erased
    assert len(erased) > 15
    assert len(live) > 10
    opened = _opened(world, world.history.secrets(world.roots), world.made)
    assert opened & erased == set()
    assert opened == live
    assert world.tree.verify() == len(live)
    # The control: with the roots that were destroyed, the same search opens what was erased.
    assert _opened(world, world.history.secrets(hoard), world.made) == live | erased


def test_a_whole_tenant_and_a_large_subject_leave_nothing(world: World) -> None:
    large = world.own("ten_a", "usr_large", 1_500)
    world.own("ten_a", "usr_other", 300)
    kept = world.own("ten_b", "usr_kept", 300)
    world.own("ten_a", "usr_large", 20)
    _steal(world)
    assert world.tree.destroy_subject("ten_a", "usr_large").units == len(large) + 20
    _steal(world)
    assert world.tree.destroy_tenant("ten_a").units == 300
    _steal(world)
    opened = _opened(world, world.history.secrets(world.roots), world.made)
    assert opened == {one.key.id for one in kept}


def test_a_backup_of_the_data_folder_holds_no_root(world: World) -> None:
    """Roots lie in a folder of their own: whoever copies database and pages has nothing that opens."""
    world.own("ten_a", "usr_a", 3)
    roots = {path.read_bytes() for folder in world.folder.glob("roots-*") for path in folder.glob("*.root")}
    assert roots
    data = [path for path in world.folder.rglob("*") if path.is_file() and path.suffix != ".root"]
    assert not [path.name for path in data if any(root in path.read_bytes() for root in roots)]


def test_no_key_is_ever_written_in_clear(world: World) -> None:
    made = [*world.own("ten_a", "usr_a", 50), world.shared("ten_a", "usr_a", "account")]
    epoch = world.tree._state.epochs.current()
    found = world.history
    world.keep()
    needles = {one.key.key for one in made} | {epoch.root.key}
    needles |= {secret for secrets in found.secrets(world.roots).values() for secret in secrets}
    assert len(needles) == 2 * len(made) + 1
    written = [path.read_bytes() for path in world.folder.rglob("*") if path.is_file()]
    assert not [
        needle for needle in needles for content in written if needle in content or needle.hex().encode() in content
    ]


def _hoarded_roots(world: World) -> list[LocalRoot]:
    """A thief in the root folder, who copies every root as it is made."""
    hoards = []
    for at, root in enumerate(world.roots):
        hoard = LocalRoot(world.folder / f"hoard-{at}", root.domain)
        hoards.append(hoard)
        create = root.create

        def creates(name: str, create=create, root=root, hoard=hoard) -> None:  # type: ignore[no-untyped-def]
            create(name)
            (hoard._folder / f"{name}.root").write_bytes((root._folder / f"{name}.root").read_bytes())
            (hoard._folder / f"{name}.root").chmod(0o600)

        root.create = creates  # type: ignore[method-assign]
        for name in root.present():
            (hoard._folder / f"{name}.root").write_bytes((root._folder / f"{name}.root").read_bytes())
            (hoard._folder / f"{name}.root").chmod(0o600)
    return hoards
