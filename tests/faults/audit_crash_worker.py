"""Processes that record, sequence and publish until they are killed, and say what was acknowledged.

Usage: audit_crash_worker.py FOLDER DATABASE_URL; then one round a line on standard input: its seed, and the libfiu
failure points that fail at random from then on, if any. A round that begins with "dark" ends by itself: it says what
became of each step while those points fail always. Each round forks a process of its own (so that nothing is imported
again), which says its id and then one line per event. Whole lines end with a dot.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import random
import sys
import threading
import time
from hashlib import sha256
from pathlib import Path

from sqlalchemy import Connection, insert
from sqlalchemy.exc import SQLAlchemyError

from database_world import RoomDatabase
from log_world import TestKey, entry
from troth.audit import sequencer as sequencer_module
from troth.audit.sequencer import Sequencer
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Conflict, TrothError
from troth.kernel.ids import new_id
from troth.kernel.scope import as_system
from troth.storage.blobs import LocalBlobs
from troth.storage.claims import request_claim
from troth.storage.database import Database
from troth.storage.outbox import Outbox

LOGS = ("operator", "ten_a", "ten_b")
_SAYING = threading.Lock()
_REFUSED = (TrothError, SQLAlchemyError, OSError)


def sequencer_of(folder: Path, database: Database) -> Sequencer:
    """With the guard in a folder of its own, and checkpoints as often as they can be signed."""
    blobs, guard = LocalBlobs(folder / "blobs"), LocalBlobs(folder / "guard")
    return Sequencer(database, blobs, TestKey(), SystemClock(), guard=guard, checkpoint_seconds=0.005)


def say(*words: object) -> None:
    """One line, whole, also while writes fail or come short at random."""
    line = f"{' '.join(map(str, words))} .\n".encode()
    with _SAYING:
        while line:
            with contextlib.suppress(OSError):
                line = line[os.write(1, line) :]


class Faults:
    """Failure points of libfiu, which is loaded before this process starts."""

    def __init__(self, seed: int) -> None:
        self._fiu = ctypes.CDLL("libfiu.so.0")
        self._fiu.fiu_enable_random.argtypes = [
            *(ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_float)
        ]
        self._fiu.fiu_init(0)
        self._fiu.fiu_set_prng_seed(seed)

    def fail(self, point: str, error: int, probability: float) -> None:
        self._fiu.fiu_enable_random(point.encode(), 1, error, 0, probability)

    def end(self, point: str) -> None:
        self._fiu.fiu_disable(point.encode())


class Clients:
    """Everybody who records at once, each by one of the ways that there are."""

    def __init__(self, folder: Path, url: str, seed: int) -> None:
        self.database = RoomDatabase(url)
        self.outbox = Outbox(self.database)
        self.sequencer = sequencer_of(folder, self.database)
        self.chance = random.Random(seed)

    def lead(self) -> None:
        """Start the sequencer; the server may need a moment to see that the last one died."""
        for _ in range(200):
            try:
                return self.sequencer.start()
            except Conflict:
                time.sleep(0.01)
        raise TimeoutError

    def run(self) -> None:
        ways = [self._waits, self._waits, self._waits, self._changes, self._within, self._many, self._watches]
        for way in ways:
            threading.Thread(target=as_system(self._forever), args=(way,), daemon=True).start()
        asyncio.run(self._loop())

    def _forever(self, way) -> None:  # type: ignore[no-untyped-def]
        while True:
            try:
                way(self.chance.choice(LOGS), new_id("req"))
            except _REFUSED as refusal:
                say("refused", type(refusal).__name__)
                time.sleep(0.001)

    def _waits(self, log: str, request: str) -> None:
        self.outbox.record(entry(log, 0, request=request))
        say("acked", log, request)

    def _changes(self, log: str, request: str) -> None:
        self.outbox.record(entry(log, 0, request=request, operation="claim.made"), [_claiming(request)])
        say("acked", log, request)

    def _within(self, log: str, request: str) -> None:
        with self.database.write() as connection:
            _claiming(request)(connection)
            self.outbox.record_within(connection, entry(log, 0, request=request, operation="claim.made"))
        say("acked", log, request)

    def _many(self, log: str, request: str) -> None:
        requests = [f"{request}-{at}" for at in range(10)]
        futures = [self.outbox.submit(entry(log, 0, request=one)) for one in requests]
        for one, future in zip(requests, futures, strict=True):
            future.result()
            say("acked", log, one)

    def _watches(self, _log: str, _request: str) -> None:
        fault = self.sequencer.state().fault
        if fault:
            say("fault", fault)
        time.sleep(0.005)

    async def _loop(self) -> None:
        async def client() -> None:
            while True:
                log, request = self.chance.choice(LOGS), new_id("req")
                try:
                    await self.outbox.keep(entry(log, 0, request=request))
                    say("acked", log, request)
                except _REFUSED as refusal:
                    say("refused", type(refusal).__name__)
                    await asyncio.sleep(0.001)

        await asyncio.gather(*(client() for _ in range(8)))


def _claiming(request: str):  # type: ignore[no-untyped-def]
    def change(connection: Connection) -> None:
        connection.execute(insert(request_claim).values(digest=sha256(request.encode()).digest(), at=1))

    return change


def main(folder: Path, url: str, seed: int, points: list[str]) -> None:
    threading.excepthook = lambda died: say("died", died.thread and died.thread.name, died.exc_type.__name__)
    sequencer_module.DRAIN_SECONDS = 0.002
    clients = Clients(folder, url, seed)
    clients.lead()
    say("ready")
    faults = Faults(seed) if points else None
    for point in points:
        assert faults is not None
        kind = errno.ENOSPC if clients.chance.random() < 0.5 else errno.EIO
        faults.fail(point, kind, clients.chance.choice([0.003, 0.01, 0.05]))
    clients.run()


class Dark:
    """The same steps on a good disk, on one where some points always fail, and on a good one again."""

    def __init__(self, folder: Path, url: str) -> None:
        self.clients = Clients(folder, url, 0)
        self.checkpoint = folder / "guard/tlog/operator/checkpoint"
        self.lines: list[tuple[str, ...]] = []

    def run(self, points: list[str]) -> None:
        faults = Faults(0)
        self.within("before-waiting")
        self.clients.sequencer.flush()
        self.steps("before")
        self.within("during-waiting")
        self.clients.sequencer.integrate()  # there is something to sign
        for point in points:
            faults.fail(point, errno.ENOSPC, 1.0)
        self.steps("during")
        for point in points:
            faults.end(point)
        self.steps("after")
        for line in self.lines:
            say(*line)

    def steps(self, name: str) -> None:
        self.step(name, "record", lambda: self.clients.outbox.record(entry("operator", 0, request=f"{name}-record")))
        self.step(name, "within", lambda: self.within(f"{name}-within"))
        self.step(name, "sign", self.clients.sequencer.flush)

    def within(self, request: str) -> None:
        with self.clients.database.write() as connection:
            self.clients.outbox.record_within(connection, entry("operator", 0, request=request))

    def step(self, name: str, step: str, work) -> None:  # type: ignore[no-untyped-def]
        try:
            work()
            said = "done"
        except _REFUSED as refusal:
            said = type(refusal).__name__
        self.lines.append((name, step, said, self.checkpoint.read_bytes().hex()))


if __name__ == "__main__":
    for line in sys.stdin:
        word, *rest = line.split()
        child = os.fork()
        if child == 0:
            if word == "dark":
                Dark(Path(sys.argv[1]), sys.argv[2]).run(rest)
            else:
                main(Path(sys.argv[1]), sys.argv[2], int(word), rest)
            os._exit(0)
        say("pid", child)
        os.waitpid(child, 0)
        print("\nended", flush=True)
