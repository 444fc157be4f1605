"""Small changes of many threads in one commit, as in a database's group commit: one fsync instead of one for each.

Whoever gets the writer's lock first commits for all that wait behind it. Each change stands behind a savepoint of its
own, so one that is refused takes nothing with it, and its exception goes to the thread that asked for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock, get_ident
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from troth.kernel.errors import TrothError, Unavailable

Result = TypeVar("Result")
Change = Callable[[Connection], Result]
Transaction = Callable[[], AbstractContextManager[Connection]]

_MAX_GROUP = 128  # changes in one commit; more waits for the next


@dataclass(slots=True, eq=False)
class Applied:
    """A change in line, and what became of it."""

    change: Change[Any]
    result: Any = None
    refusal: Exception | None = None
    done: bool = False


class Writer:
    """One writer at a time. Who writes already is refused, for they would wait for themselves, and all others too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: int | None = None

    def __enter__(self) -> None:
        if self._thread == get_ident():
            raise RuntimeError("a transaction begins inside another one of the same thread")
        self._lock.acquire()
        self._thread = get_ident()

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._thread = None
        self._lock.release()


class GroupCommit:
    """For a database with one writer at a time. `begun` opens a transaction; whoever calls it holds `writer`."""

    def __init__(self, writer: Writer, begun: Transaction) -> None:
        self._writer = writer
        self._begun = begun
        self._line: deque[Applied] = deque()

    def apply(self, changes: Sequence[Change[Any]]) -> list[Applied]:
        """Every change is committed or refused on return."""
        mine = [Applied(change) for change in changes]
        self._line.extend(mine)
        with self._writer:
            while not all(one.done for one in mine):
                self._commit([self._line.popleft() for _ in range(min(len(self._line), _MAX_GROUP))])
        return mine

    def _commit(self, group: list[Applied]) -> None:
        committed = False
        refusal: Exception = Unavailable("The change was interrupted, so nothing was done; try again.")
        try:
            with self._begun() as connection:
                for one in group:
                    _attempt(connection, one, alone=len(group) == 1)
            committed = True
        except (SQLAlchemyError, TrothError) as error:
            refusal = error
        finally:  # also when the leading thread is interrupted: nobody hears of success that was not committed
            for one in group:
                one.refusal = one.refusal if committed else one.refusal or refusal
                one.done = True


class SingleCommits:
    """For a database that groups commits by itself: a transaction for each change."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def apply(self, changes: Sequence[Change[Any]]) -> list[Applied]:
        """Every change is committed or refused on return."""
        return [self._applied(change) for change in changes]

    def _applied(self, change: Change[Any]) -> Applied:
        one = Applied(change)
        try:
            with self._transaction() as connection:
                one.result = change(connection)
        except Exception as error:
            one.refusal = error
        return one


def applied(one: Applied) -> Any:
    """The result of a change. Raises what refused it."""
    if one.refusal is not None:
        raise one.refusal
    return one.result


def _attempt(connection: Connection, one: Applied, *, alone: bool) -> None:
    if not alone:
        connection.exec_driver_sql("SAVEPOINT one")
    try:
        one.result = one.change(connection)
    except Exception as error:
        one.refusal = error
        if alone:
            connection.rollback()
            return
        # Raises when SQLite gave up the whole transaction (disk full): then nothing of the group is committed.
        connection.exec_driver_sql("ROLLBACK TO one")
    if not alone:
        connection.exec_driver_sql("RELEASE one")
