"""Threads for the clearing of short requests: a few, whoever else waits.

Clearing is work of the interpreter with two short waits for the disk. Sixteen threads that want the interpreter's lock
at once spend a third of the CPU on handing it round; four keep the disk busy as well. What is not plainly short takes
the threads of all operations, so that four long texts do not stand before everybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from pydantic import BaseModel

from troth.gateway.relaying import little
from troth.kernel.operation import Call

_FEW = 4
_SHORT = 1 << 14  # characters, and 8 for each other value
Request = TypeVar("Request", bound=BaseModel)
Result = TypeVar("Result")


class FewThreads:
    """Runs blocking work for an event loop, in the context of whoever asks."""

    def __init__(self) -> None:
        self._few = ThreadPoolExecutor(_FEW, "clearing")

    async def run(self, work: Callable[[Call, Request], Result], call: Call, request: Request) -> Result:
        """`work(call, request)`. Raises what it raises."""
        if not little(request, _SHORT):
            return await asyncio.to_thread(work, call, request)
        loop, context = asyncio.get_running_loop(), copy_context()
        return await loop.run_in_executor(self._few, context.run, work, call, request)
