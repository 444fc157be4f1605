"""What running requests may still cost, by budget. In the memory of one process.

A promise is made in one step: whether there is room, and that it is taken. `gateway.limits.promises` does the same for
several instances.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Promise:
    """What came of a wish for room. `refused`: the budget that has none left; then nothing was promised.

    `others`: what was promised before, by budget. `sure`: no promise of these budgets ended since the mark, so that
    what was read of them then is still all. `take_back` ends it; a second call does nothing.
    """

    refused: str | None = None
    others: Mapping[str, int] = field(default_factory=dict)
    sure: bool = False
    take_back: Callable[[], None] = lambda: None


class Promises(Protocol):
    """Amounts in millionths, each with an end (epoch ms): what nobody takes back counts no longer then."""

    def mark(self) -> int:
        """Take it before you read what was spent."""
        ...

    def amount(self, budget: str, now: int) -> int:
        """What is promised of a budget, as far as it is known without asking anybody."""
        ...

    def promise(self, tenant: str, rooms: Mapping[str, int], amount: int, times: tuple[int, int], mark: int) -> Promise:
        """Hold an amount against each of some budgets, or none, when one's promises fill its room (what is not spent).

        `times`: now, and its end. Raises `Unavailable` (limits-away) where others keep it and cannot be reached.
        """
        ...


KEPT = 4096  # budgets of which it is known when a promise ended; of others it is never sure too early


class Running:
    """Implements `Promises`."""

    def __init__(self) -> None:
        self._held: dict[str, dict[int, tuple[int, int]]] = {}  # budget -> promise -> (amount, until)
        self._ended: dict[str, int] = {}  # budget -> the mark at which one of its promises ended last, oldest first
        self._forgotten = 0  # the newest such mark that is not kept any more
        self._marks, self._names = 0, count(1)
        self._lock = threading.Lock()

    def mark(self) -> int:
        """See `Promises.mark`."""
        return self._marks

    def amount(self, budget: str, now: int) -> int:
        """See `Promises.amount`."""
        with self._lock:
            return self._amount(budget, now)

    def promise(
        self,
        tenant: str,  # noqa: ARG002 - the other implementation needs it
        rooms: Mapping[str, int],
        amount: int,
        times: tuple[int, int],
        mark: int,
    ) -> Promise:
        """See `Promises.promise`."""
        now, until = times
        with self._lock:
            others = {budget: self._amount(budget, now) for budget in rooms}
            for budget, room in rooms.items():
                if others[budget] >= room:
                    return Promise(refused=budget)
            name = next(self._names)
            for budget in rooms:
                self._held.setdefault(budget, {})[name] = (amount, until)
            sure = all(self._ended.get(budget, self._forgotten) <= mark for budget in rooms)
            return Promise(None, others, sure, partial(self._take_back, name, tuple(rooms)))

    def _take_back(self, name: int, budgets: tuple[str, ...]) -> None:
        with self._lock:
            for budget in budgets:
                self._drop(budget, [name])

    def _amount(self, budget: str, now: int) -> int:
        held = self._held.get(budget, {})
        self._drop(budget, [name for name, (_, until) in held.items() if until <= now])
        return sum(amount for amount, _ in self._held.get(budget, {}).values())

    def _drop(self, budget: str, names: list[int]) -> None:
        held = self._held.get(budget, {})
        if not [name for name in names if held.pop(name, None) is not None]:
            return
        self._marks += 1
        self._ended.pop(budget, None)
        self._ended[budget] = self._marks
        if len(self._ended) > KEPT:  # of budgets that are gone, too
            self._forgotten = self._ended.pop(next(iter(self._ended)))
        if not held:
            self._held.pop(budget, None)
