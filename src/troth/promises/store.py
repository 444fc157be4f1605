"""Runs of checks, kept beside the audit entries that prove them."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, String, Table, func, insert, select

from troth.promises.check import Result
from troth.promises.status import Run
from troth.storage.database import Big, metadata

check_run = Table(
    "check_run",
    metadata,
    Column("id", Big, primary_key=True, autoincrement=True),
    Column("check_id", String(64), nullable=False, index=True),
    Column("at", Big, nullable=False),
    Column("result", String(16), nullable=False),
    Column("control", String(16), nullable=False),
    Column("population", Integer, nullable=False),
    Column("tested", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("request", String(64), nullable=False),
)

# What the reconciliation has counted: up to where in each log, and what came out of each time.
reconciled_place = Table(
    "reconciled_place",
    metadata,
    Column("log", String(64), primary_key=True),
    Column("position", Big, nullable=False),
)
reconciliation = Table(
    "reconciliation",
    metadata,
    Column("at", Big, primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("counted", Big, nullable=False),  # what the counter stands at
    Column("recorded", Big, nullable=False),  # what all entries together say, from where counting began
    Column("difference", Big, nullable=False),  # of the two, since the time before
)


def add(connection: Connection, run: Run) -> None:
    """Append one run."""
    connection.execute(
        insert(check_run).values(
            check_id=run.check,
            at=run.at,
            result=run.result.value,
            control=run.control.value,
            population=run.population,
            tested=run.tested,
            digest=run.digest,
            request=run.request,
        )
    )


def latest(connection: Connection) -> dict[str, Run]:
    """The newest run of each check."""
    newest = select(func.max(check_run.c.id)).group_by(check_run.c.check_id)
    rows = connection.execute(select(check_run).where(check_run.c.id.in_(newest)))
    return {
        row.check_id: Run(
            check=row.check_id,
            at=row.at,
            result=Result(row.result),
            control=Result(row.control),
            population=row.population,
            tested=row.tested,
            digest=row.digest,
            request=row.request,
        )
        for row in rows
    }
