"""Erasing a person with few and with many objects: out of reach, keys destroyed in every copy, certified.

Usage: python bench/vault_erasure.py [--million] [--write]
A whole installation on SQLite with two key domains. Every object has a key unit and a row of its own, and a file of
ciphertext on the disk. One object of each person is really kept; the others are made in bulk: units by the key tree's
own call for many, rows like the first under ids, units and names of their own, files with the first one's bytes, synced
all together (they are never opened: the keys are gone before anything looks). Filling a million takes minutes, and is
not measured.

"Live" is the transaction after which nothing opens (`Marks.tombstone`), "sealed" the moment at which the last old root
is confirmed destroyed in both domains, "certified" the end of the last step; all counted from the request.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound
from troth.kernel.ids import new_id
from troth.keys.tree import UnitRequest
from troth.promises.system import System
from troth.settings.load import load
from troth.vault.keeping import blob_name
from troth.vault.objects import KeepRequest
from troth.vault.tables import objects
from troth.wiring import opened

RESULT = Path(__file__).parent / "results" / "vault_erasure.md"
BATCH = 20_000
GOALS = {"live": "p99 <= 50 ms", "sealed": "<= 5 s"}


@dataclass(frozen=True)
class Times:
    """Seconds from the request."""

    live: float
    sealed: float
    certified: float


def copies(system: System, first: dict[str, Any], count: int) -> Iterator[list[dict[str, Any]]]:
    """Rows like `first` under ids, units and blobs of their own, in batches."""
    wish = UnitRequest(first["tenant"], first["subject"], DataClass(first["data_class"]), None)
    content = system.base.objects.get(first["blob"])
    for start in range(0, count, BATCH):
        units = system.base.tree.units([wish] * min(BATCH, count - start))
        ids = [new_id("obj") for _ in units]
        for one in ids:
            path = system.base.settings.data.folder / "objects" / blob_name(one)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_bytes(content)
        yield [
            first | {"id": one, "unit": unit.id.hex(), "blob": blob_name(one)}
            for one, unit in zip(ids, units, strict=True)
        ]


def person(system: System, tenant: str, count: int) -> tuple[str, str]:
    """(subject, id of the object that was really kept) of a person with `count` objects."""
    subject = new_id("usr")
    wish = KeepRequest(
        tenant=tenant,
        subject=subject,
        data_class=DataClass.USER_GENERATED,
        kind="upload",
        media_type="text/plain",
        name="note.txt",
        content=b"something of theirs",
    )
    kept = system.vault.objects.keep(wish)
    with system.base.database.read() as connection:
        found = connection.execute(select(objects).where(objects.c.id == kept.id)).mappings().one()
    first = {name: value for name, value in found.items() if name != "seq"}
    for rows in copies(system, first, count - 1):
        with system.base.database.write() as connection:
            connection.execute(insert(objects), rows)
    system.base.database.checkpoint()
    os.sync()
    return subject, kept.id


def erased(system: System, tenant: str, count: int) -> Times:
    """Fill, erase, and see that it is so."""
    subject, kept = person(system, tenant, count)
    erasures, moments = system.vault.erasures, {}

    def timed(place: Any, name: str, moment: str) -> Callable[[], None]:
        act = getattr(place, name)

        def wrapped(*given: Any) -> Any:
            done = act(*given)
            moments.setdefault(moment, time.perf_counter())
            return done

        setattr(place, name, wrapped)
        return lambda: setattr(place, name, act)

    undo = timed(erasures._marks, "tombstone", "live"), timed(system.base.tree, "seal", "sealed")
    start = time.perf_counter()
    erasure = erasures.request(tenant, subject, actor=subject, request=new_id("req"))
    if erasure.state != "done":  # much to clear away: the request has answered by now, and a job goes on
        (erasure,) = erasures.finish([erasure.id])
    certified = time.perf_counter()
    for one in undo:
        one()
    assert erasure.state == "done", erasure.state
    try:
        system.vault.objects.open(tenant, subject, kept)
    except (Gone, NotFound):
        return Times(moments["live"] - start, moments["sealed"] - start, certified - start)
    raise AssertionError("it still opens")


def conditions() -> str:
    """What a reader needs to judge the numbers."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, load average "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, SQLite with synchronous=FULL, two key domains "
        "of class A0. Wall-clock time from the request; every object has a key unit, a row and a file of its own."
    )


def measured(system: System, tenant: str, sizes: list[tuple[int, int]]) -> list[str]:
    """The table and what follows from it."""
    lines = ["| objects | people | live, median | live, p99 | sealed, median | sealed, worst | certified, median |"]
    lines.append("|---|---|---|---|---|---|---|")
    runs: dict[int, list[Times]] = {}
    for count, people in sizes:
        runs[count] = found = [erased(system, tenant, count) for _ in range(people)]
        live = sorted(one.live for one in found)
        sealed = [one.sealed for one in found]
        lines.append(
            f"| {count:,} | {people} | {statistics.median(live) * 1000:.1f} ms "
            f"| {live[min(len(live) - 1, int(len(live) * 0.99))] * 1000:.1f} ms "
            f"| {statistics.median(sealed) * 1000:.0f} ms | {max(sealed) * 1000:.0f} ms "
            f"| {statistics.median(one.certified for one in found):.2f} s |"
        )
        print(lines[-1], flush=True)
    few, most = min(runs), max(runs)
    lines.append("")
    for what in ("live", "sealed"):
        ratio = middle(runs[most], what) / middle(runs[few], what)
        lines.append(f"- Ratio {most:,} : {few:,} objects, {what} (medians): {ratio:.2f}; goal at most 1.2.")
        print(lines[-1])
    lines.append(
        f"- Goals: live {GOALS['live']}; sealed in all copies, on request and with two domains, {GOALS['sealed']}."
    )
    return lines


def middle(runs: list[Times], what: str) -> float:
    return float(statistics.median(getattr(one, what) for one in runs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="also a person with 1,000,000 objects")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    sizes = [(1_000, 20), (100_000, 3), *([(1_000_000, 1)] if chosen.million else [])]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        domains = [{"kind": "local", "name": name, "folder": str(root / f"copies-{name}")} for name in ("one", "two")]
        settings = load(data={"folder": root / "data", "keys": root / "keys"}, keys={"domains": domains})
        with opened(settings) as troth:
            tenant = troth.system.identity.tenants.create("bench", "eu").id
            erased(troth.system, tenant, 10)  # the first one pays for imports and folders
            lines = measured(troth.system, tenant, sizes)
            state = conditions()
    if chosen.write:
        head = [
            "# Erasing a person",
            "",
            f"`python bench/vault_erasure.py{' --million' * chosen.million} --write`. {state}",
            "",
        ]
        RESULT.write_text("\n".join(head + lines) + "\n")


if __name__ == "__main__":
    main()
