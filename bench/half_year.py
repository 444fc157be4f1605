"""Half a year of hourly checks in a real database: rows, links, schedule, tallies and the log, as a server leaves them.

Rows are written in bulk, each linked; the newest of each chain is signed and stands in the log. Of older runs the log
has no entries: a process that begins reads those of three days alone.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from check_world import CheckWorld, check
from database_world import RoomDatabase
from troth.kernel.record import Entry, Outcome
from troth.promises import store
from troth.promises.catalogue import catalogue
from troth.promises.check import Check, Result
from troth.promises.past import Past
from troth.promises.period.building import DAY_MS, report_of
from troth.promises.period.gathering import Sources, gather
from troth.promises.runner import _entry
from troth.promises.runs import Run, statement
from troth.promises.status import Period, State
from troth.promises.store import Head, Tally, row_of
from troth.promises.tallies import root_of
from troth.storage.database import Database
from troth.storage.outbox import outbox, row
from troth.vault.dsse import IN_TOTO, signature_over
from worlds import MovableClock

HOUR = 3_600_000
BEGAN = datetime(2026, 5, 1, tzinfo=UTC)
BROKEN = 97  # of so many runs of every seventh check the last found something
LOGGED_MS = 3 * DAY_MS  # of how long before the present the log has the entries of runs


def checks(count: int) -> tuple[Check, ...]:
    """Hourly checks, each of one promise of the catalogue."""
    promises = tuple(catalogue())
    return tuple(check(f"check-{n:03}", (promises[n % len(promises)],), fresh=26 * 3600) for n in range(count))


def lived(database: Database, folder: Path, count: int, days: int) -> CheckWorld:
    """A new process on such a database: a quarter to one, after so many days."""
    return CheckWorld(database, folder, checks(count), MovableClock(BEGAN + timedelta(days=days, minutes=45)))


def planted(number: int, day: int) -> State:
    """What must be said of a promise on a day: broken from the run that found something up to the next one."""
    hours = range(max(day * 24 - 1, 0), (day + 1) * 24)
    return State.NOT_KEPT if any(_failed(number, hour) for hour in hours) else State.KEPT


def _failed(number: int, hour: int) -> bool:
    return number % 7 == 0 and hour % BROKEN == BROKEN - 1


def filled(database: Database, folder: Path, count: int, days: int) -> CheckWorld:
    """A world with so many days behind it; what `planted` says happened in them."""
    world = CheckWorld(database, folder, checks(count), MovableClock(BEGAN - timedelta(seconds=1)))
    world.schedules.ensure()
    began = world.now
    world.clock.forward(days=days, minutes=45, seconds=1)
    heads: dict[str, Head] = {}
    entries: list[dict[str, Any]] = []
    digests = {one.id: one.digest for one in world.checks}
    for hour in range(days * 24):
        rows = []
        for place, one in enumerate(world.checks):
            at, head = began + hour * HOUR + 5000 + place * 100, heads.get(one.id)
            run = Run(
                one.id, at, Result.FAIL if _failed(place, hour) else Result.PASS, Result.FAIL, 2, 2, digests[one.id],
                f"run_{hour:05}{place:04}", (head.sequence if head else 0) + 1, began + hour * HOUR,
                head.link if head else "", schedule=1, system="troth-bench",
            )  # fmt: skip
            last = hour == days * 24 - 1
            signature = signature_over(statement(run), IN_TOTO, world.key) if last else b"\0" * 64
            values = row_of(run, store.Signed(world.key.name, signature))
            heads[one.id] = Head(run.sequence, values["link"], run.slot, at)
            rows.append(values)
            if at >= world.now - LOGGED_MS:
                entries.append(row(_entry(run, {})))  # type: ignore[arg-type]
        with database.write() as connection:
            connection.execute(insert(store.check_run), rows)
            if hour % 24 == 23:
                entries.append(_tallied(world, connection, heads, began + (hour + 1) * HOUR))
    with database.write() as connection:
        values = [
            {"check_id": name, "sequence": one.sequence, "link": one.link, "slot": one.slot, "at": one.at}
            for name, one in heads.items()
        ]
        connection.execute(insert(store.check_head), values)
        connection.execute(insert(outbox), entries)
    world.place()
    return world


def _tallied(world: CheckWorld, connection: Any, heads: dict[str, Head], midnight: int) -> dict[str, Any]:
    at = midnight + 300_000
    day = datetime.fromtimestamp((midnight - 1000) / 1000, UTC).strftime("%Y-%m-%d")
    counts = {name: one.sequence for name, one in heads.items()}
    tally = Tally(day, root_of(heads), counts, f"run_{day}", at)
    store.add_tally(connection, tally)
    facts = {"period": day, "root": tally.root, "counts": tally.counts}
    return row(Entry("operator", "check.tally", "event", Outcome.DONE, tally.request, "svc_promises", None, at,
                     facts=facts))  # fmt: skip


def forget(world: CheckWorld) -> None:
    """Take the summaries of days away."""
    with world.database.write() as connection:
        connection.execute(delete(store.check_day))


def asked(what: str, url: str, folder: Path, count: int, days: int) -> dict[str, float]:
    """The same question to a new process: seconds on the clock (`took`) and of a core (`cpu`), and what it came to."""
    command = [sys.executable, __file__, what, url, str(folder), str(count), str(days)]
    said: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return said


def _answer(what: str, world: CheckWorld, days: int) -> dict[str, float]:
    past = Past(world.runner, world.database, world.clock)
    if what == "all":
        states = past.settled()
        began = world.now - world.now % DAY_MS - days * DAY_MS
        wrong = sum(
            states[promise][began + day * DAY_MS] is not planted(number, day)
            for number, promise in enumerate(tuple(catalogue())[: len(world.checks)])
            for day in range(days)
        )
        return {"wrong": wrong}
    if what == "one":
        return {"months": len(past.bar("CRY-01").months)}
    if what == "summaries":
        return {"days": past.summarise(1e9)}
    assert world.log_world is not None
    log, end = world.log_world, world.now - world.now % DAY_MS
    sources = Sources(world.database, log.reader, log.prover, world.schedules, world.clock)
    report, _ = report_of(gather(sources, Period(end - (days - 1) * DAY_MS, end)))
    return {"done": report.done}


if __name__ == "__main__":
    question, url, folder, *numbers = sys.argv[1:]
    database = RoomDatabase(url)
    here = lived(database, Path(folder), int(numbers[0]), int(numbers[1]))
    clock, cpu = time.perf_counter(), time.process_time()
    answer = _answer(question, here, int(numbers[1]))
    print(json.dumps({"took": time.perf_counter() - clock, "cpu": time.process_time() - cpu, **answer}))
    database.close()
