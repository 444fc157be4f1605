"""The bar of twelve months: days judged by the schedule of their time, thin chains that say what whole ones say."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from troth.promises.chains import Chain
from troth.promises.check import Result
from troth.promises.history import DAY_MS, Plans, Told, day_state, days, first_day, in_months
from troth.promises.runs import Run
from troth.promises.schedule import Planned, ScheduleVersion
from troth.promises.status import Declared, Evidence, Period, State, status

HOUR = 3_600_000
START = round(datetime(2026, 9, 1, tzinfo=UTC).timestamp() * 1000)
CODE, NEWER = "a" * 64, "b" * 64
FRESH = 26 * 3600
ONE = "CRY-01"


def _planned(check: str = "one", code: str = CODE, fresh: int = FRESH) -> Planned:
    return Planned(check, (ONE,), 3600, fresh, "installation", "connections", code)


def _version(number: int, starts: int, *checks: Planned) -> ScheduleVersion:
    return ScheduleVersion(number, starts, starts, checks)


FIRST = _version(1, START, _planned())


def _runs(count: int, **members: object) -> list[Run]:
    return _linked([_plain(number) for number in range(1, count + 1)], **members)


def _plain(number: int) -> Run:
    at = START + number * HOUR
    return Run("one", at, Result.PASS, Result.FAIL, 2, 2, CODE, f"run_{number}", number, schedule=1)


def _linked(runs: Sequence[Run], **members: object) -> list[Run]:
    found: list[Run] = []
    for one in runs:
        previous = found[-1].link if found else ""
        found.append(replace(one, previous=previous, **members))
    return found


def _chain(runs: Sequence[Run], codes: Sequence[tuple[int, str]] = ((0, CODE),), fresh: int = FRESH) -> Chain:
    chain = Chain("one", codes, fresh * 1000)
    for one in runs:
        chain.take(one, one.link)
    return chain


def _evidence(chain: Chain) -> tuple[Evidence, ...]:
    assert chain.last is not None
    return chain.evidence(Evidence(chain.last, CODE))


def _day(number: int, chain: Chain, *versions: ScheduleVersion, now: int = START + 400 * DAY_MS) -> State:
    day = Period(START + number * DAY_MS, START + (number + 1) * DAY_MS)
    told = Told({"one": _evidence(chain)})
    return day_state(ONE, day, Plans(versions or (FIRST,), ()), told, waivers=(), now=now)


def test_months_begin_eleven_before_the_present() -> None:
    now = round(datetime(2026, 3, 31, 23, 59, tzinfo=UTC).timestamp() * 1000)
    assert first_day(now) == round(datetime(2025, 4, 1, tzinfo=UTC).timestamp() * 1000)
    several = list(days(first_day(now), now))
    assert (len(several), several[-1].end) == (365, now)
    bar = in_months(ONE, [(one, State.KEPT) for one in several])
    assert [bar.months[0].month, bar.months[-1].month, len(bar.months)] == ["2025-04", "2026-03", 12]
    assert bar.months[0].days == {State.KEPT: 30}


def test_a_month_is_as_good_as_its_worst_day() -> None:
    said = [(Period(START + n * DAY_MS, 0), State.UNKNOWN if n == 7 else State.KEPT) for n in range(30)]
    (month,) = in_months(ONE, said).months
    assert (month.state, month.days) == (State.UNKNOWN, {State.KEPT: 29, State.UNKNOWN: 1})


def test_a_year_of_passes_is_kept_thin() -> None:
    chain = _chain(_runs(24 * 100))
    assert len(chain.kept) < 2 * 100
    assert {_day(number, chain) for number in range(1, 99)} == {State.KEPT}


def test_a_day_before_any_schedule_and_one_without_runs_are_unknown() -> None:
    chain = _chain([one for one in _runs(24 * 9) if one.at < START + 5 * DAY_MS])
    assert [_day(number, chain) for number in (-1, 3, 4, 5, 6)] == [
        State.UNKNOWN, State.KEPT, State.KEPT, State.KEPT, State.UNKNOWN,
    ]  # fmt: skip


def test_a_check_that_came_later_says_nothing_of_the_days_before() -> None:
    both = _version(2, START + 5 * DAY_MS + 9 * HOUR, _planned(), _planned("two"))
    chain = _chain(_runs(24 * 9))
    assert [_day(number, chain, FIRST, both) for number in (4, 6)] == [State.KEPT, State.UNKNOWN]


def test_days_are_judged_by_the_code_of_their_time() -> None:
    turn = START + 5 * DAY_MS
    runs = [replace(one, digest=CODE if one.at < turn else NEWER) for one in _runs(24 * 9)]
    versions = (FIRST, _version(2, turn, _planned(code=NEWER)))
    chain = _chain(_linked(runs), ((START, CODE), (turn, NEWER)))
    assert {_day(number, chain, *versions) for number in range(1, 9)} == {State.KEPT}
    unplanned = _chain(_linked(runs))
    assert [_day(number, unplanned) for number in (3, 6)] == [State.KEPT, State.UNKNOWN]


def test_what_is_wrong_with_the_newest_run_is_wrong_with_all() -> None:
    chain = _chain(_runs(48))
    assert chain.last is not None
    assert {one.flaw for one in chain.evidence(Evidence(chain.last, CODE, "no entry"))} == {"no entry"}
    other = replace(chain.last, request="run_other", tested=1)
    assert {one.flaw for one in chain.evidence(Evidence(other, CODE))} == {"it was changed after it was written"}
    assert chain.evidence(None) == ()


def test_rows_behind_the_newest_that_the_log_tells_of_do_not_count() -> None:
    runs = _runs(48)
    told = _chain(runs).evidence(Evidence(runs[39], CODE))
    assert max(one.run.sequence for one in told) <= 40


@pytest.mark.parametrize("change", ["edited", "dropped"])
def test_an_old_row_that_was_touched_makes_its_day_unknown(change: str) -> None:
    runs = _runs(24 * 9)
    chain = Chain("one", ((0, CODE),), FRESH * 1000)
    for one in runs:
        if one.sequence != 60:
            chain.take(one, one.link)
        elif change == "edited":
            chain.take(replace(one, tested=1), one.link)
    assert [_day(number, chain) for number in (1, 2, 4)] == [State.KEPT, State.UNKNOWN, State.KEPT]
    assert chain.broken


def _eventful(seed: int) -> Iterator[Run]:
    """Runs with failures, errors, holes and a clock that was off; two stretches in which nothing could be looked at."""
    chance = random.Random(seed)
    hole = 0
    for number in range(1, 24 * 40):
        hole = hole - 1 if hole else (chance.choice((3, 30, 60)) if chance.random() < 0.01 else 0)
        if hole:
            continue
        odd = chance.random()
        members: dict[str, object] = {"at": START + number * HOUR + chance.randrange(HOUR)}
        if odd < 0.01:
            members |= {"result": Result.FAIL}
        elif odd < 0.015:
            members |= {"result": Result.ERROR}
        elif odd < 0.02:
            members |= {"clock": "off"}
        elif number // 90 in (2, 3):
            members |= {"result": (Result.ERROR, Result.NOT_CONFIGURED)[number // 90 - 2]}
        yield replace(_plain(number), **members)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(6))
def test_a_thin_chain_says_of_each_day_what_the_whole_one_says(seed: int) -> None:
    found = [replace(one, sequence=place) for place, one in enumerate(_eventful(seed), 1)]
    runs = _linked(found)
    chain, whole = _chain(runs), [Evidence(one, CODE) for one in runs]
    declared = [Declared("one", (ONE,), FRESH, CODE, CODE)]
    states = []
    for number in range(40):
        day = Period(START + number * DAY_MS, START + (number + 1) * DAY_MS)
        said = status(ONE, declared, {"one": whole}, waivers=(), period=day, now=START + 400 * DAY_MS).state
        states.append(said)
        assert _day(number, chain) is said
    assert len(set(states)) > 1
    assert len(chain.kept) < len(whole) / 3


def test_one_step_back_of_the_clock_makes_no_day_look_at_a_year() -> None:
    runs = [_plain(number) for number in range(1, 2001)]
    runs[99] = replace(runs[99], at=runs[97].at, clock="back")
    told = Told({"one": [Evidence(one, CODE) for one in _linked(runs)]})
    assert max(len(told.around("one", day)) for day in days(START, START + 80 * DAY_MS)) < 30


def test_what_a_day_is_given_says_what_all_runs_say_wherever_clocks_went() -> None:
    chance = random.Random(20261123)
    declared = [Declared("one", (ONE,), FRESH, CODE, CODE)]
    for _ in range(150):
        runs, at = list[Evidence](), 0
        for number in range(1, chance.randint(2, 40)):
            at = max(1, at + chance.choice([1, 4, 12, 12, -30]) * HOUR)
            own = max(1, at + chance.choice([0, 0, 0, 0, 0, -50, 70]) * HOUR)
            told = replace(_plain(number), at=own, clock=chance.choice(["", "", "off", "back"]) if own != at else "")
            told = replace(told, result=chance.choice([Result.PASS, Result.PASS, Result.PASS, Result.FAIL]))
            since = own + 20 * HOUR if chance.random() < 0.05 else 0
            runs.append(Evidence(told, CODE, "edited" if chance.random() < 0.04 else "", since))
        now = max(max(one.run.at for one in runs) + chance.choice([-40, 0, 30]) * HOUR, DAY_MS)
        few = Told({"one": runs})
        for day in days(0, now):
            said = [
                status(ONE, declared, {"one": some}, waivers=(), period=day, now=now)
                for some in (few.around("one", day), runs)
            ]
            assert (said[0].state, said[0].reason) == (said[1].state, said[1].reason)
