"""Places for questions to other people's servers: few for a connection, some for a tenant, many for all.

A provider that answers slowly keeps the places of its own connection; those of other tenants stay free.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

FOR_CONNECTION = 4
FOR_TENANT = 8
FOR_ALL = 64


class Slots:
    """The places of one process. Who finds none waits, and their time runs."""

    def __init__(self) -> None:
        self._places: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._loop: asyncio.AbstractEventLoop | None = None

    @asynccontextmanager
    async def held(self, tenant: str, connection: str) -> AsyncIterator[None]:
        """A place of each: the narrowest first, so that who waits there keeps nothing from others."""
        if self._loop is not (loop := asyncio.get_running_loop()):  # tests run several loops, one after another
            self._places, self._loop = WeakValueDictionary(), loop
        async with AsyncExitStack() as stack:
            for key, most in ((connection, FOR_CONNECTION), (tenant, FOR_TENANT), ("", FOR_ALL)):
                await stack.enter_async_context(self._place(key, most))
            yield

    def _place(self, key: str, most: int) -> asyncio.Semaphore:
        place = self._places.get(key)
        if place is None:
            place = self._places[key] = asyncio.Semaphore(most)
        return place
