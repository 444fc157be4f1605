"""What running requests may still cost, by budget, for several instances: in the store that their limits share."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from troth.gateway.limits.running import Promise
from troth.kernel.errors import Unavailable

# A hash for each budget: name of a promise -> 'amount:until'. Amounts are whole numbers that a double holds.
_PROMISE = """
local now, name, value, kept = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
local others = {}
for i, key in ipairs(KEYS) do
  local sum, held = 0, redis.call('HGETALL', key)
  for j = 1, #held, 2 do
    local amount, ends = string.match(held[j+1], '^(%d+):(%d+)$')
    if tonumber(ends) <= now then redis.call('HDEL', key, held[j]) else sum = sum + tonumber(amount) end
  end
  if sum >= tonumber(ARGV[4+i]) then return {'refused', i - 1} end
  others[i] = string.format('%.0f', sum)
end
for _, key in ipairs(KEYS) do
  redis.call('HSET', key, name, value)
  redis.call('PEXPIRE', key, kept)
end
return {'promised', others}
"""
_TAKE_BACK = "for _, key in ipairs(KEYS) do redis.call('HDEL', key, ARGV[1]) end return 1"

_PAUSES = (0.0, 0.2, 1.0)  # seconds before each attempt to take back; then the promise's own end does

Script = Callable[[Sequence[str], Sequence[Any]], Any]


class Store(Protocol):
    """Where scripts run; `valkey.ValkeyBuckets` is one."""

    def script(self, lua: str) -> Script:
        """What runs a script on keys, with values; it raises `Unavailable` (limits-away)."""
        ...


class SharedRunning:
    """Implements `running.Promises`. `secret` makes the names of budgets; the store learns no id.

    It is never `sure`: other instances end promises too. What is taken back is so in the background.
    """

    def __init__(self, store: Store, secret: bytes) -> None:
        self._promise, self._back = store.script(_PROMISE), store.script(_TAKE_BACK)
        self._secret = secret
        self._later = ThreadPoolExecutor(1, "promises")

    def mark(self) -> int:
        """See `Promises.mark`."""
        return 0

    def amount(self, budget: str, now: int) -> int:  # noqa: ARG002 - nothing is known without asking
        """See `Promises.amount`."""
        return 0

    def promise(
        self,
        tenant: str,
        rooms: Mapping[str, int],
        amount: int,
        times: tuple[int, int],
        mark: int,  # noqa: ARG002 - it is never sure
    ) -> Promise:
        """See `Promises.promise`."""
        (now, until), name, budgets = times, secrets.token_hex(8), list(rooms)
        tag = self._name("tenant", tenant)[:16]  # one script, one slot of a cluster
        keys = [f"{{{tag}}}{self._name('budget', budget)}" for budget in budgets]
        try:
            said, what = self._promise(keys, [now, name, f"{amount}:{until}", max(1, until - now), *rooms.values()])
        except Unavailable:  # the script may have run, and only its answer was lost
            self._take_back(keys, name)
            raise
        if said == b"refused":
            return Promise(refused=budgets[int(what)])
        others = {budget: int(sum_) for budget, sum_ in zip(budgets, what, strict=True)}
        return Promise(None, others, take_back=partial(self._take_back, keys, name))

    def close(self) -> None:
        """Finish what waits to be taken back."""
        self._later.shutdown()

    def _take_back(self, keys: Sequence[str], name: str) -> None:
        """A round trip, and this may be an event loop's thread."""
        with suppress(RuntimeError):  # it is closed; the promise has an end
            self._later.submit(self._taken_back, keys, name)

    def _taken_back(self, keys: Sequence[str], name: str) -> None:
        for pause in _PAUSES:
            time.sleep(pause)
            with suppress(Unavailable):
                self._back(keys, [name])
                return

    def _name(self, *parts: str) -> str:
        return hmac.digest(self._secret, "\0".join(("promise", *parts)).encode(), "sha256").hex()[:32]
