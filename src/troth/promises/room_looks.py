"""What an auditor's room sees of the promises: states of now, the runs of a period, and samples of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from troth.governance.room.evidence import Drawn, PromiseSeen, Proven, RunSeen
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.scope import as_system
from troth.promises.check import Check
from troth.promises.period.sampling import draw
from troth.promises.runner import Runner
from troth.promises.store import check_run, check_tally
from troth.storage.database import Database


def _unproven(_run: RunSeen) -> Proven:
    raise Unavailable("The entry is not in the log yet; try again in a second.", code="no-proof")


class RoomLooks:
    """Implements `governance.room.evidence.Looks` over the rows of runs. `runner` is asked for when it is needed."""

    def __init__(
        self, database: Database, runner: Callable[[], Runner], proven: Callable[[RunSeen], Proven] = _unproven
    ) -> None:
        """`proven` finds the entry of a run in the log, with its proof."""
        self._database = database
        self._runner = runner
        self._proven = proven

    def proof(self, run: RunSeen) -> Proven:
        """The entry that tells of a run. Raises Unavailable(no-proof) while it is not signed yet."""
        return self._proven(run)

    def promises(self, wanted: Collection[str]) -> tuple[PromiseSeen, ...]:
        """These promises, in the order of the catalogue."""
        runner = self._runner()
        return tuple(
            PromiseSeen(one.id, one.statement, standing.state.value, standing.reason, _checks(runner.checks, one.id))
            for one, standing in runner.table()
            if one.id in wanted
        )

    def covers(self, check: str) -> tuple[str, ...]:
        """The promises that a check looks at; none for a check that there is not."""
        return next((one.promises for one in self._runner().checks if one.id == check), ())

    @as_system
    def runs(self, check: str, start: int, end: int, *, after: int, limit: int) -> Sequence[RunSeen]:
        """Runs of [start, end), behind a sequence."""
        mine = _of(check, start, end).where(check_run.c.sequence > after)
        with self._database.read() as connection:
            rows = connection.execute(mine.order_by(check_run.c.sequence).limit(limit)).all()
        return [_seen(row) for row in rows]

    @as_system
    def draw(self, check: str, start: int, end: int, *, nonce: str, size: int) -> Drawn:
        """A sample, places counted in the order of the chain.

        Raises Conflict(period-open) before the log has the tally that closes the period, Invalid(bad-sample).
        """
        with self._database.read() as connection:
            root = self._root(connection, end)
            mine = _of(check, start, end).subquery()
            population = int(connection.execute(select(func.count()).select_from(mine)).scalar() or 0)
            places = draw(bytes.fromhex(root), nonce, check, size, population)
            found = [connection.execute(_place(check, start, end, one)).one() for one in places]
        return Drawn(root, population, tuple(_seen(row) for row in found))

    def _root(self, connection: Any, end: int) -> str:
        """The root of the first tally that counts everything up to the end of the period."""
        last = datetime.fromtimestamp((end - 1) / 1000, UTC).strftime("%Y-%m-%d")
        closing = select(check_tally.c.root).where(check_tally.c.day >= last).order_by(check_tally.c.day).limit(1)
        root = connection.execute(closing).scalar()
        if root is None:
            raise Conflict("The period is not closed in the log yet; draw after its last day.", code="period-open")
        return str(root)


def _checks(checks: Sequence[Check], promise: str) -> tuple[str, ...]:
    return tuple(sorted(one.id for one in checks if promise in one.promises))


def _of(check: str, start: int, end: int) -> Any:
    rows = (check_run.c.check_id == check, check_run.c.at >= start, check_run.c.at < end)
    return select(check_run).where(*rows, check_run.c.sequence.is_not(None))


def _place(check: str, start: int, end: int, place: int) -> Any:
    return _of(check, start, end).order_by(check_run.c.sequence).offset(place).limit(1)


def _seen(row: Any) -> RunSeen:
    return RunSeen(
        row.check_id, int(row.sequence), int(row.at), row.slot, row.result, row.control, int(row.population),
        int(row.tested), int(row.schedule or 0), row.link or "", row.request,
    )  # fmt: skip
