"""Video jobs as rows: room for one more, begun, ended, gone. Rows bear opaque ids; content is the vault's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from troth.gateway.videos import store
from troth.gateway.videos.store import Job
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, TooMany
from troth.storage.database import Database
from troth.vault import store as vault


class Jobs:
    """`most`: how many videos of one tenant may wait or be made at once."""

    def __init__(self, database: Database, clock: Clock, *, most: int = 4) -> None:
        self.database = database
        self._clock = clock
        self._most = most

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return epoch_ms(self._clock.now())

    def require_room(self, tenant: str) -> None:
        """Raises `TooMany` (too-many-videos)."""
        with self.database.read() as connection:
            self._require_room(store.count_unended(connection, tenant))

    def add(self, connection: Connection, job: Job) -> None:
        """In the transaction that keeps its order. Raises `TooMany`."""
        self._require_room(store.count_unended(connection, job.tenant))
        store.add(connection, job)

    def find(self, tenant: str, job: str) -> Job:
        """Raises `NotFound`."""
        with self.database.read() as connection:
            found = store.find(connection, tenant, job)
        if found is None:
            raise NotFound("There is no such video; list yours to see their ids.", field="video_id")
        return found

    def change(self, job: Job, **values: Any) -> Job | None:
        """The job with new values; None, and nothing changed, when it has ended or gone meanwhile."""
        with self.database.write() as connection:
            changed = store.change(connection, job.id, **values)
        return replace(job, **values) if changed else None

    def owner_of(self, object_id: str) -> str | None:
        """Whose an object is, asked without opening it; None once it is erased."""
        with self.database.read() as connection:
            rows = vault.by_ids(connection, [object_id])
        gone = not rows or rows[0].state in (vault.DROPPING, vault.ERASED)
        return None if gone else rows[0].subject

    def remove(self, job: Job) -> None:
        """Forget it."""
        with self.database.write() as connection:
            store.remove(connection, job.id)

    def _require_room(self, running: int) -> None:
        if running >= self._most:
            raise TooMany(f"At most {self._most} videos of a tenant are made at once; wait until one is finished.",
                          code="too-many-videos")  # fmt: skip
