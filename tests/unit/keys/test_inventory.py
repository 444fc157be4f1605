"""What keys there are, when roots are due, and what the log is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from key_world import World
from troth.kernel.epoch_log import LoggedEpoch
from troth.kernel.errors import IntegrityError, Unavailable
from troth.kernel.record import Entry
from troth.keys.lifecycle import DAY_MS, Cryptoperiods
from troth.keys.tree import KeyTree, Options, Scope


class Recorded:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.full = False

    def record_within(self, connection: Any, entry: Entry) -> None:
        del connection
        if self.full:
            raise Unavailable("The audit record could not be opened.", code="no-record")
        self.entries.append(entry)

    def record(self, entry: Entry, changes: Any = ()) -> None:
        assert not changes
        self.entries.append(entry)

    def submit(self, entry: Entry, changes: Any = ()) -> Any:
        raise AssertionError

    def told(self) -> list[str]:
        return [entry.operation for entry in self.entries]


class Log:
    """The newest epoch of a log."""

    def __init__(self, *newest: LoggedEpoch) -> None:
        self.newest_ones = newest

    def newest(self, jurisdiction: str) -> LoggedEpoch | None:
        assert jurisdiction == "eu"
        return self.newest_ones[-1] if self.newest_ones else None


def _tree(world: World, **options: Any) -> KeyTree:
    return KeyTree(world.database, world.domains, world.clock, options=Options(**options))


def test_the_inventory_counts_and_holds_no_secret(two_domains: World) -> None:
    world = two_domains
    made = world.own("ten_a", "usr_a", 4)
    world.shared("ten_b", "usr_b", "2026-11")
    world.tree.destroy_units([made[0].key.id])
    world.tree.suspend(Scope.of_subject("ten_b", "usr_b"))
    world.tree.destroy_subject("ten_a", "usr_a")
    found = world.tree.inventory()
    assert (found.epoch, found.split, found.roots_destroyed) == (3, False, 4)
    assert [(one.domain, one.state, one.assurance) for one in found.roots] == [
        ("local-0", "active", "A0"),
        ("local-1", "active", "A0"),
    ]
    assert found.units == {"active": 4, "destroyed": 1}
    assert found.owners == {"active": 1, "destroyed": 1}
    assert found.suspensions == {"restriction": 1}
    assert found.due_at == found.since + 30 * DAY_MS
    key = world.tree._state.epochs.current().root.key
    assert key.hex() not in repr(found)


def test_roots_are_rotated_when_their_cryptoperiod_is_over(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = _tree(world, periods=Cryptoperiods(root_days=30, unit_days=10))
    world.shared("ten_a", "usr_a", "2026-11")
    epochs = tree._state.epochs
    start = epochs.now()
    assert tree.rotate_due() is False
    for hours, due in ((-1, False), (30 * 24 - 1, False), (30 * 24 + 1, True)):
        monkeypatch.setattr(epochs, "now", lambda hours=hours: start + hours * 3_600_000)
        assert tree.rotate_due() is due
    assert tree.epoch == 2
    assert tree.rotate_due() is False
    assert tree.inventory().units_due == 1


def test_every_transition_is_recorded_without_a_person(two_domains: World) -> None:
    recorder = Recorded()
    tree = _tree(two_domains, recorder=recorder)
    unit = tree.own_unit("ten_a", "usr_secret", two_domains.shared("ten_a", "usr_b", "x").data_class)
    scope = Scope.of_subject("ten_a", "usr_secret")
    tree.suspend(scope)
    tree.suspend(scope)  # nothing changed, nothing to tell
    tree.resume_use(scope)
    tree.rotate_units(scope)
    tree.mark_compromised([unit.id], "lost-laptop")
    tree.destroy_subject("ten_a", "usr_secret")
    sealing = ["keys.suspended", "keys.pre-activation", "keys.active", "keys.deactivated", "keys.epoch"]
    standing = ["keys.suspended", "keys.active", "keys.deactivated", "keys.compromised"]
    assert recorder.told() == [*standing, *sealing, "keys.destroyed", "keys.destroyed"]
    entries = [entry.as_json() for entry in recorder.entries]
    assert all(entry["facts"]["jurisdiction"] == "eu" and entry["time"] > 0 for entry in entries)
    assert all("reason" in entry["facts"] for entry in entries if entry["op"] != "keys.epoch")
    text = json.dumps(entries)
    assert "usr_" not in text
    assert unit.id.hex() not in text


def test_what_cannot_be_recorded_does_not_happen(world: World) -> None:
    recorder = Recorded()
    tree = _tree(world, recorder=recorder)
    (unit,) = world.own("ten_a", "usr_a")
    recorder.full = True
    for act in (lambda: tree.suspend(Scope.of_subject("ten_a", "usr_a")), tree.rotate):
        with pytest.raises(Unavailable) as refusal:
            act()
        assert refusal.value.code == "no-record"
    assert tree.key(unit.key.id) == unit.key
    assert tree.epoch == 1
    recorder.full = False
    assert tree.resume()
    assert tree.rotate().epoch_after == 2


def test_a_tree_older_than_its_log_is_refused_with_an_alarm(world: World) -> None:
    world.own("ten_a", "usr_a")
    before = world.tree._state.epochs.current().manifest
    world.tree.rotate()
    now = world.tree._state.epochs.current().manifest
    for fits in (Log(), Log(LoggedEpoch(1, before.digest)), Log(LoggedEpoch(2, now.digest))):
        assert _tree(world, epoch_log=fits).resume()
    roots = world.roots[0].present()
    for newer in (Log(LoggedEpoch(3, "ab" * 32)), Log(LoggedEpoch(2, before.digest))):
        recorder = Recorded()
        with pytest.raises(IntegrityError) as refusal:
            _tree(world, epoch_log=newer, recorder=recorder).resume()
        assert refusal.value.code == "key-epoch-log"
        (alarm,) = recorder.entries
        assert (alarm.operation, alarm.outcome, alarm.code) == ("keys.alarm", "refused", "key-epoch-log")
    assert world.roots[0].present() == roots


def test_an_empty_tree_beside_a_log_that_knows_one_is_refused(world: World) -> None:
    empty = KeyTree(
        world.database,
        world.domains,
        world.clock,
        jurisdiction="us",
        options=Options(epoch_log=type("Other", (), {"newest": lambda *_: LoggedEpoch(1, "ab" * 32)})()),
    )
    with pytest.raises(IntegrityError):
        empty.resume()
    assert all(name.startswith("eu-") for name in world.roots[0].present())
