"""A process that records and sequences until it is killed; prints the request of each entry once it is acknowledged."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from log_world import World, entry
from troth.kernel.ids import new_id
from troth.storage.blobs import LocalBlobs
from troth.storage.database import Database
from troth.storage.outbox import Outbox

THREADS = 8


def main(folder: Path) -> None:
    database = Database(f"sqlite:///{folder / 'test.db'}")
    world = World(database, LocalBlobs(folder / "blobs"), folder)
    outbox = Outbox(database)
    world.sequencer.start()

    def record() -> None:
        while True:
            request = new_id("req")
            outbox.record(entry("operator", 0, request=request))
            os.write(1, f"{request}\n".encode())

    for _ in range(THREADS):
        threading.Thread(target=record, daemon=True).start()
    while True:
        world.sequencer.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
