"""Many clients that wait for durable audit entries: threads, an event loop as in the server, requests."""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from troth.kernel.caller import Caller
from troth.kernel.clock import SystemClock
from troth.kernel.dispatch import Dispatcher
from troth.kernel.ids import new_id
from troth.kernel.operation import Call, Group, Registry, operation
from troth.kernel.record import Entry, Outcome
from troth.storage.outbox import Outbox
from worlds import FaultList, ListRecorder, RoleDecider, person

ACTORS = [new_id("usr") for _ in range(1000)]


def entry(number: int) -> Entry:
    """As operations write it: ids of their real form, a thousand people."""
    actor = ACTORS[number % len(ACTORS)]
    return Entry("operator", "object.open", "closed", Outcome.DONE, new_id("req"), actor, None, 1_700_000_000_000)


@dataclass(frozen=True)
class Run:
    """Waits of the clients, in milliseconds, and what their run took."""

    waits: list[float]
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds

    @property
    def cpu_each(self) -> float:
        """Microseconds of CPU for each, all threads of the process: clients, outbox, sequencer, publisher."""
        return self.cpu / len(self.waits) * 1e6

    def percentile(self, share: float) -> float:
        return sorted(self.waits)[min(len(self.waits) - 1, int(len(self.waits) * share))]

    def __str__(self) -> str:
        return f"ack p50 {statistics.median(self.waits):.1f} ms, p99 {self.percentile(0.99):.1f} ms"


def together(runs: list[Run]) -> Run:
    """Several runs as one."""
    return Run(
        [one for run in runs for one in run.waits], sum(run.seconds for run in runs), sum(run.cpu for run in runs)
    )


def by_threads(recorder: Outbox, clients: int, seconds: float) -> Run:
    """Each client is a thread that waits in `record`."""
    waits: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()

    def client() -> None:
        mine = []
        while (asked := time.perf_counter()) < begun + seconds:
            recorder.record(entry(len(mine)))
            mine.append((time.perf_counter() - asked) * 1e3)
        waits.extend(mine)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Run(waits, time.perf_counter() - begun, time.process_time() - cpu)


def by_loop(work: Callable[[int], Awaitable[object]], clients: int, seconds: float) -> Run:
    """Each client is a task of one event loop, as in the server."""
    waits: list[float] = []
    begun, cpu = time.perf_counter(), time.process_time()

    async def client() -> None:
        while (asked := time.perf_counter()) < begun + seconds:
            await work(len(waits))
            waits.append((time.perf_counter() - asked) * 1e3)

    async def all_of_them() -> None:
        await asyncio.gather(*(client() for _ in range(clients)))

    asyncio.run(all_of_them())
    return Run(waits, time.perf_counter() - begun, time.process_time() - cpu)


class _Word(BaseModel):
    word: str = "x"


class _Echo:
    @operation("echo.say", group=Group.OWN_DATA, request=_Word, quick=True)
    def say(self, call: Call, request: _Word) -> _Word:
        """Say it."""
        return request


class _Forgets(ListRecorder):
    """Takes everything and keeps nothing."""

    async def keep(self, entry: Entry, changes: object = ()) -> None:
        return


def requests(recorder: Outbox | None, clients: int, seconds: float) -> Run:
    """A request that does nothing through the real dispatcher; its two entries are durable, or nobody keeps them."""
    dispatcher = Dispatcher(
        Registry(_Echo()), RoleDecider(), recorder or _Forgets(), SystemClock(), FaultList(), at_hand=True
    )
    caller: Caller = person(Group.OWN_DATA.value)

    def ask(_number: int) -> Awaitable[object]:
        return dispatcher.run_async("echo.say", caller, _Word())

    return by_loop(ask, clients, seconds)


def syncs(folder: Path, seconds: float) -> list[float]:
    """What the disk can do: milliseconds of each write and fdatasync of 64 KiB, one after the other."""
    found, block, end = [], b"\0" * 65_536, time.perf_counter() + seconds
    descriptor = os.open(folder / "syncs", os.O_CREAT | os.O_WRONLY)
    while (asked := time.perf_counter()) < end:
        os.write(descriptor, block)
        os.fdatasync(descriptor)
        found.append((time.perf_counter() - asked) * 1e3)
    os.close(descriptor)
    return found
