"""What watching costs, by `python bench/completeness.py --write` (writes results/completeness.md).

The same work with and without the triggers on privileged tables, by turns in one run, on SQLite and on a private
PostgreSQL; a counted closing entry beside a plain one; and the scrub beside reading and hashing the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import postgres_server  # noqa: E402

os.environ.setdefault("TROTH_TEST_POSTGRES_URL", postgres_server.start(Path(mkdtemp(prefix="troth-bench-"))))

from sqlalchemy import Connection, delete, insert, update  # noqa: E402

import troth.wiring  # noqa: E402, F401 - declares every table
from database_world import opened, owned  # noqa: E402
from troth.gateway.store import receipts  # noqa: E402
from troth.kernel.record import Entry, Outcome  # noqa: E402
from troth.kernel.scope import SYSTEM, within  # noqa: E402
from troth.storage.database import Database  # noqa: E402
from troth.storage.meters import Meters  # noqa: E402
from troth.storage.outbox import Outbox, outbox  # noqa: E402
from troth.storage.watching import watch  # noqa: E402
from troth.vault.scrubbing import Scrub  # noqa: E402
from vault_world import VaultWorld  # noqa: E402

ROWS, ROUNDS, CALLS, OBJECTS = 5000, 15, 300, 40
TARGET = Path(__file__).parent / "results" / "completeness.md"


@contextmanager
def placed(kind: str, *, watched: bool) -> Iterator[Database]:
    with TemporaryDirectory() as folder, opened(kind, Path(folder)) as database:
        if watched:
            with owned(database) as connection:
                watch(connection)
        yield database


def _waiting(connection: Connection) -> None:
    connection.execute(insert(outbox), [{"log": "operator", "leaf": b"x" * 300}] * ROWS)
    connection.execute(delete(outbox))


def _receipts(connection: Connection) -> None:
    texts = dict.fromkeys(("object", "vendor", "model", "outcome", "objects"), "x")
    connection.execute(
        insert(receipts), [{"tenant": "t", "request": f"{n}", "sent_at": n, **texts} for n in range(ROWS)]
    )
    connection.execute(update(receipts).values(outcome="answered"))
    connection.execute(delete(receipts))


def _seconds(database: Database, work: Callable[[Connection], None]) -> float:
    clock = time.thread_time if database.dialect == "sqlite" else time.perf_counter
    with database.write() as connection:
        began = clock()
        work(connection)
        return clock() - began


def triggers(kind: str) -> list[str]:
    lines = []
    with ExitStack() as stack:
        bare, watched = (stack.enter_context(placed(kind, watched=one)) for one in (False, True))
        for name, work, touched in (
            ("outbox: in and out", _waiting, 2),
            ("receipts: in, changed, out", _receipts, 3),
        ):
            found: list[tuple[float, float]] = [(_seconds(bare, work), _seconds(watched, work)) for _ in range(ROUNDS)]
            plain, told = (min(one[at] for one in found) / ROWS * 1e6 for at in (0, 1))
            more = (told - plain) / touched
            lines.append(f"| {kind} | {name} | {plain:.1f} | {told:.1f} | {told / plain:.2f} | {more:.2f} |")
    return lines


def counting(kind: str) -> str:
    """A closing entry alone, and one that counts a use in its transaction."""
    with placed(kind, watched=True) as database:
        recorder, meters = Outbox(database), Meters(database)
        entry = Entry("operator", "x.y", "closed", Outcome.DONE, "req_x", "usr_x", None, 1)
        times: dict[bool, list[float]] = {False: [], True: []}
        for number in range(2 * CALLS):
            counted = number % 2 == 1
            began = time.perf_counter()
            recorder.record(entry, [meters.change({"object-read": 1})] if counted else ())
            times[counted].append(time.perf_counter() - began)
        recorder.close()
    plain, told = (statistics.quantiles(times[one], n=10)[0] * 1e3 for one in (False, True))
    return f"| {kind} | {plain:.2f} | {told:.2f} | {told / plain:.2f} |"


def scrubbing() -> str:
    with TemporaryDirectory() as folder, opened("sqlite", Path(folder)) as database:
        world = VaultWorld(database, Path(folder))
        for number in range(OBJECTS):
            world.keep(os.urandom(1 << 20), name=f"{number}.bin")
        began = time.process_time()
        Scrub(world.ground, megabytes=OBJECTS * 2).run()
        scrubbed = time.process_time() - began
        began = time.process_time()
        for path in (Path(folder) / "blobs").rglob("*"):
            if path.is_file():
                hashlib.sha256(path.read_bytes()).hexdigest()
        hashed = time.process_time() - began
        world.close()
    return f"| {OBJECTS / scrubbed:.0f} | {OBJECTS / hashed:.0f} | {scrubbed / hashed:.2f} |"


def main() -> None:
    with within(SYSTEM):
        rows = [line for kind in ("sqlite", "postgresql") for line in triggers(kind)]
        counts = [counting(kind) for kind in ("sqlite", "postgresql")]
        page = _page("\n".join(rows), "\n".join(counts), scrubbing())
    print(page)
    if "--write" in sys.argv:
        TARGET.write_text(page)


def _page(rows: str, counts: str, scrub: str) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"""# What watching costs

`python bench/completeness.py --write`, {datetime.now(UTC):%Y-%m-%d}, {machine}. Other work ran on
the machine (load 9 to 13): best of {ROUNDS} runs that took turns, on SQLite by CPU time, on PostgreSQL by the clock.

## Triggers on privileged tables

Troth's own work, microseconds a row, in transactions of {ROWS} rows; the last column is what the trigger adds to each
change of a row.

| Database | Work | without | with | ratio | a change more |
|---|---|---:|---:|---:|---:|
{rows}

## Counting what a call used

A closing entry until it is on disk, milliseconds (tenth percentile), alone and with a counter in its transaction.

| Database | plain | counted | ratio |
|---|---:|---:|---:|
{counts}

## Scrub

MB for each second of CPU, {OBJECTS} objects of 1 MiB, beside SHA-256 over the same files.

| scrub | SHA-256 | CPU of the scrub by SHA-256's |
|---:|---:|---:|
{scrub}
"""


if __name__ == "__main__":
    main()
