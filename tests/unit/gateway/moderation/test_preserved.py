"""Evidence of illegal imagery: of several people at the same time one opens it, and what is reported is not erased."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from database_world import DATABASES, opened
from troth.gateway.moderation.preserved import OPENING, RELEASE, Preserved
from troth.gateway.moderation.tables import evidence
from troth.kernel.errors import Conflict, Unavailable
from worlds import MovableClock


class _Vault:
    """Stands in for objects and holds. `meanwhile` runs while the piece is being opened or held."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], object] = lambda: None
        self.erased: list[str] = []
        self.held = {"hld_0"}

    def open(self, *_: Any, duty: bool) -> tuple[None, bytes]:
        assert duty
        self.meanwhile()
        return None, b"{}"

    def delete(self, _tenant: str, _owner: str, named: str) -> None:
        self.erased.append(named)

    def place(self, _tenant: str, **_: Any) -> Any:
        self.meanwhile()
        self.held.add("hld_1")
        return type("Hold", (), {"id": "hld_1"})

    def lift(self, _tenant: str, hold: str, *, actor: str) -> None:
        del actor
        self.held.discard(hold)


class World:
    def __init__(self, database: Any) -> None:
        self.clock, self.vault = MovableClock(), _Vault()
        vault: Any = self.vault
        self.preserved = Preserved(database, vault, vault, self.clock, 365)
        now = self.preserved._now()
        row = {"id": "evd_1", "tenant": "ten_a", "case": "cas_1", "object": "obj_1", "hold": "hld_0",
               "state": "preserved", "preserved_at": now, "ends_at": now + 86_400_000}  # fmt: skip
        with database.write() as connection:
            connection.execute(insert(evidence), row)

    def ask(self, wish: str) -> None:
        self.preserved.ask("ten_a", "evd_1", "usr_one", wish)

    def state(self) -> str:
        return self.preserved.all("ten_a")[0].state


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with opened(request.param, tmp_path) as database:
        yield World(database)


def test_of_two_at_once_one_opens_it(world: World) -> None:
    world.ask(OPENING)
    world.vault.meanwhile = threading.Barrier(2, timeout=20).wait  # both were let through

    def open_(who: str) -> str:
        try:
            return world.preserved.open("ten_a", "evd_1", who).content.decode()
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(open_, ("usr_two", "usr_three"))) == ["stale-evidence", "{}"]
    assert open_("usr_two") == "not-waiting"


def test_what_is_reported_meanwhile_is_not_released(world: World) -> None:
    world.ask(RELEASE)
    world.vault.meanwhile = lambda: world.preserved.release("ten_a", "evd_1", "usr_two")
    with pytest.raises(Conflict, match="Somebody else"):  # the release came first: the report finds nothing to hold
        world.preserved.report("ten_a", "evd_1", "usr_three", ("ncmec", "n1"))
    assert (world.state(), world.vault.erased, world.vault.held) == ("released", ["obj_1"], set())


def test_a_report_that_breaks_off_leaves_no_hold(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(world.vault.held)
    with monkeypatch.context() as patched, pytest.raises(Unavailable):
        patched.setattr(world.preserved, "_change", lambda *_, **__: (_ for _ in ()).throw(Unavailable("disk")))
        world.preserved.report("ten_a", "evd_1", "usr_one", ("ncmec", "n1"))
    assert (world.state(), world.vault.held) == ("preserved", before)


def test_what_could_not_be_erased_at_once_is_erased_by_the_next_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask(RELEASE)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="disk"):
        patched.setattr(world.vault, "delete", lambda *_: (_ for _ in ()).throw(OSError("disk")))
        world.preserved.release("ten_a", "evd_1", "usr_two")
    assert [world.preserved.sweep() for _ in range(2)] == [1, 0]
    assert world.vault.erased == ["obj_1"]


def test_what_is_reported_in_the_last_moment_stays(world: World) -> None:
    world.clock.forward(days=1)
    row = world.preserved._standing("ten_a", "evd_1")
    world.preserved.report("ten_a", "evd_1", "usr_one", ("ncmec", "n1"))
    assert not world.preserved._swept(row)
    assert world.preserved.sweep() == 0
    assert (world.state(), world.vault.erased, world.vault.held) == ("reported", [], {"hld_1"})
    world.clock.forward(days=365)
    assert world.preserved.sweep() == 1
    assert (world.state(), world.vault.erased) == ("expired", ["obj_1"])
