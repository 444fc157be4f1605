"""Slots come from versions of the schedule alone, and no version reaches back."""

from __future__ import annotations

import pytest

from troth.kernel.errors import IntegrityError
from troth.promises.schedule import Planned, ScheduleVersion, checks_of, digest_of, in_force, slot_at, slots, text_of

HOUR = 3_600_000
START = 1_800_000_000_000
ONE = Planned("one", ("CRY-01",), 3600, 7200, "installation", "things", "a" * 64)
WEEKLY = Planned("one", ("CRY-01",), 7 * 86_400, 8 * 86_400, "installation", "things", "a" * 64)


def version(number: int, logged: int, effective: int, *checks: Planned) -> ScheduleVersion:
    return ScheduleVersion(number, logged, effective, checks)


def test_a_day_of_an_hourly_check_has_24_slots() -> None:
    versions = [version(1, START, START, ONE)]
    found = slots(versions, "one", START, START + 24 * HOUR)
    assert len(found) == 24
    assert list(found)[:2] == [START, START + HOUR]
    assert START + HOUR in found
    assert START + 1 not in found
    assert len(slots(versions, "one", START + 1, START + HOUR)) == 0
    assert list(slots(versions, "one", START - HOUR, START + 1)) == [START]
    assert len(slots(versions, "two", START, START + HOUR)) == 0


def test_a_version_counts_from_when_the_log_had_it() -> None:
    versions = [version(1, START, START - 5 * HOUR, ONE)]
    assert list(slots(versions, "one", START - 6 * HOUR, START + 1)) == [START]
    assert slot_at(versions, "one", START - 1) is None


def test_a_schedule_thinned_afterwards_takes_no_slot_of_before_away() -> None:
    versions = [version(1, START, START, ONE), version(2, START + 10 * HOUR, START, WEEKLY)]
    assert len(slots(versions, "one", START, START + 10 * HOUR)) == 10
    assert len(slots(versions, "one", START, START + 24 * HOUR)) == 11
    assert in_force(versions, START + 10 * HOUR - 1) == versions[0]
    assert in_force(versions, START + 10 * HOUR) == versions[1]


def test_a_version_that_a_clock_ahead_put_into_the_future_gives_way_to_the_next() -> None:
    versions = [version(1, START, START + 5 * HOUR, ONE), version(2, START + HOUR, START + HOUR, WEEKLY)]
    assert in_force(versions, START + HOUR - 1) is None
    assert in_force(versions, START + HOUR) == in_force(versions, START + 6 * HOUR) == versions[1]
    assert list(slots(versions, "one", START, START + 24 * HOUR)) == [START + HOUR]


def test_the_slot_of_a_moment_is_the_one_that_began_last() -> None:
    versions = [version(1, START, START, ONE)]
    assert slot_at(versions, "one", START + HOUR - 1) == START
    assert slot_at(versions, "one", START + HOUR) == START + HOUR
    assert slot_at(versions, "two", START) is None


def test_half_a_year_of_slots_is_counted_without_walking() -> None:
    versions = [version(1, START, START, ONE)]
    assert len(slots(versions, "one", START, START + 184 * 24 * HOUR)) == 184 * 24


def test_a_text_comes_back_as_it_was_and_no_other_does() -> None:
    text = text_of([WEEKLY, ONE])
    assert checks_of(text_of([ONE])) == (ONE,)
    assert digest_of(text) != digest_of(text_of([ONE]))
    for other in ("", "{}", "[]", text.replace("604800", "604800 "), text.replace("v1", "v2"), '{"checks": 5}'):
        with pytest.raises(IntegrityError):
            checks_of(other)
