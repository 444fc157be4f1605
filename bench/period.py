"""The report of half a year of hourly checks: making it, its size, and checking it by the command and by the page.

    .venv/bin/python bench/period.py [--checks 134] [--days 184] [--lies 1000] [--postgres] [--write]

Then the same half year as rows of a database: the states of its days, asked of a process that read nothing before, and
the report out of the rows. `--postgres`: on a server of its own too. Times are of one core. `--lies`: so many mutations
of a smaller half year (daily looks) are tried against both verifiers. `--write` replaces bench/results/period.md;
nothing of it is written by hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import postgres_server

if "--postgres" in sys.argv:  # before what reads where the server is
    os.environ["TROTH_TEST_POSTGRES_URL"] = postgres_server.start(Path(tempfile.mkdtemp(prefix="troth-bench-")))

import half_year

from database_world import DATABASES, RoomDatabase, create_tables, fresh_place
from log_verifiers import Page, Refused, page_verifier
from period_mutations import mutated
from period_world import PeriodWorld
from troth.audit import verifier_page
from troth.kernel.errors import IntegrityError
from troth.promises.period.building import DAY_MS, report_of
from troth.promises.period.bundle import packed
from troth.promises.period.verify import unpacked, verify_period

Row = tuple[str, str, str]
RESULTS = Path(__file__).parent / "results" / "period.md"


def measured(checks: int, days: int, page: Page, folder: Path) -> list[Row]:
    """What a whole period takes."""
    world = PeriodWorld(checks=checks, days=days)
    gathered = world.gathered()
    at = time.perf_counter()
    _, files = report_of(gathered)
    told = {"made_at": world.period.end + DAY_MS, "period": {"start": world.period.start, "end": world.period.end}}
    content = packed(files, told, world.key)
    made = time.perf_counter()
    held = verify_period(unpacked(content), world.signers, world.trust)
    checked = time.perf_counter()
    path = folder / "period.zip"
    path.write_bytes(content)
    asked = time.perf_counter()
    runs = page.ask(trust=str(world.trust.key), period=path)["runs"]
    answered = time.perf_counter()
    assert runs == held.runs
    return [
        ("runs in the bundle", f"{held.runs:,}", ""),
        ("report and bundle from the runs", f"{made - at:.1f} s", ""),
        ("bundle", f"{len(content) / 1e6:.2f} MB", "under 5 MB"),
        ("checked by `troth verify`", f"{checked - made:.1f} s", "under 15 s"),
        ("checked by the page, in node", f"{answered - asked:.1f} s", ""),
    ]


def lies(count: int, page: Page, folder: Path) -> list[Row]:
    """How many of so many mutations each verifier takes for the truth."""
    world = PeriodWorld(checks=3, days=184, every=86_400)
    content = world.bundle()[0]
    path = folder / "lie.zip"

    def by_command(lie: bytes) -> None:
        verify_period(unpacked(lie), world.signers, world.trust)

    def by_page(lie: bytes) -> None:
        path.write_bytes(lie)
        page.ask(trust=str(world.trust.key), period=path)

    found = []
    ways: list[tuple[str, Callable[[bytes], None]]] = [("command", by_command), ("page", by_page)]
    for name, way in ways:
        way(content)
        seen = 0
        for seed in range(count):
            try:
                way(mutated(world, content, seed)[1])
            except (IntegrityError, Refused):
                seen += 1
        found.append((f"lies found by the {name}", f"{seen} of {count}", "all"))
    return found


def queried(kind: str, checks: int, days: int, folder: Path) -> list[Row]:
    """What a new process takes for the states of all days, with summaries of them and without."""
    with fresh_place(kind, folder) as place:
        create_tables(place)
        database = RoomDatabase(place.url)
        half_year.filled(database, folder, checks, days)
        database.close()

        def ask(what: str) -> dict[str, float]:
            return half_year.asked(what, place.url, folder, checks, days)

        plain, summed, every, one, report = (ask(what) for what in ("all", "summaries", "all", "one", "report"))
    assert not plain["wrong"]
    assert summed["days"] == days
    told = [
        (f"states of {checks} promises on {days} days, from the rows alone", plain, ""),
        ("summaries of all these days, made once in the background", summed, ""),
        (f"states of {checks} promises on {days} days, with summaries", every, "under 2 s"),
        ("the bar of one promise", one, ""),
        (f"report from the rows, {report['done']:,.0f} looks done", report, ""),
    ]
    rows = [(f"{kind}: {what}", f"{said['took']:.1f} s ({said['cpu']:.1f} s CPU)", goal) for what, said, goal in told]
    return [*rows, (f"{kind}: days of which another state was planted", f"{every['wrong']:.0f}", "0")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=134)
    parser.add_argument("--days", type=int, default=184)
    parser.add_argument("--lies", type=int, default=1000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--write", action="store_true")
    wish = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        page_verifier(Path(verifier_page.__file__).with_name(verifier_page.NAME)) as page,
    ):
        rows = measured(wish.checks, wish.days, page, Path(name)) + lies(wish.lies, page, Path(name))
    for kind in DATABASES:
        with tempfile.TemporaryDirectory() as name:
            rows += queried(kind, wish.checks, wish.days + 1, Path(name))
    table = ["| what | measured | goal |", "|---|---|---|", *(f"| {' | '.join(row)} |" for row in rows)]
    print("\n".join(table))
    if wish.write:
        said = (
            f"`python bench/period.py --checks {wish.checks} --days {wish.days} --lies {wish.lies}"
            f"{' --postgres' * wish.postgres} --write`; "
            f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, 1-minute load "
            f"{os.getloadavg()[0]:.1f} (other work ran beside it). Hourly looks of synthetic checks, two days before "
            "the period and one after. Below: the half year as rows of a database, each answer by a new process, from "
            "its first query on; imports and the opening of the file are not in it, nor the CPU of PostgreSQL's server."
        )
        RESULTS.write_text("\n".join(["# The report of half a year", "", said, "", *table, ""]))


if __name__ == "__main__":
    main()
