"""Backups and drills as registers: what the log says of them, and what the forms make of it."""

from __future__ import annotations

from typing import Any

from troth.backup.backups import DRILLED, VERIFIED, Event
from troth.backup.verifying import MADE
from troth.governance.forms.reading import shipped
from troth.governance.looking import DAY_MS, Look
from troth.governance.sources.continuity import BackupSets, Drills
from troth.governance.sources.port import Source, as_record
from troth.governance.standing import standing
from troth.vault.rights.clocks import Calendar

NOW, HOUR, HOME = 1_790_000_000_000, 3_600_000, Calendar()


def made(at: int, name: str, state: str = "complete", domains: int = 2) -> Event:
    return Event(at, name, {"digest": name * 64, "state": state, "counts": {"places": 2, "failure-domains": domains}})


def drilled(at: int, state: str, **counts: int) -> Event:
    return Event(at, "a", {"state": state, "counts": counts})


def broken(form: str, source: Source) -> tuple[int, int]:
    rules = shipped()[form]
    stand = standing(rules, [as_record(rules, one) for one in source.kept("ten_a", NOW, HOME)], (), Look(NOW, HOME))
    return stand.population, stand.broken


def of(*events: Event, drills: tuple[Event, ...] = (), read: tuple[Event, ...] = ()) -> Any:
    kept = {MADE: events, VERIFIED: read, DRILLED: drills}
    return lambda operation: kept[operation]


def test_backups_are_in_order_and_their_holes_are_seen() -> None:
    good = (made(NOW - 2 * HOUR, "a"), made(NOW - 30 * HOUR, "b"))
    assert broken("backups", BackupSets(of(*good), 30)) == (2, 0)
    assert broken("backups", BackupSets(of(good[0], made(NOW - 60 * HOUR, "b")), 30)) == (2, 1)
    for wrong in (made(NOW - HOUR, "c", "incomplete"), made(NOW - HOUR, "c", domains=1)):
        assert broken("backups", BackupSets(of(wrong, *good), 30)) == (3, 1)
    assert broken("backups", BackupSets(of(made(NOW - 40 * DAY_MS, "a")), 30)) == (0, 0)  # long over: nothing is proved


def test_a_backup_says_when_it_was_read_back() -> None:
    reading = (Event(NOW, "a", {"digest": "b" * 64}), Event(NOW - HOUR, "a", {"digest": "a" * 64}))
    one = BackupSets(of(made(NOW - 2 * HOUR, "a"), read=reading), 30).kept("ten_a", NOW, HOME)[0]
    assert one.values["verified"] == "2026-09-21T13:13:20.000Z"  # that of another manifest does not count
    assert as_record(shipped()["backups"], one).values["verified"] == NOW - HOUR


def test_a_drill_that_failed_stands_until_one_passes() -> None:
    passed = (drilled(NOW - DAY_MS, "passed", rto_ms=61_000, rpo_ms=1), drilled(NOW - 100 * DAY_MS, "failed"))
    assert broken("drills", Drills(of(drills=passed), 120)) == (2, 0)
    assert Drills(of(drills=passed), 120).kept("ten_a", NOW, HOME)[0].values["minutes"] == 2
    again = (drilled(NOW, "failed"), *passed)
    assert broken("drills", Drills(of(drills=again), 120)) == (3, 1)
    slow = (drilled(NOW, "passed", rto_ms=1, rpo_ms=121 * 60_000), *passed)
    assert broken("drills", Drills(of(drills=slow), 120)) == (3, 1)
    unclear = (drilled(NOW, "unknown"), *passed)
    assert broken("drills", Drills(of(drills=unclear), 120)) == (2, 0)
