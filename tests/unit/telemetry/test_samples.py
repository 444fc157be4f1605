"""Looks are added up by the hour; outages begin, last and end; what is old goes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.telemetry import samples
from troth.telemetry.samples import DAY_MS, HOUR_MS, Look
from worlds import sqlite

START = 1_795_000_000_000 // HOUR_MS * HOUR_MS


def test_looks_of_an_hour_are_one_row(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with database.write() as connection:
        for minute, ms, available in ((0, 3, True), (1, 70, True), (2, 9, False), (61, 6000, True)):
            samples.add(connection, Look("door", START + minute * 60_000, available, ms), 60)
        rows = samples.recorded(connection, START)
    assert [(one.hour, one.looks, one.available) for one in rows] == [(START, 3, 2), (START + HOUR_MS, 1, 1)]
    assert rows[0].latency[0] == 1
    assert rows[0].latency[4] == 1  # 50 to 100 ms
    assert sum(rows[0].latency) == 2  # what failed has no latency
    assert rows[1].latency[-1] == 1
    assert samples.totals(rows) == {"door": (4, 3, 24 * 60)}
    database.close()


def test_outages_begin_last_and_end(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with database.write() as connection:
        for minute, available in ((0, False), (1, False), (2, True), (3, True), (4, False)):
            samples.add(connection, Look("door", START + minute * 60_000, available, 5), 60)
        samples.add(connection, Look("other", START, True, 5), 60)
        lasting, over = samples.troubles(connection, 10)
    assert (over.began, over.last, over.ended, over.looks) == (START, START + 60_000, START + 120_000, 2)
    assert (lasting.began, lasting.ended, lasting.looks) == (START + 240_000, None, 1)
    database.close()


def test_what_is_older_than_ninety_days_goes(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with database.write() as connection:
        for at in (START, START + 91 * DAY_MS):
            samples.add(connection, Look("door", at, False, 5), 60)
            samples.add(connection, Look("door", at + 1, True, 5), 60)
        samples.forget(connection, START + 91 * DAY_MS)
        assert [one.hour for one in samples.recorded(connection, 0)] == [START + 91 * DAY_MS]
        assert [one.began for one in samples.troubles(connection, 9)] == [START + 91 * DAY_MS]
    database.close()


def test_a_day_is_signed_once(tmp_path: Path) -> None:
    database = sqlite(tmp_path)
    with database.write() as connection:
        samples.mark_signed(connection, "2026-11-22", "run_a", 1)
        assert samples.signed_days(connection) == {"2026-11-22": "run_a"}
    with pytest.raises(Duplicate), database.write() as connection:
        samples.mark_signed(connection, "2026-11-22", "run_b", 2)
    database.close()
