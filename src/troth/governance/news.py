"""News of the installation for tenants that asked for it: who will process their data, and what the paper says now.

Each is put once for each webhook that takes its kind. What is told stands on public pages already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from troth.governance.deliveries import Deliveries, Letter, as_body, delivery_id
from troth.governance.looking import DAY_MS
from troth.governance.webhooks import CHANNEL
from troth.kernel.clock import epoch_ms
from troth.kernel.scope import as_system

_YOUNG_MS: Final = 30 * DAY_MS  # older news is told to nobody; deliveries are kept for longer, so none is put twice


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was published at `at` (epoch ms). `id`: the same whenever it is asked. `told`: JSON, with a title
    and the url of its page."""

    kind: str
    id: str
    at: int
    told: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class News:
    """Puts what is new for every tenant. `hooks`: the webhooks of a tenant that take a kind."""

    waiting: Deliveries
    tenants: Callable[[], Sequence[str]]
    hooks: Callable[[Connection, str, str], Sequence[str]]
    published: Callable[[], Iterable[Item]]

    @as_system
    def run(self) -> int:
        """One round; how many messages were put. For a job of any number of servers."""
        now = epoch_ms(self.waiting.clock.now())
        young = [one for one in self.published() if now - _YOUNG_MS < one.at <= now]
        return sum(self._told(tenant, young, now) for tenant in self.tenants()) if young else 0

    def _told(self, tenant: str, several: Sequence[Item], now: int) -> int:
        kinds = {one.kind for one in several}
        with self.waiting.database.read() as connection:
            hooks = {kind: self.hooks(connection, tenant, kind) for kind in kinds}
        if not any(hooks.values()):
            return 0
        with self.waiting.database.write() as connection:
            return sum(
                self.waiting.put(connection, _letter(tenant, hook, one, now))
                for one in several
                for hook in hooks[one.kind]
            )


def _letter(tenant: str, hook: str, one: Item, now: int) -> Letter:
    body = as_body(one.kind, one.at, one.told)
    return Letter(delivery_id(f"{one.kind}/{one.id}", CHANNEL, hook), tenant, CHANNEL, hook, one.kind, body, now)
