"""Counters of what is used: content opened, vendors asked. The reconciliation compares them with what the log says.

What a recorded call uses is counted in the transaction of its closing entry (`kernel.uses`), so the two are equal at
every moment. What nobody's call asked for is counted at once, and no entry speaks of it: that is what is looked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, Connection, String, Table, bindparam, func, insert, select, update

from troth.kernel.ids import new_id
from troth.kernel.scope import as_system
from troth.kernel.uses import tallied
from troth.storage.database import Big, Database, metadata
from troth.storage.prepared import PreparedChange

counters = Table(
    "use_counter",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(64), primary_key=True),  # a process: several never wait for one row
    Column("total", Big, nullable=False),
)
_ADD = PreparedChange(
    update(counters)
    .where((counters.c.name == bindparam("what")) & (counters.c.holder == bindparam("whose")))
    .values(total=counters.c.total + bindparam("more"))
)


class Meters:
    """This process's counters."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holder = new_id("mtr")

    def count(self, name: str) -> None:
        """One more. Durable on return, unless the running call will record it. Raises `Unavailable`."""
        if not tallied(name):
            self._count_alone(name)

    def change(self, uses: Mapping[str, int]) -> Callable[[Any], None]:
        """The change that counts what a call used, for the transaction of its closing entry."""
        return lambda connection: self._add(connection, uses)

    @as_system
    def _count_alone(self, name: str) -> None:
        self._database.apply(lambda connection: self._add(connection, {name: 1}))

    def _add(self, connection: Connection, uses: Mapping[str, int]) -> None:
        for name, more in uses.items():
            if not _ADD.run(connection, [{"what": name, "whose": self._holder, "more": more}]):
                connection.execute(insert(counters), {"name": name, "holder": self._holder, "total": more})


def totals(connection: Connection) -> dict[str, int]:
    """What each counter stands at, of all processes together."""
    query = select(counters.c.name, func.sum(counters.c.total)).group_by(counters.c.name)
    return {str(name): int(total) for name, total in connection.execute(query)}
