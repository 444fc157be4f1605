"""The calendar of a tenant with many records: processor time of one look, the first of a process and the later ones.

    .venv/bin/python bench/calendar_dues.py [--records 10000]

Registers of a form with two dues for each record, in a real installation of its own (SQLite, keys, sealed entries).
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from troth.governance.loading import Forms
from troth.governance.moves import By
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM, Scope, within
from troth.promises.system import System
from troth.settings.load import load
from troth.wiring import opened

FORM = """\
form: {name}
version: 1
title: {name}
about: Things to be looked at twice a year, for a measurement.
promises: []
keeps: {{class: account, activity: running-the-isms}}
read: [owner, admin]
fields:
  name: {{type: text!, most: 120, label: Name}}
  note: {{type: text, most: 400, label: Note}}
  keeper: {{type: person, label: Keeper}}
  review_by: {{type: date!, label: Review}}
  test_by: {{type: date!, label: Test}}
opens: {{role: any, to: live}}
states: {{live: {{}}, gone: {{end: true}}}}
moves:
  end: {{from: live, to: gone, role: owner}}
dues:
  review: {{in: live, at: review_by, remind: [30d, 7d], by: admin, person: keeper}}
  test: {{in: live, at: test_by, by: admin, escalate: {{after: 7d, to: owner}}}}
kept_when: [review_by >= today]
examples:
  good: [{{name: A, review_by: +10d, test_by: +10d, state: live}}]
  known_bad: [{{like: 0, but: {{review_by: -1d}}}}]
"""
REGISTERS = 5
OWNER = frozenset({"owner", "admin"})


def fill(system: System, tenant: str, records: int) -> None:
    """So many records, a hundred in a transaction."""
    registers, by = system.governance.registers, By(tenant, new_id("usr"), None, OWNER, new_id("req"))
    for number in range(REGISTERS):
        form = registers.forms.get(f"bench-{number}")
        look = registers.look(tenant, form)
        for start in range(0, records // REGISTERS, 100):
            several = []
            for one in range(start, start + 100):
                day = f"2027-{1 + one % 12:02}-{1 + one % 28:02}"
                values = {"name": f"Thing {one}", "note": secrets.token_hex(60), "review_by": day, "test_by": day}
                several.append(registers.prepared(by, form, values, look))
            registers.write(by, form, several)


def timed(act: Callable[[], int]) -> tuple[float, float, int]:
    """(processor seconds, seconds, what came) of one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    found = act()
    return time.process_time() - cpu, time.perf_counter() - wall, found


def main() -> None:
    """Fill, look, and say how long it took."""
    given = argparse.ArgumentParser()
    given.add_argument("--records", type=int, default=10_000)
    given.add_argument("--profile", action="store_true")
    wanted = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as name:
        folder, forms = Path(name), Path(name) / "forms"
        forms.mkdir()
        for number in range(REGISTERS):
            (forms / f"bench-{number}.yaml").write_text(FORM.format(name=f"bench-{number}"))
        assert "bench-0" in Forms(forms).names()
        data = {"folder": folder / "data", "keys": folder / "keys"}
        with within(SYSTEM), opened(load(data=data, governance={"registers": forms})) as troth:
            system = troth.system
            tenant = system.identity.tenants.create("bench", "eu").id
            fill(system, tenant, wanted.records)
            calendar = system.dispatcher.registry["calendar.show"].run.__self__.calendar

            def look() -> int:
                with within(Scope(tenant)):
                    by = By(tenant, "usr_a", None, OWNER, new_id("req"))
                    found = calendar.dues(by)
                    assert not found.unjudged, found.unjudged
                    return sum(one.form.startswith("bench") for one in found.dues)

            if wanted.profile:
                profile = cProfile.Profile()
                profile.runcall(look)
                pstats.Stats(profile, stream=sys.stderr).sort_stats("cumulative").print_stats(45)
            for number in range(5):
                cpu, wall, found = timed(look)
                print(f"look {number + 1}: {cpu:.2f} s of CPU, {wall:.2f} s; {found} dues of {wanted.records} records")


if __name__ == "__main__":
    main()
