"""Summaries of days: a cache that says of every day what the runs say, and counts only while the log says so too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from check_world import ONE, OTHER, CheckWorld, bad, check
from database_world import DATABASES, opened
from troth.promises import store, summaries
from troth.promises.chains import Chain, Part
from troth.promises.history import History
from troth.promises.past import Past
from troth.promises.status import State
from troth.vault.dsse import IN_TOTO, sign_envelope

EVERY = {"every": 28_800, "fresh": 26 * 3600}
TALLIES = 5  # with that of the day before the first, which the second round writes


@pytest.fixture(params=DATABASES)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CheckWorld]:
    """Days of two checks, three looks a day; one found something broken on the third. Every day has its tally."""
    with opened(request.param, tmp_path) as database:
        checks = (check("one", (ONE,), **EVERY), check("two", (OTHER,), **EVERY))
        made = CheckWorld(database, tmp_path, checks)
        wrong = made.another((checks[0], check("two", (OTHER,), observe=bad, **EVERY)))
        for look in range(13):
            (wrong if look == 6 else made).scheduler.tick()
            made.clock.forward(hours=8)
        made.place()
        yield made


def _past(world: CheckWorld) -> Past:
    return Past(world.runner, world.database, world.clock, fresh=0)


def _without_rows(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> Past:
    """One to whom no row of a whole chain is shown."""
    past = _past(world)
    monkeypatch.setattr(past, "_read", lambda *_: pytest.fail("read the rows of a whole chain"))
    return past


def _summed(world: CheckWorld) -> dict[str, History]:
    """What is said without any summary; then each day that is over has one."""
    bars = _past(world).bars()
    assert _past(world).summarise() == TALLIES
    return bars


def _change(world: CheckWorld, day: str, **values: str) -> None:
    with world.database.write() as connection:
        connection.execute(update(store.check_day).where(store.check_day.c.day == day).values(**values))


def _days(world: CheckWorld) -> dict[str, str]:
    with world.database.read() as connection:
        return {
            row.day: row.text for row in connection.execute(select(store.check_day).order_by(store.check_day.c.day))
        }


def test_out_of_summaries_every_bar_is_what_the_rows_say(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = _summed(world)
    assert bars[OTHER].months[-1].days[State.NOT_KEPT] == 1
    assert _without_rows(world, monkeypatch).bars() == bars
    assert _past(world).summarise() == 0, "each is made once"


def test_once_all_are_made_a_round_reads_none_of_them(world: CheckWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    past = _past(world)
    assert [past.summarise(0.0) for _ in range(TALLIES)] == [1] * TALLIES, "one at a time where time is short"
    assert past.summarise() == 0
    monkeypatch.setattr(past._summaries, "windows", lambda _since: pytest.fail("read them all again"))
    assert past.summarise() == 0


def test_a_summary_that_somebody_wrote_counts_as_nothing_and_is_made_again(world: CheckWorld) -> None:
    bars = _summed(world)
    day, text = next((day, text) for day, text in _days(world).items() if '"fail","fail"' in text)
    _change(world, day, text=text.replace('"fail","fail"', '"pass","fail"'))
    assert _past(world).bars() == bars
    assert _past(world).summarise() == 1
    assert _days(world)[day] == text


def test_one_that_we_signed_of_other_runs_counts_as_nothing(world: CheckWorld) -> None:
    """Who has the key can sign a summary, but its links must come to the root of the tally in the log."""
    bars = _summed(world)
    past = _past(world)
    window = past._summaries.windows(0)[2]
    assert window.parts is not None
    lie = {check: Part(one.behind, (one.last[0], "f" * 64), one.runs) for check, one in window.parts.items()}
    text = summaries._text(window.tally, lie)
    envelope = sign_envelope(summaries._statement(window.tally, text), IN_TOTO, world.key)
    _change(world, window.tally.day, text=text, envelope=envelope.decode())
    assert past._summaries.windows(0)[2].parts is None
    assert _past(world).bars() == bars


def test_a_tally_that_somebody_wrote_makes_nothing_greener(world: CheckWorld) -> None:
    bars = _summed(world)
    day = sorted(_days(world))[2]
    with world.database.write() as connection:
        mine = update(store.check_tally).where(store.check_tally.c.day == day)
        connection.execute(mine.values(counts='{"one":2,"two":2}'))
    past = _past(world)
    assert [one.parts is None for one in past._summaries.windows(0)] == [False, False, True, True, False]
    after = past.bars()
    for promise in (ONE, OTHER):
        assert after[promise].months[-1].days[State.KEPT] <= bars[promise].months[-1].days[State.KEPT]


@pytest.mark.parametrize("touch", ["edit", "delete"])
def test_a_day_whose_rows_were_touched_has_no_summary_and_is_unknown(world: CheckWorld, touch: str) -> None:
    where = (store.check_run.c.check_id == "two", store.check_run.c.sequence == 7)
    with world.database.write() as connection:
        if touch == "edit":
            connection.execute(update(store.check_run).where(*where).values(result="pass"))
        else:
            connection.execute(delete(store.check_run).where(*where))
    past = _past(world)
    assert past.summarise() == TALLIES - 1
    assert past.summarise() == 0, "it is not tried again at once"
    days = past.bar(OTHER).months[-1].days
    assert State.NOT_KEPT not in days, "nobody can read the run that failed"
    assert days[State.UNKNOWN] > _past(world).bar(ONE).months[-1].days[State.UNKNOWN]


def test_rows_that_are_edited_later_are_noticed_while_the_server_runs(world: CheckWorld) -> None:
    _summed(world)
    past = _past(world)
    kept = past.bar(ONE).months[-1].days[State.KEPT]
    with world.database.write() as connection:
        where = (store.check_run.c.check_id == "one", store.check_run.c.sequence == 4)
        connection.execute(update(store.check_run).where(*where).values(tested=1))
    assert past.bar(ONE).months[-1].days[State.KEPT] == kept, "of that day the log tells what was found"
    for _ in range(2):
        past.look_on()
    assert past.bar(ONE).months[-1].days[State.KEPT] == kept - 1


def test_reading_the_rows_of_a_sound_chain_again_changes_nothing(world: CheckWorld) -> None:
    bars = _summed(world)
    past = _past(world)
    past.bars()
    before = dict(past._settled)
    for _ in range(3):
        past.look_on()
    assert past._settled == before
    assert before
    assert past.bars() == bars


def test_a_part_that_does_not_follow_is_a_gap() -> None:
    chain = Chain("one", [(0, "a" * 64)], 1 << 40)
    runs = [store.Run("one", at, store.Result.PASS, store.Result.FAIL, 1, 1, "a" * 64, "", at) for at in (1, 2, 5, 6)]
    chain.join(Part((0, ""), (2, "b"), tuple(runs[:2])))
    assert not chain.broken
    chain.join(Part((4, "c"), (6, "d"), tuple(runs[2:])))
    assert [bool(one.flaw) for one in chain.kept] == [False, False, True, False]
    assert json.dumps(chain.end) == '[6, "d"]'
