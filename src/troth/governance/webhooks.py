"""Where a tenant is told of what is due: addresses with a secret of their own, sealed; signed by Standard Webhooks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from sqlalchemy import Connection, and_, delete, func, insert, not_, select, update

from troth.governance.calendar_tables import deliveries, webhooks
from troth.governance.deliveries import DEAD, FAILING, WAITING, Deliveries, Letter, as_body
from troth.governance.looking import DAY_MS
from troth.governance.webhook_sending import Outside
from troth.governance.webhook_signing import fresh_secret, signed
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound, TrothError
from troth.kernel.ids import new_id
from troth.storage.database import Database
from troth.vault.fences import fence_tenant

MOST: Final = 10  # of one tenant
CHANNEL: Final = "webhook"
REMINDER, ALARM, TEST = "calendar.reminder", "alarm", "alarm.test"
COUNTED_MS: Final = 7 * DAY_MS  # for so long alarms and their tests count, and outlive their webhook
SUB_PROCESSOR, PAPER = "sub-processor.announced", "paper.published"
EVENTS: Final = (REMINDER, ALARM, SUB_PROCESSOR, PAPER)  # what a webhook may ask to be told
_OF_BEFORE: Final = (REMINDER, ALARM)  # of webhooks that were added before there was a choice
_BOTH_MS: Final = DAY_MS  # after a rotation the secret before signs too, so that receivers can change over
_LABEL: Final = "webhook/"


class Sealed(Protocol):
    """Seals small secrets under a key of the deployment."""

    def seal(self, label: str, plaintext: bytes) -> bytes:
        """Sealed."""
        ...

    def open(self, label: str, sealed: bytes) -> bytes:
        """The plaintext. Raises `IntegrityError`."""
        ...


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address as it is shown: the secret never is. Times in epoch ms; `failing`: letters that wait or were given
    up, `trouble` why the newest failed."""

    id: str
    url: str
    made_at: int
    delivered_at: int | None
    failing: int
    dead: int
    trouble: str | None
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    url: str
    secrets: tuple[str, ...]  # the newest first
    rotated_at: int
    events: tuple[str, ...]

    def signing(self, now: int) -> tuple[str, ...]:
        return self.secrets if now - self.rotated_at < _BOTH_MS else self.secrets[:1]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Webhooks of tenants over a database. Implements `deliveries.Sender`."""

    database: Database
    sealed: Sealed
    outside: Outside
    clock: Clock

    def add(self, tenant: str, url: str, events: Sequence[str] = EVENTS) -> tuple[str, str]:
        """(id, secret); the secret is told this once. `events`: what it is told of.

        Raises Invalid(webhook-address-refused), Conflict(too-many-webhooks).
        """
        self.outside.require(url)
        webhook, secret, now = new_id("whk"), fresh_secret(), self._now()
        kept = self._row(webhook, _Kept(url, (secret,), 0, tuple(events)))
        with self.database.write() as connection:
            fence_tenant(connection, tenant)
            mine = select(func.count()).select_from(webhooks).where(webhooks.c.tenant == tenant)
            if int(connection.scalar(mine) or 0) >= MOST:
                raise Conflict(f"A tenant has at most {MOST} webhooks; remove one first.", code="too-many-webhooks")
            connection.execute(insert(webhooks), {"id": webhook, "tenant": tenant, "sealed": kept, "made_at": now})
        return webhook, secret

    def list(self, tenant: str) -> list[Webhook]:
        """The webhooks of a tenant and how they fare, the oldest first."""
        mine = select(webhooks).where(webhooks.c.tenant == tenant).order_by(webhooks.c.made_at, webhooks.c.id)
        with self.database.read() as connection:
            rows = [dict(row) for row in connection.execute(mine).mappings()]
            fares = {row["id"]: _fares(connection, tenant, row["id"]) for row in rows}
        kept = {row["id"]: self._kept(row) for row in rows}
        return [
            Webhook(
                row["id"], kept[row["id"]].url, row["made_at"], row["delivered_at"], *fares[row["id"]],
                kept[row["id"]].events,
            )
            for row in rows
        ]  # fmt: skip

    def rotate(self, tenant: str, webhook: str) -> str:
        """A fresh secret; for a day the one before signs too. Raises NotFound(webhook-not-found)."""
        secret = fresh_secret()
        with self.database.write() as connection:
            kept = self._kept(_one(connection, tenant, webhook))
            sealed = self._row(webhook, replace(kept, secrets=(secret, kept.secrets[0]), rotated_at=self._now()))
            connection.execute(update(webhooks).where(*_is(tenant, webhook)).values(sealed=sealed))
        return secret

    def remove(self, tenant: str, webhook: str) -> None:
        """Take it away, with what waits for it. Alarms of the last days stay on record, as given up or as they came.

        Raises NotFound(webhook-not-found).
        """
        with self.database.write() as connection:
            if not connection.execute(delete(webhooks).where(*_is(tenant, webhook))).rowcount:
                raise _unknown()
            mine = and_(deliveries.c.tenant == tenant, deliveries.c.target == webhook)
            counted = and_(deliveries.c.kind.in_((ALARM, TEST)), deliveries.c.put_at > self._now() - COUNTED_MS)
            connection.execute(delete(deliveries).where(mine, not_(counted)))
            lost = update(deliveries).where(mine, deliveries.c.state == WAITING)
            connection.execute(lost.values(state=DEAD, trouble="webhook-removed"))

    def test(self, tenant: str, webhook: str, waiting: Deliveries) -> str | None:
        """Send a message now; None, or why it was not taken. What was given up for it is tried again once it was.

        Raises NotFound(webhook-not-found).
        """
        with self.database.read() as connection:
            _one(connection, tenant, webhook)
        now = self._now()
        body = as_body("webhook.test", now, {"webhook": webhook})
        try:
            self.send(Letter(new_id("dlv"), tenant, CHANNEL, webhook, "webhook.test", body, now))
        except TrothError as error:
            return error.code
        with self.database.write() as connection:
            waiting.revive(connection, tenant, webhook)
        return None

    def send(self, letter: Letter) -> None:
        """Post a letter, signed. Raises `Gone` for a webhook that was removed, and as `Outside.post`."""
        with self.database.read() as connection:
            row = connection.execute(select(webhooks).where(*_is(letter.tenant, letter.target))).mappings().first()
        if row is None:
            raise Gone("This webhook was removed.", code="webhook-removed")
        kept, now, body = self._kept(dict(row)), self._now(), letter.body.encode()
        self.outside.post(kept.url, body, signed(kept.signing(now), letter.id, now, body))
        mine = update(webhooks).where(*_is(letter.tenant, letter.target))
        with self.database.write() as connection:
            connection.execute(mine.values(delivered_at=now))

    def of(self, connection: Connection, tenant: str, kind: str = REMINDER) -> Sequence[str]:
        """The ids of a tenant's webhooks that are told of a kind."""
        mine = select(webhooks).where(webhooks.c.tenant == tenant).order_by(webhooks.c.made_at, webhooks.c.id)
        rows = [dict(row) for row in connection.execute(mine).mappings()]
        return [str(row["id"]) for row in rows if self._takes(row, kind)]

    def _takes(self, row: dict[str, Any], kind: str) -> bool:
        try:
            return kind in self._kept(row).events
        except IntegrityError:  # what is sent there fails, and stands red
            return True

    def _kept(self, row: dict[str, Any]) -> _Kept:
        told = json.loads(self.sealed.open(_LABEL + row["id"], bytes(row["sealed"])))
        events = tuple(told.get("events", _OF_BEFORE))
        return _Kept(told["url"], tuple(told["secrets"]), int(told["rotated_at"]), events)

    def _row(self, webhook: str, kept: _Kept) -> bytes:
        told = {"url": kept.url, "secrets": list(kept.secrets), "rotated_at": kept.rotated_at, "events": kept.events}
        return self.sealed.seal(_LABEL + webhook, json.dumps(told).encode())

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def _fares(connection: Connection, tenant: str, webhook: str) -> tuple[int, int, str | None]:
    mine = deliveries.c.tenant == tenant, deliveries.c.target == webhook, deliveries.c.trouble.is_not(None)
    many = select(func.count()).select_from(deliveries).where(*mine)
    failing = connection.scalar(many.where(deliveries.c.state == WAITING, deliveries.c.tries >= FAILING))
    dead = connection.scalar(many.where(deliveries.c.state == DEAD))
    newest = select(deliveries.c.trouble).where(*mine).order_by(deliveries.c.next_at.desc()).limit(1)
    return int(failing or 0), int(dead or 0), connection.scalar(newest)


def _is(tenant: str, webhook: str) -> tuple[Any, Any]:
    return webhooks.c.tenant == tenant, webhooks.c.id == webhook


def _one(connection: Connection, tenant: str, webhook: str) -> dict[str, Any]:
    row = connection.execute(select(webhooks).where(*_is(tenant, webhook))).mappings().first()
    if row is None:
        raise _unknown()
    return dict(row)


def _unknown() -> NotFound:
    return NotFound("There is no such webhook; list them to see their ids.", code="webhook-not-found")
