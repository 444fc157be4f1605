"""Runs backups, with an erasure's tail after them, or restores, and kills itself with SIGKILL at random moments.

Each round is a forked process.

Arguments: folder, backup or restore, rounds, seed. Prints one line for each round: how it ended.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from backup_world import backup_settings, restore, world


def backed_up(folder: Path, delay: float | None) -> None:
    with world(folder) as home:
        tenant = home.tenant(f"T{time.time_ns()}")
        home.someone(tenant, 20)
        person = home.someone(tenant)
        _strike(delay)
        home.backups.run()
        home.erase(person, object_id=min(person.kept))
        home.backups.ship()


def restored(folder: Path, delay: float | None) -> None:
    target = folder / "restored"
    shutil.rmtree(target, ignore_errors=True)
    _strike(delay)
    restore(backup_settings(folder), target)


def _strike(delay: float | None) -> None:
    """SIGKILL after `delay` seconds."""
    if delay is not None:
        threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()


def main() -> None:
    folder, what, rounds, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    work = {"backup": backed_up, "restore": restored}[what]
    chance = random.Random(seed)
    longest = 0.0
    for turn in range(rounds + 1):  # the first is not struck and shows how long one takes
        delay = chance.uniform(0, longest) if turn else None
        begin = time.monotonic()
        process = os.fork()
        if not process:
            work(folder, delay)
            os._exit(0)
        status = os.waitpid(process, 0)[1]
        longest = longest or time.monotonic() - begin
        print("killed" if os.WIFSIGNALED(status) else f"exit {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
