"""Shards on this machine: a pool of processes that end with their parent."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from troth.kernel.errors import Unavailable
from troth.redact.scan import ShardTask
from troth.redact.shards import ShardPlan, ShardRecord, write_shard

_PR_SET_PDEATHSIG = 1  # prctl(2)
_AHEAD = 2  # tasks waiting per worker, so that a cancelled run stops soon

_plan: ShardPlan | None = None  # of this worker process


def _begin(parent: int, plan: ShardPlan) -> None:
    """In a new worker: die when the parent dies, by any cause, and remember the plan."""
    global _plan  # noqa: PLW0603  a worker process has one plan for its life
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
    _plan = plan


def _work(task: ShardTask) -> ShardRecord:
    if _plan is None:
        raise Unavailable("A worker began without its plan.", code="worker-lost")
    return write_shard(_plan, task)


def run(plan: ShardPlan, tasks: Sequence[ShardTask], workers: int) -> Iterator[ShardRecord]:
    """Records of `tasks` as they are finished, in any order. `workers`: processes; 1 works in this process.

    Raises what a shard raises; Unavailable when a worker is lost (what is finished stays and is not done again).
    """
    if workers <= 1 or len(tasks) <= 1:
        yield from (write_shard(plan, task) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")  # fork is not safe beside the threads of a server
    with ProcessPoolExecutor(min(workers, len(tasks)), context, _begin, (os.getpid(), plan)) as pool:
        try:
            yield from _bounded(pool.submit, tasks, workers * _AHEAD)
        except BrokenProcessPool as error:
            raise Unavailable(
                "A worker process was lost; start the same command again to resume.", code="worker-lost"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _bounded(
    submit: Callable[..., Future[ShardRecord]], tasks: Sequence[ShardTask], ahead: int
) -> Iterator[ShardRecord]:
    waiting = iter(tasks)
    open_tasks = {submit(_work, task) for _, task in zip(range(ahead), waiting, strict=False)}
    while open_tasks:
        done, open_tasks = wait(open_tasks, return_when=FIRST_COMPLETED)
        for future in done:
            yield future.result()
            task = next(waiting, None)
            if task is not None:
                open_tasks.add(submit(_work, task))
