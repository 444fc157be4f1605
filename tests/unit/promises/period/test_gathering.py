"""What a report is made of is read from the rows and the log of an installation, and holds for a stranger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from check_world import CheckWorld, check
from database_world import DATABASES, opened
from troth.audit.note import VerifierKey
from troth.audit.verify import Trust
from troth.kernel.errors import Conflict, IntegrityError, TrothError
from troth.promises import store
from troth.promises.period.building import DAY_MS, report_of
from troth.promises.period.bundle import packed
from troth.promises.period.gathering import Sources, gather
from troth.promises.period.report import PeriodReport
from troth.promises.period.verify import Held, unpacked, verify_period
from troth.promises.status import Period, State
from worlds import MovableClock

DAYS = {"every": 6 * 3600, "fresh": 12 * 3600}
START = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(scope="module", params=DATABASES)
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CheckWorld]:
    """Two checks, four times a day, for five days; on the fourth the code of one is another."""
    tmp_path = tmp_path_factory.mktemp("period")
    with opened(request.param, tmp_path) as database:
        clock = MovableClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
        made = CheckWorld(database, tmp_path, (check("one", **DAYS), check("two", ("CRY-02",), **DAYS)), clock)
        _days(made, 3)
        other = made.another([check("one", parameters={"most": 2}, **DAYS), check("two", ("CRY-02",), **DAYS)])
        other.scheduler.tick()
        other.confirm()
        _days(other, 2)
        made.place()
        yield other


@pytest.fixture
def world(lived: CheckWorld) -> Iterator[CheckWorld]:
    """The same, with its rows put back afterwards."""
    tables = (store.check_run, store.check_schedule, store.check_tally)
    with lived.database.read() as connection:
        kept = [[dict(row._mapping) for row in connection.execute(table.select())] for table in tables]
    yield lived
    with lived.database.write() as connection:
        for table, rows in zip(tables, kept, strict=True):
            connection.execute(table.delete())
            connection.execute(table.insert(), rows)


def _days(world: CheckWorld, days: int) -> None:
    for _ in range(days * 4):
        world.scheduler.tick()
        world.clock.forward(hours=6)
    world.clock.forward(minutes=6)
    world.scheduler.tick()


def _sources(world: CheckWorld) -> Sources:
    assert world.log_world is not None
    log = world.log_world
    return Sources(world.database, log.reader, log.prover, world.schedules, world.clock, lambda: world.waivers)


def _made(world: CheckWorld, days: int = 3, start: int = START) -> tuple[PeriodReport, Held]:
    assert world.log_world is not None
    period = Period(start, start + days * DAY_MS)
    report, files = report_of(gather(_sources(world), period))
    told = {"made_at": 1, "period": {"start": period.start, "end": period.end}}
    trust = Trust(VerifierKey.parse(world.log_world.vkey()))
    content = packed(files, told, world.key)
    return report, verify_period(unpacked(content), {world.key.name: world.key.public_key}, trust)


def test_a_report_of_an_installation_holds(world: CheckWorld) -> None:
    report, held = _made(world)
    assert (report.expected, report.done, report.missed) == (held.report["expected"], report.expected, 0)
    assert report.expected >= 24
    assert [one.state for one in report.promises] == [State.KEPT, State.KEPT]
    assert [(one.check, one.version) for one in report.changes] == [("one", 2)]
    assert held.entries == 5 + 2 + 1  # tallies of the 22nd to the 26th, two versions, and what changed


def test_the_first_days_hang_on_no_earlier_tally(world: CheckWorld) -> None:
    report, _ = _made(world, 4, START - DAY_MS)
    assert report.expected == report.done


def test_a_period_that_is_not_over_has_no_report(world: CheckWorld) -> None:
    with pytest.raises(Conflict) as caught:
        _made(world, 9)
    assert caught.value.code == "period-open"


def test_a_day_that_is_over_waits_for_its_tally(world: CheckWorld) -> None:
    with world.database.write() as connection:
        newest = store.newest_tally(connection)
        assert newest
        connection.execute(store.check_tally.delete().where(store.check_tally.c.day == newest.day))
    with pytest.raises(Conflict):
        _made(world)


@pytest.mark.parametrize("values", [{"result": "fail"}, {"at": 5}, {"digest": "f" * 64}, {"population": 9}])
def test_an_edited_row_gives_no_report(world: CheckWorld, values: dict[str, object]) -> None:
    with world.database.write() as connection:
        where = (store.check_run.c.check_id == "two", store.check_run.c.sequence == 9)
        connection.execute(store.check_run.update().where(*where).values(**values))
    with pytest.raises(IntegrityError) as caught:
        _made(world)
    assert caught.value.code == "period-broken"


def test_rows_that_a_restore_lost_are_lost_in_the_report_and_the_promise_unknown(world: CheckWorld) -> None:
    with world.database.write() as connection:
        where = (store.check_run.c.check_id == "two", store.check_run.c.sequence.between(10, 12))
        connection.execute(store.check_run.delete().where(*where))
    report, held = _made(world)
    states = {one.check: (one.lost, one.state) for one in report.checks}
    assert states == {"one": (0, State.KEPT), "two": (3, State.UNKNOWN)}
    assert report.missed == held.report["missed"] >= 2


def test_a_report_rests_on_schedules_that_the_log_tells_of(world: CheckWorld) -> None:
    with world.database.write() as connection:
        connection.execute(store.check_schedule.update().where(store.check_schedule.c.version == 2).values(text="{}"))
    with pytest.raises(TrothError) as caught:
        _made(world)
    assert caught.value.code in ("bad-schedule", "envelope-signature")
