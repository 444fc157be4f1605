"""Over many records: holes, cadences, and what must all stand there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from register_forms import form_with, look, record
from troth.governance.chains import Hole, Shortage, holes, shortage, uncovered
from troth.governance.forms.form import Covers
from troth.governance.records import Record

AUDITS = form_with(
    """
fields: {first: {type: date, label: F}, last: {type: date, label: L}, who: {type: text, label: W}}
opens: {role: any}
moves: {}
states: {live: {}, draft: {judged: false}}
chain: {join: [first, last], in: live, hole: 0d, reach: 13 months, back: 36 months, where: who != 'ours'}
kept_when: state != 'x'
"""
)
ROTA = form_with(
    """
fields: {first: {type: moment, label: F}, last: {type: moment, label: L}, who: {type: text, label: W}}
opens: {role: any}
moves: {}
states: {live: {}}
chain: {join: [first, last], in: live, hole: 0h, ahead: 168 hours, back: 0h}
kept_when: state != 'x'
"""
)
NOW = look("2026-12-31T12:00")


def audits(*ranges: str) -> list[Record]:
    return [
        record(AUDITS, "live", id=f"r{number}", who="them", first=one[:10], last=one[11:])
        for number, one in enumerate(ranges)
    ]


def chain(*ranges: str) -> tuple[Hole, ...]:
    assert AUDITS.chain is not None
    return holes(AUDITS, AUDITS.chain, audits(*ranges), NOW)


def test_periods_that_join_leave_no_hole() -> None:
    assert chain("2025-01-01/2025-12-31", "2026-01-01/2026-12-31", "2025-06-01/2025-07-01") == ()


@pytest.mark.parametrize(("second", "days"), [("2026-01-02", 1), ("2026-02-01", 31), ("2026-01-01", 0)])
def test_a_hole_is_told_in_days(second: str, days: int) -> None:
    found = chain("2025-01-01/2025-12-31", f"{second}/2026-12-31")
    assert [one.days for one in found] == ([days] if days else [])


def test_a_period_inside_another_does_not_shorten_it() -> None:
    assert chain("2025-01-01/2026-12-31", "2025-02-01/2025-03-01") == ()


def test_the_last_period_may_not_be_too_long_ago() -> None:
    assert chain("2025-01-01/2025-12-31") == ()
    assert [one.days for one in chain("2024-01-01/2025-10-31")] == [426]  # from 1 November 2025 to noon of today


def test_ranges_that_are_none_cover_nothing_and_what_the_condition_leaves_out_does_not_either() -> None:
    assert [one.days for one in chain("2025-01-01/2025-12-31", "2026-06-01/2026-05-01", "2026-01-05/2026-12-31")] == [4]
    ours = [*audits("2025-01-01/2025-12-31", "2026-02-01/2026-12-31")]
    ours.append(record(AUDITS, "live", who="ours", first="2026-01-01", last="2026-01-31"))
    assert AUDITS.chain is not None
    assert [one.days for one in holes(AUDITS, AUDITS.chain, ours, NOW)] == [31]


def test_what_ended_long_ago_is_history() -> None:
    assert chain("2020-01-01/2020-12-31", "2022-01-01/2026-12-31") == ()


def shifts(*ranges: tuple[str, str]) -> tuple[Hole, ...]:
    assert ROTA.chain is not None
    told = [
        record(ROTA, "live", id=f"r{number}", first=f"{first}:00Z", last=f"{last}:00Z")
        for number, (first, last) in enumerate(ranges)
    ]
    return holes(ROTA, ROTA.chain, told, NOW)


def test_somebody_is_on_duty_in_each_of_the_next_168_hours() -> None:
    week = ("2026-12-31T08:00", "2027-01-07T12:00")
    assert shifts(week) == ()
    assert [one.length for one in shifts((week[0], "2027-01-07T11:00"))] == [3_600_000]
    assert [one.length for one in shifts((week[0], "2027-01-03T02:00"), ("2027-01-03T03:00", week[1]))] == [3_600_000]
    assert shifts(("2026-12-01T00:00", "2026-12-02T00:00"), week) == ()  # a hole that is over


TESTS = form_with(
    """
fields: {done_on: {type: date, label: D}, independent: {type: flag, label: I}}
opens: {role: any}
moves: {}
states: {completed: {}, planned: {judged: false}}
cadence: {count: 3, within: 12 months, at: done_on, in: completed, where: independent, gap: 200d}
kept_when: state != 'x'
"""
)


def short(*days: str, state: str = "completed", independent: bool = True) -> Shortage | None:
    assert TESTS.cadence is not None
    told = [
        record(TESTS, state, id=f"r{number}", done_on=day, independent=independent) for number, day in enumerate(days)
    ]
    return shortage(TESTS, TESTS.cadence, told, NOW)


def test_three_in_any_twelve_months() -> None:
    assert short("2026-03-01", "2026-07-01", "2026-11-01") is None
    assert short("2026-03-01", "2026-09-01") == Shortage(2, 3, None)
    # the window that ends on 31 December 2026 begins on 1 January
    assert short("2026-01-01", "2026-07-01", "2026-11-01") is None
    assert short("2025-12-31", "2026-07-01", "2026-11-01") == Shortage(2, 3, None)


def test_tests_of_ones_own_planned_or_of_tomorrow_do_not_count() -> None:
    assert short("2026-03-01", "2026-07-01", "2026-11-01", independent=False) == Shortage(0, 3, None)
    assert short("2026-03-01", "2026-07-01", "2026-11-01", state="planned") is not None
    assert short("2026-03-01", "2026-07-01", "2027-01-01") == Shortage(2, 3, None)


def test_a_gap_that_is_too_long_is_told() -> None:
    assert short("2026-01-10", "2026-01-11", "2026-01-12", "2026-12-30") == Shortage(4, 3, 352)


def test_each_of_the_wanted_values_stands_in_a_kept_record() -> None:
    kept = [record(AUDITS, "live", who="iso"), record(AUDITS, "live", who="soc")]
    assert uncovered(Covers("who", ("iso", "soc", "csa")), kept, NOW) == ("csa",)
    assert uncovered(Covers("who", ("iso",)), kept, NOW) == ()
    assert uncovered(Covers("who", (), "standards"), kept, NOW) is None  # nobody knows what must be there
    assert uncovered(Covers("who", (), "standards"), kept, replace(NOW, lists={"standards": ("iso", "x")})) == ("x",)
