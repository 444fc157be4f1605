"""What an auditor's room sees of the promises: states of now, the runs of a period, and samples of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from troth.governance.room.evidence import Drawn, PromiseSeen, Proven, RunSeen
from troth.kernel.errors import Conflict, IntegrityError, Unavailable
from troth.kernel.scope import as_system
from troth.promises.check import Check
from troth.promises.history import DAY_MS
from troth.promises.period.sampling import draw
from troth.promises.runner import Runner
from troth.promises.store import AHEAD_MS, Tally, check_run, linked
from troth.promises.told_tallies import ToldTallies
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
        self._tallies: ToldTallies | None = None

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
        """Runs of [start, end), behind a sequence.

        Raises IntegrityError(period-broken) where one of them was edited or is missing.
        """
        opening, closing = self._span(start, end)
        last = closing.counts.get(check, 0) if closing else self._newest(check)
        mine = _of(check, start, end).where(check_run.c.sequence > after, check_run.c.sequence <= last)
        with self._database.read() as connection:
            found = [_seen(row) for row in connection.execute(mine.order_by(check_run.c.sequence).limit(limit))]
        first = min(opening.get(check, 0), found[0].sequence - 1) if found else opening.get(check, 0)
        self._sound(check, max(after, first), found[-1].sequence if len(found) == limit else last)
        return found

    @as_system
    def draw(self, check: str, start: int, end: int, *, nonce: str, size: int) -> Drawn:
        """A sample, places counted in the order of the chain.

        Raises Conflict(period-open) before the log has the tally that closes the period, Invalid(bad-sample), and
        IntegrityError(period-broken) where a run of the period was edited or is missing.
        """
        opening, closing = self._span(start, end)
        if closing is None:
            raise Conflict("The period is not closed in the log yet; draw after its last day.", code="period-open")
        last = closing.counts.get(check, 0)
        mine = _of(check, start, end).where(check_run.c.sequence <= last).order_by(check_run.c.sequence)
        with self._database.read() as connection:
            rows = connection.execute(mine).all()
        first = min(opening.get(check, 0), rows[0].sequence - 1) if rows else opening.get(check, 0)
        self._sound(check, first, last)
        places = draw(bytes.fromhex(closing.root), nonce, check, size, len(rows))
        return Drawn(closing.root, len(rows), tuple(_seen(rows[one]) for one in places))

    def _span(self, start: int, end: int) -> tuple[Mapping[str, int], Tally | None]:
        """How many runs of each check the log counted before a period, and the tally that closes it."""
        runner = self._runner()
        now = runner.now()
        if self._tallies is None:
            self._tallies = ToldTallies(self._database, runner.evidence.log)
        known = [one for one in self._tallies.written(start - 2 * DAY_MS, now) if one.at <= now + AHEAD_MS]
        before = [one.counts for one in known if one.at <= start]
        return (before[-1] if before else {}), next((one for one in known if one.at >= end), None)

    def _newest(self, check: str) -> int:
        told = self._runner().evidence.log.newest().get(check)
        return told.sequence if told else 0

    def _sound(self, check: str, behind: int, last: int) -> None:
        """Raises IntegrityError(period-broken) unless all runs behind one sequence up to another are as written."""
        place, link, run = behind, "", None
        which = (check_run.c.check_id == check, check_run.c.sequence.between(max(behind, 1), last))
        with self._database.read() as connection:
            for run, stated in linked(connection, *which):
                if run.sequence != behind:
                    if run.sequence != place + 1 or run.link != stated or (link and run.previous != link):
                        raise _broken()
                    place = run.sequence
                link = stated
        if place < last or (run is not None and run.sequence == last and not self._runner().evidence.log.holds(run)):
            raise _broken()


def _broken() -> IntegrityError:
    says = "A run of this check is missing or was changed after it was written; run troth audit verify, and restore it."
    return IntegrityError(says, code="period-broken")


def _checks(checks: Sequence[Check], promise: str) -> tuple[str, ...]:
    return tuple(sorted(one.id for one in checks if promise in one.promises))


def _of(check: str, start: int, end: int) -> Any:
    rows = (check_run.c.check_id == check, check_run.c.at >= start, check_run.c.at < end)
    return select(check_run).where(*rows, check_run.c.sequence.is_not(None))


def _seen(row: Any) -> RunSeen:
    return RunSeen(
        row.check_id, int(row.sequence), int(row.at), row.slot, row.result, row.control, int(row.population),
        int(row.tested), int(row.schedule or 0), row.link or "", row.request,
    )  # fmt: skip
