"""One table: video jobs, by opaque ids. What was asked for lies sealed in the vault, under `object`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, String, Table, delete, func, insert, select, update

from troth.storage.database import Big, metadata

QUEUED, RUNNING, DONE, FAILED = "queued", "in_progress", "completed", "failed"
UNENDED = (QUEUED, RUNNING)

jobs = Table(
    "video_jobs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("request", String(64), nullable=False),  # of the receipt
    Column("object", String(64), nullable=False),  # the sealed order
    Column("vendor", String(64), nullable=False),
    Column("model", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("upstream", String(200)),  # the vendor's id of it; none before the vendor has answered
    Column("progress", Big, nullable=False),
    Column("tries", Big, nullable=False),
    Column("code", String(64)),  # why it failed
    Column("made", String(64)),  # the sealed video
    Column("created_at", Big, nullable=False),
    Column("ended_at", Big),
    Index("ix_video_jobs_tenant_state", "tenant", "state"),
    Index("ix_video_jobs_object", "object"),
)


@dataclass(frozen=True, slots=True)
class Job:
    """One row. Times in epoch ms, `progress` in percent."""

    id: str
    tenant: str
    request: str
    object: str
    vendor: str
    model: str
    state: str
    upstream: str | None
    progress: int
    tries: int
    code: str | None
    made: str | None
    created_at: int
    ended_at: int | None

    @property
    def ended(self) -> bool:
        """Whether nothing happens to it any more."""
        return self.state not in UNENDED


def add(connection: Connection, job: Job) -> None:
    """A new job."""
    connection.execute(insert(jobs), {name: getattr(job, name) for name in Job.__slots__})


def change(connection: Connection, job: str, **values: Any) -> bool:
    """New values of a job that has not ended; False when it has, or is gone."""
    unended = (jobs.c.id == job) & jobs.c.state.in_(UNENDED)
    return connection.execute(update(jobs).where(unended).values(**values)).rowcount == 1


def find(connection: Connection, tenant: str, job: str) -> Job | None:
    """One job of one tenant."""
    return _one(connection, (jobs.c.tenant == tenant) & (jobs.c.id == job))


def by_objects(connection: Connection, tenant: str, objects: Sequence[str]) -> dict[str, Job]:
    """Jobs by the id of their order."""
    rows = connection.execute(select(jobs).where(jobs.c.tenant == tenant, jobs.c.object.in_(objects))).mappings()
    return {row["object"]: Job(**row) for row in rows}


def unended(connection: Connection) -> list[Job]:
    """What waits or runs, oldest first."""
    query = select(jobs).where(jobs.c.state.in_(UNENDED)).order_by(jobs.c.created_at, jobs.c.id)
    return [Job(**row) for row in connection.execute(query).mappings()]


def ended(connection: Connection, after: str, limit: int) -> list[Job]:
    """Ended jobs in the order of their ids, beyond `after`."""
    query = select(jobs).where(jobs.c.state.not_in(UNENDED), jobs.c.id > after).order_by(jobs.c.id).limit(limit)
    return [Job(**row) for row in connection.execute(query).mappings()]


def count_unended(connection: Connection, tenant: str) -> int:
    """How many of a tenant wait or run. Whoever counts for the same tenant waits until this transaction ends."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer
        key = func.hashtextextended(f"troth/video-jobs/{tenant}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))
    query = select(func.count()).select_from(jobs).where(jobs.c.tenant == tenant, jobs.c.state.in_(UNENDED))
    return int(connection.execute(query).scalar_one())


def remove(connection: Connection, job: str) -> None:
    """Forget a job."""
    connection.execute(delete(jobs).where(jobs.c.id == job))


def _one(connection: Connection, which: Any) -> Job | None:
    row = connection.execute(select(jobs).where(which)).mappings().first()
    return None if row is None else Job(**row)
