"""Feeds of the calendar for programs that cannot sign in: one unguessable address for each person, kept as a digest.

What a feed shows is what its person may read at that moment. Who lost the roles or the account has none any more: the
address is dropped when it is read, and roles that come back do not bring it back.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, insert, select

from troth.governance.calendar import Calendar
from troth.governance.calendar_tables import feeds
from troth.governance.ics import feed
from troth.governance.moves import By, governing
from troth.kernel.errors import Denied, NotFound
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM, Scope, within
from troth.storage.database import Database

READERS: Final = frozenset({"owner", "admin", "privacy-officer", "security-analyst"})
_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Feeds:
    """Gives out, opens and ends feeds. `roles_of`: what a person of a tenant holds now, as requests are judged; none
    for who is shut out."""

    database: Database
    calendar: Calendar
    roles_of: Callable[[str, str], frozenset[str]]
    base_url: str  # https address of this server

    def make(self, by: By) -> str:
        """A fresh address in place of the one before. Raises Denied(wrong-role) for who holds no role of their own."""
        if not self._roles(by.tenant, by.actor):
            raise Denied(f"A feed is for: {', '.join(sorted(READERS))}.", code="wrong-role")
        token = base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).decode().rstrip("=")
        row = {"person": by.actor, "tenant": by.tenant, "digest": _digest(token), "made_at": self.calendar.now()}
        with self.database.write() as connection:
            connection.execute(delete(feeds).where(feeds.c.person == by.actor, feeds.c.tenant == by.tenant))
            connection.execute(insert(feeds), row)
        return f"{self.base_url}/v1/calendar-feeds/{token}"

    def drop(self, by: By) -> None:
        """End the address now. Raises NotFound(no-feed)."""
        mine = delete(feeds).where(feeds.c.person == by.actor, feeds.c.tenant == by.tenant)
        with self.database.write() as connection:
            if not connection.execute(mine).rowcount:
                raise NotFound("You have no feed of the calendar.", code="no-feed")

    def has(self, person: str) -> bool:
        """Whether somebody has a feed."""
        with self.database.read() as connection:
            return connection.scalar(select(feeds.c.person).where(feeds.c.person == person)) is not None

    def read(self, token: str) -> tuple[str, bytes]:
        """The tenant and the calendar file of an address. Raises NotFound(no-feed), the same for every reason."""
        mine = select(feeds.c.person, feeds.c.tenant).where(feeds.c.digest == _digest(token))
        with within(SYSTEM):  # a stranger with an address reaches the tenant that its row names
            with self.database.read() as connection:
                row = connection.execute(mine).first()
            roles = self._roles(row.tenant, row.person) if row is not None else frozenset()
            if row is not None and not roles:
                with self.database.write() as connection:
                    connection.execute(delete(feeds).where(feeds.c.digest == _digest(token)))
        if row is None or not roles:
            raise NotFound("There is no such feed; make a new one on the page of the calendar.", code="no-feed")
        now = self.calendar.now()
        with within(Scope(row.tenant)):
            found = self.calendar.dues(By(row.tenant, row.person, row.person, roles, new_id("req")), now)
        return row.tenant, feed(found.dues, now, f"{self.base_url}/calendar", found.unjudged)

    def _roles(self, tenant: str, person: str) -> frozenset[str]:
        """By which somebody reads the calendar; none for who may not at all."""
        found = governing(self.roles_of(tenant, person))
        return found if found & READERS else frozenset()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
