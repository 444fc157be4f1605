"""After a restore the runs come back out of the log: the same states, and edits of them are found as before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from sqlalchemy import delete, select, update

from check_world import ONE, OTHER, CheckWorld, bad, check
from database_world import DATABASES, opened
from troth.promises import rebuilding, store
from troth.promises.check import Facts
from troth.promises.past import Past
from troth.promises.rebuilding import rebuild
from troth.promises.run_log import RUN
from troth.promises.runner import SYSTEM
from troth.promises.status import State

EVERY = {"every": 21_600, "fresh": 26 * 3600}
TABLES = (store.check_run, store.check_head, store.check_tally)


def _detailed(_system: object) -> Facts:
    return Facts(3, 3, 0, details={"rows": 3, "none": 0})


@pytest.fixture(scope="module", params=DATABASES)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    """Three days: a check that counts more, one that found something; once by hand, once with a clock that was off."""
    folder = tmp_path_factory.mktemp("rebuilt")
    with opened(request.param, folder) as database:
        checks = (check("one", (ONE,), observe=_detailed, **EVERY), check("two", (OTHER,), **EVERY))
        made = CheckWorld(database, folder, checks)
        wrong = made.another((checks[0], check("two", (OTHER,), observe=bad, **EVERY)))
        off = made.another(mark="off")
        for look in range(13):
            {5: wrong, 7: off}.get(look, made).scheduler.tick()
            made.clock.forward(hours=6)
            if look == 8:
                made.runner.run(checks[0])
        made.place()
        yield made


@pytest.fixture
def world(lived: CheckWorld) -> Iterator[CheckWorld]:
    """The same, with its rows put back afterwards."""
    kept = _rows(lived)
    yield lived
    with lived.database.write() as connection:
        for table, rows in zip(TABLES, kept, strict=True):
            connection.execute(table.delete())
            connection.execute(table.insert(), rows)


def _rows(world: CheckWorld) -> list[list[dict[str, Any]]]:
    with world.database.read() as connection:
        return [[dict(row._mapping) for row in connection.execute(select(table))] for table in TABLES]


def _said(world: CheckWorld) -> Any:
    return Past(world.runner, world.database, world.clock, fresh=0).bars(), world.state(ONE), world.state(OTHER)


def _leaves(world: CheckWorld) -> list[bytes]:
    assert world.log_world is not None
    return world.log_world.leaves()


def _rebuilt(world: CheckWorld, leaves: list[bytes] | None = None) -> int:
    """As a restore leaves it: without runs, and with the tallies of the first day alone."""
    with world.database.write() as connection:
        connection.execute(delete(store.check_run))
        connection.execute(delete(store.check_head))
        first = connection.scalars(select(store.check_tally.c.day).order_by(store.check_tally.c.day)).first()
        connection.execute(delete(store.check_tally).where(store.check_tally.c.day != first))
    return rebuild(world.database, world.key, _leaves(world) if leaves is None else leaves, (SYSTEM,))


def _changed(leaf: bytes, **facts: Any) -> bytes:
    members = json.loads(leaf)
    members["facts"] = {name: one for name, one in (members["facts"] | facts).items() if one is not None}
    return json.dumps(members, separators=(",", ":")).encode()


def test_every_row_but_old_signatures_is_what_it_was_and_says_the_same(world: CheckWorld) -> None:
    before, said = _rows(world), _said(world)
    assert _rebuilt(world) == len(before[0]) == 27
    assert _said(world) == said
    assert said[0][OTHER].months[-1].days[State.NOT_KEPT] >= 1
    after = _rows(world)
    for rows in (*before, *after):
        for row in rows:
            row.pop("id", None)
            if (row.get("check_id"), row.get("sequence")) not in (("one", 14), ("two", 13)):
                row.pop("signature", None)
                row.pop("signer", None)
    assert [_sorted(rows) for rows in after] == [_sorted(rows) for rows in before]


def test_no_more_than_some_entries_are_held_at_once(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A year of runs is a million entries: as objects they take gigabytes."""
    held: WeakSet[_Members] = WeakSet()
    most = 0

    def counted(leaf: bytes) -> _Members:
        nonlocal most
        made = _Members(real(leaf))
        held.add(made)
        most = max(most, sum(one.get("op") == RUN for one in held))
        return made

    real = rebuilding._event
    monkeypatch.setattr(rebuilding, "_event", counted)
    assert _rebuilt(world) == 27
    assert most < 5, "one in each hand"


class _Members(dict[str, Any]):
    """What an entry says, which can be watched."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def _sorted(rows: list[dict[str, Any]]) -> list[list[tuple[str, Any]]]:
    return sorted((sorted(row.items()) for row in rows), key=str)


def test_runs_go_on_behind_what_was_rebuilt(tmp_path: Path) -> None:
    with opened("sqlite", tmp_path) as database:
        world = CheckWorld(database, tmp_path, (check("one", (ONE,), **EVERY),))
        for _ in range(2):
            world.scheduler.tick()
            world.clock.forward(hours=6)
        world.place()
        assert _rebuilt(world) == 2
        assert world.state() is State.KEPT
        assert world.scheduler.tick() == 1
        with database.read() as connection:
            assert store.heads(connection)["one"].sequence == 3
        assert world.scheduler.tick() == 0, "the slot is known to be filled"
        assert world.state() is State.KEPT


def test_an_edit_after_it_is_found(world: CheckWorld) -> None:
    _rebuilt(world)
    where = (store.check_run.c.check_id == "two", store.check_run.c.result == "fail")
    with world.database.write() as connection:
        connection.execute(update(store.check_run).where(*where).values(result="pass"))
    days = Past(world.runner, world.database, world.clock, fresh=0).bar(OTHER).months[-1].days
    assert State.NOT_KEPT not in days
    assert days[State.UNKNOWN] > _said(world)[0][ONE].months[-1].days[State.UNKNOWN] - 2


@pytest.mark.parametrize("lie", [{"count": 1}, {"link": "f" * 64}, {"state": "pass"}, {"sequence": "x"}])
def test_an_entry_that_does_not_come_to_its_link_makes_no_row(world: CheckWorld, lie: dict[str, Any]) -> None:
    leaves = _leaves(world)
    place = next(at for at, leaf in enumerate(leaves) if b'"op":"check.run"' in leaf)
    leaves[place] = _changed(leaves[place], **lie)
    assert _rebuilt(world, leaves) == 26


def test_entries_of_before_they_named_software_and_clock_are_guessed(world: CheckWorld) -> None:
    said = _said(world)
    leaves = [_changed(leaf, system=None, clock=None) if b'"check.run"' in leaf else leaf for leaf in _leaves(world)]
    assert _rebuilt(world, leaves) == 27
    assert _said(world) == said


def test_a_place_that_is_told_twice_is_the_first_ones(world: CheckWorld) -> None:
    leaves = _leaves(world)
    assert _rebuilt(world, [*leaves, *leaves]) == 27


def test_what_pruning_took_is_not_made_up(world: CheckWorld) -> None:
    leaves = _leaves(world)
    last = max(at for at, leaf in enumerate(leaves) if b'"op":"check.run"' in leaf)
    assert _rebuilt(world, [b"\0" * 32 for _ in leaves[:last]] + leaves[last:]) == 1
    assert State.KEPT in {world.state(ONE), world.state(OTHER)}
