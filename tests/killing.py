"""kill -9, at a chosen durable step (before it took effect, or after) or at a random moment."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Forked from a process without threads: a fork of this one could take along a lock that another thread holds.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["troth.wiring"])


class Killer:
    """Counts calls of durable things and dies at one of them, before or after it took effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self._left = at
        self._after = after

    def around(self, owner: object, *names: str) -> None:
        for name in names:
            setattr(owner, name, self._watched(getattr(owner, name)))

    def _watched(self, work):  # type: ignore[no-untyped-def]
        def watched(*args, **kwargs):  # type: ignore[no-untyped-def]
            self._left -= 1
            mine = self._left == 0
            if mine and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = work(*args, **kwargs)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return watched


class Victims:
    """Processes that work on one thing, one after the other; each is killed at a random moment.

    `worker` is a program that forks a process for each line on its standard input, which says its id ("pid", number),
    "ready", and then one line of words for each event, whole lines ending with a dot; "ended" follows its death.
    """

    def __init__(self, worker: Path, *arguments: object, environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(worker), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def killed(
        self,
        chance: random.Random,
        *words: object,
        lines: int = 10,
        seconds: float = 0.03,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> list[list[str]]:
        """Starts one, kills it within `seconds` after fewer than `lines` lines, or before it is ready when
        that is 0; returns what it said to its end. It is alive `meanwhile`."""
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)
        said: list[list[str]] = []
        while not (pid := next((int(line[1]) for line in said if line and line[0] == "pid"), 0)):
            said.append(self._line())
        while lines and ["ready"] not in said:
            said.append(self._line())
        said += [self._line() for _ in range(chance.randrange(lines or 1))]  # they come, however busy the machine is
        meanwhile()
        time.sleep(chance.uniform(0.0, seconds))
        os.kill(pid, signal.SIGKILL)
        while ["ended"] not in said:
            said.append(self._line())
        return [line for line in said if line and line[0] not in ("pid", "ready", "ended")]

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def _line(self) -> list[str]:
        """The words of a line that was said to its end; none for another."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended by itself"
        *words, last = line.split() or [""]
        return words if last == "." else ["ended"] if last == "ended" else []
