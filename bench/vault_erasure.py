"""Erasing a person with few and with many objects: when nothing of theirs opens any more, and when it is certified.

Usage: python bench/vault_erasure.py [--million] [--write]
A whole installation on SQLite with two key domains. Each person's objects are rows of their own, by derivation from one
that was really kept: the same sealed facts, and no ciphertext on the disk for the copies, whose removal would measure
the file system. "Live" is the transaction after which nothing opens (`Marks.tombstone`).
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound
from troth.kernel.ids import new_id
from troth.promises.system import System
from troth.settings.load import load
from troth.vault.objects import KeepRequest
from troth.vault.tables import objects
from troth.wiring import opened

RESULT = Path(__file__).parent / "results" / "vault_erasure.md"
BATCH = 20_000


def copies(first: dict[str, Any], count: int) -> Iterator[list[dict[str, Any]]]:
    """Rows like `first` under ids and blob names of their own, in batches."""
    for start in range(0, count, BATCH):
        ids = [new_id("obj") for _ in range(min(BATCH, count - start))]
        yield [first | {"id": one, "blob": f"objects/0/{one}"} for one in ids]


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
        expires_at=None,
        own_unit=False,
    )
    kept = system.vault.objects.keep(wish)
    with system.base.database.read() as connection:
        found = connection.execute(select(objects).where(objects.c.id == kept.id)).mappings().one()
    first = {name: value for name, value in found.items() if name != "seq"}
    for rows in copies(first, count - 1):
        with system.base.database.write() as connection:
            connection.execute(insert(objects), rows)
    return subject, kept.id


def erased(system: System, tenant: str, count: int) -> tuple[float, float]:
    """Seconds until nothing opens, and until the certificate is there."""
    subject, kept = person(system, tenant, count)
    system.base.database.checkpoint()
    erasures = system.vault.erasures
    tombstone, live = erasures._marks.tombstone, []

    def timed(erasure: Any) -> bool:
        start = time.perf_counter()
        done = tombstone(erasure)
        live.append(time.perf_counter() - start)
        return done

    erasures._marks.tombstone = timed  # type: ignore[method-assign]
    start = time.perf_counter()
    erasure = erasures.request(tenant, subject, actor=subject, request=new_id("req"))
    whole = time.perf_counter() - start
    erasures._marks.tombstone = tombstone  # type: ignore[method-assign]
    assert erasure.state == "done", erasure.state
    try:
        system.vault.objects.open(tenant, subject, kept)
    except (Gone, NotFound):
        return live[0], whole
    raise AssertionError("it still opens")


def conditions() -> str:
    """What a reader needs to judge the numbers."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, load average "
        f"{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, SQLite with synchronous=FULL, two key domains "
        "of class A0. Wall-clock time; the copies' ciphertext is not on the disk."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="also a person with 1,000,000 objects")
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    sizes = [(1_000, 20), (100_000, 3), *([(1_000_000, 1)] if chosen.million else [])]
    lines = ["| objects | people | live, median | live, worst | certified, median |", "|---|---|---|---|---|"]
    middle: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        domains = [{"kind": "local", "name": name, "folder": str(root / f"copies-{name}")} for name in ("one", "two")]
        settings = load(data={"folder": root / "data", "keys": root / "keys"}, keys={"domains": domains})
        with opened(settings) as troth:
            tenant = troth.system.identity.tenants.create("bench", "eu").id
            erased(troth.system, tenant, 10)  # the first one pays for imports and folders
            for count, people in sizes:
                runs = [erased(troth.system, tenant, count) for _ in range(people)]
                middle[count] = statistics.median(live for live, _ in runs)
                lines.append(
                    f"| {count:,} | {people} | {middle[count] * 1000:.1f} ms | {max(runs)[0] * 1000:.1f} ms "
                    f"| {statistics.median(whole for _, whole in runs):.2f} s |"
                )
                print(lines[-1], flush=True)
    most = max(middle)
    lines += [
        "",
        f"Ratio {most:,} : 1,000 objects, live (medians): {middle[most] / middle[1_000]:.2f}; goal at most 1.2.",
    ]
    print(lines[-1])
    if chosen.write:
        head = [
            "# Erasing a person",
            "",
            f"`python bench/vault_erasure.py{' --million' * chosen.million} --write`. {conditions()}",
            "",
        ]
        RESULT.write_text("\n".join(head + lines) + "\n")


if __name__ == "__main__":
    main()
