"""What row-level security costs on PostgreSQL, by `python bench/rls.py --write` (writes results/rls.md).

Starts a private server, makes one schema twice, without and with policies, and runs the same reads and inserts through
`Database` as the application's role, by turns. A third way sets the tenant by a statement of its own after the BEGIN,
as most guides do: it shows what putting the setting into the BEGIN saves.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import postgres_server  # noqa: E402

os.environ.setdefault("TROTH_TEST_POSTGRES_URL", postgres_server.start(Path(mkdtemp(prefix="troth-bench-"))))

from sqlalchemy import Connection, bindparam, insert, select, text  # noqa: E402

import troth.wiring  # noqa: E402, F401 - declares every table
from database_world import APPLICATION, create_tables, fresh_place  # noqa: E402
from troth.gateway.store import receipts  # noqa: E402
from troth.kernel.scope import SYSTEM, Scope, within  # noqa: E402
from troth.storage.database import Database  # noqa: E402
from troth.storage.isolation import grant, unprotect  # noqa: E402

TENANTS, ROWS = 200, 100  # rows of each
OPERATIONS = 3000
TARGET = Path(__file__).parent / "results" / "rls.md"
POINT = select(receipts).where(receipts.c.tenant == bindparam("t"), receipts.c.request == bindparam("r"))
ALL = select(receipts.c.request).where(receipts.c.tenant == bindparam("t"))
SET = text("SELECT set_config('troth.tenant', :t, true)")


@contextmanager
def served(folder: Path, *, policies: bool) -> Iterator[Database]:
    """A database with the same rows, with or without policies."""
    with fresh_place("postgresql", folder) as place:
        create_tables(place)
        owner = Database(place.owner)
        with owner.write(SYSTEM) as connection:
            if not policies:
                unprotect(connection)
            grant(connection, APPLICATION)
            rows = [_row(tenant, number) for tenant in range(TENANTS) for number in range(ROWS)]
            connection.execute(insert(receipts), rows)
        with owner.write(SYSTEM) as connection:
            connection.execute(text("ANALYZE receipts"))
        owner.close()
        database = Database(place.url)
        yield database
        database.close()


def _row(tenant: int, number: int) -> dict[str, object]:
    texts = dict.fromkeys(("object", "vendor", "model", "outcome", "objects"), "x" * 20)
    return {"tenant": f"ten_{tenant}", "request": f"req_{number}", "sent_at": number, **texts}


def point(connection: Connection, turn: int) -> None:
    connection.execute(POINT, {"t": "ten_7", "r": f"req_{turn % ROWS}"}).one()


def list_all(connection: Connection, turn: int) -> None:
    del turn
    assert len(connection.execute(ALL, {"t": "ten_7"}).all()) == ROWS


def add(connection: Connection, turn: int) -> None:
    connection.execute(insert(receipts), _row(7, 1000 + turn + time.perf_counter_ns()))


WORK: dict[str, tuple[str, Callable[[Connection, int], None]]] = {
    "read one row by its key": ("read", point),
    "list a tenant's 100 rows": ("read", list_all),
    "insert one row, committed": ("write", add),
}


def microseconds(database: Database, door: str, run: Callable[[Connection], None], *, apart: bool) -> float:
    """Wall time of one transaction."""
    with within(SYSTEM if apart else Scope("ten_7")):
        start = time.perf_counter()
        with getattr(database, door)() as connection:
            if apart:
                connection.execute(SET, {"t": "ten_7"})
            run(connection)
        return (time.perf_counter() - start) * 1e6


def main() -> None:
    """Measure, print, and with --write keep the table."""
    folder = Path(mkdtemp(prefix="troth-bench-"))
    lines = ["| transaction | without policies | with policies | ratio | tenant set by its own statement | ratio |"]
    lines += ["|---|---|---|---|---|---|"]
    with served(folder, policies=False) as plain, served(folder, policies=True) as walled:
        for name, (door, work) in WORK.items():
            found: dict[str, list[float]] = {"plain": [], "walled": [], "apart": []}
            for turn in range(OPERATIONS):  # by turns, so that whatever else the machine does meets all alike
                run = partial(work, turn=turn)
                found["plain"].append(microseconds(plain, door, run, apart=False))
                found["walled"].append(microseconds(walled, door, run, apart=False))
                found["apart"].append(microseconds(walled, door, run, apart=True))
            plain_us, walled_us, apart_us = (statistics.median(times) for times in found.values())
            lines.append(
                f"| {name} | {plain_us:.0f} us | {walled_us:.0f} us | {walled_us / plain_us:.2f} "
                f"| {apart_us:.0f} us | {apart_us / plain_us:.2f} |"
            )
    table = "\n".join(lines)
    print(table)
    if "--write" in sys.argv:
        TARGET.write_text(_page(table))


def _page(table: str) -> str:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return f"""# Row-level security on PostgreSQL

`python bench/rls.py --write`, {datetime.now(UTC):%Y-%m-%d}, {machine}, server and client on one shared machine.
Wall time of a whole transaction through `Database` (pool check, BEGIN with scope, statement, end), median of
{OPERATIONS} that took turns; {TENANTS} tenants with {ROWS} rows each. Other work ran on the machine: the ratio
counts, not the time.

{table}

The scope rides on the BEGIN in one message, so it costs no round trip; what is left is the server's work on the setting
and on one condition. The last columns set the tenant by `SELECT set_config(...)` after the BEGIN: one round trip more.
"""


if __name__ == "__main__":
    main()
