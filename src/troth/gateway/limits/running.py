"""What running requests may still cost, by budget. In the memory of one process."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence


class Running:
    """Amounts in millionths, each with an end: what nobody ends counts no longer then."""

    def __init__(self) -> None:
        self._amounts: dict[str, dict[str, tuple[int, int]]] = {}  # budget -> request -> (amount, until, epoch ms)
        self._budgets: dict[str, tuple[str, ...]] = {}  # request -> its budgets
        self._lock = threading.Lock()

    def begin(self, request: str, budgets: Iterable[str], amount: int, until: int) -> None:
        """A request counts against these budgets until it ends, or until that time (epoch ms).

        What begins under a name that runs already, as the parts of one request do, counts beside what runs.
        """
        with self._lock:
            wanted = tuple(budgets)
            for one in wanted:
                running = self._amounts.setdefault(one, {})
                before, end = running.get(request, (0, 0))
                running[request] = (before + amount, max(end, until))
            self._budgets[request] = tuple({*self._budgets.get(request, ()), *wanted})

    def take_back(self, request: str, budgets: Sequence[str], amount: int) -> None:
        """What one `begin` added counts no longer; the rest of the request does."""
        with self._lock:
            for one in budgets:
                held, until = self._amounts.get(one, {}).get(request, (0, 0))
                if held > amount:
                    self._amounts[one][request] = (held - amount, until)
                else:
                    self._drop(request, one)
            left = tuple(one for one in self._budgets.pop(request, ()) if request in self._amounts.get(one, {}))
            if left:
                self._budgets[request] = left

    def end(self, request: str) -> None:
        """It does no longer. Idempotent."""
        with self._lock:
            for one in self._budgets.pop(request, ()):
                self._drop(request, one)

    def amount(self, budget: str, now: int) -> int:
        """What its running requests may still cost; those whose time is over are forgotten."""
        with self._lock:
            running = self._amounts.get(budget, {})
            over = [request for request, (_, until) in running.items() if until <= now]
        for request in over:
            self.end(request)
        with self._lock:
            return sum(amount for amount, _ in self._amounts.get(budget, {}).values())

    def _drop(self, request: str, budget: str) -> None:
        running = self._amounts.get(budget, {})
        running.pop(request, None)
        if not running:
            self._amounts.pop(budget, None)
