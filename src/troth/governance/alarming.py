"""The second channel of alarms: the webhooks of the tenant, with tries, signature and id as every message has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from troth.governance.calendar_tables import deliveries
from troth.governance.deliveries import DONE, Deliveries, Letter, as_body, delivery_id
from troth.governance.looking import DAY_MS
from troth.governance.webhooks import ALARM, CHANNEL, COUNTED_MS, TEST
from troth.kernel.clock import epoch_ms
from troth.kernel.scope import as_system
from troth.mail.alarms import Alarm

LIMIT_MS: Final = 15 * 60_000  # within which an alarm reaches somebody by one channel or the other


@dataclass(frozen=True, slots=True)
class SecondChannel:
    """Puts alarms for the webhooks of a tenant. `hooks`: those that take a kind."""

    waiting: Deliveries
    hooks: Callable[[Connection, str, str], Sequence[str]]

    @as_system
    def tell(self, alarm: Alarm) -> int:
        """Put an alarm, once however often it is asked; for how many webhooks. The text names nobody."""
        return self._put(alarm.tenant, alarm.id, ALARM, {"title": alarm.title, "text": alarm.text})

    @as_system
    def test(self, tenant: str) -> int:
        """Put the test of today; for how many webhooks."""
        return self._put(tenant, f"test-{self._now() // DAY_MS}", TEST, {})

    @as_system
    def arrived(self, tenant: str) -> list[bool]:
        """Of each alarm and test of the last week that is older than its limit: whether it was taken within it."""
        now = self._now()
        mine = select(deliveries.c.put_at, deliveries.c.done_at, deliveries.c.state).where(
            deliveries.c.tenant == tenant, deliveries.c.kind.in_((ALARM, TEST)),
            deliveries.c.put_at > now - COUNTED_MS, deliveries.c.put_at < now - LIMIT_MS,
        )  # fmt: skip
        with self.waiting.database.read() as connection:
            rows = connection.execute(mine).all()
        return [one.state == DONE and one.done_at - one.put_at <= LIMIT_MS for one in rows]

    def _put(self, tenant: str, cause: str, kind: str, told: dict[str, str]) -> int:
        now = self._now()
        body = as_body(kind, now, told)
        with self.waiting.database.write() as connection:
            several = self.hooks(connection, tenant, ALARM)
            for one in several:
                name = delivery_id(f"{tenant}/{cause}", CHANNEL, one)
                self.waiting.put(connection, Letter(name, tenant, CHANNEL, one, kind, body, now, instead_of="mail"))
        return len(several)

    def _now(self) -> int:
        return epoch_ms(self.waiting.clock.now())
