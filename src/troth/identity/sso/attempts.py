"""Attempts to sign in through a provider: each is bound to the browser that began it, used once, and short.

The state that travels is 256 random bits, kept as a hash. The browser keeps another secret in a cookie: a state that a
stranger planted finds no such cookie (login CSRF, RFC 9700 section 4.7).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.sso.connections import SEALED_FOR, SsoConnection
from troth.identity.sso.store import attempts, seen
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Unauthenticated
from troth.kernel.personal import PersonalFields
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation

LIFE_MS = 10 * 60 * 1000
_FACTS = "sso-attempt"  # label of the sealed field


@dataclass(frozen=True, slots=True)
class Begun:
    """A fresh attempt: `state` travels through the provider, `browser` stays in the browser's cookie."""

    state: str
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that came back to its browser, used up: its connection's id and what was kept with it."""

    connection: str
    facts: Mapping[str, str] = field(repr=False)


class Attempts:
    """All attempts of everybody, and the ids of messages that may come only once."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock) -> None:
        self._database = database
        self._fields = fields
        self._clock = clock

    @as_system  # nobody is known yet
    def begin(self, connection: SsoConnection, facts: Mapping[str, str], browser: str | None = None) -> Begun:
        """A fresh attempt; `facts` (nonce, verifier, request id) are sealed. `browser`: the cookie there is already."""
        begun = Begun(secrets.token_urlsafe(32), browser or secrets.token_urlsafe(32))
        now = self._now()
        sealed = self._fields.seal(connection.tenant, SEALED_FOR, _FACTS, json.dumps(dict(facts)).encode())
        row = {
            "digest": _digest(begun.state),
            "tenant": connection.tenant,
            "connection": connection.id,
            "browser": _digest(begun.browser),
            "facts": sealed,
            "expires_at": now + LIFE_MS,
        }
        with self._database.write() as sql:
            sql.execute(delete(attempts).where(attempts.c.expires_at <= now))
            sql.execute(insert(attempts), row)
        return begun

    @as_system
    def finish(self, state: str, browser: str | None) -> Finished:
        """Use an attempt up. Raises `Unauthenticated` (`sso-state`) when it is unknown, over, or another browser's.

        An attempt that comes back from another browser is used up too: its state is known to somebody else.
        """
        with self._database.write() as sql:
            row = sql.execute(select(attempts).where(attempts.c.digest == _digest(state))).first()
            used = sql.execute(delete(attempts).where(attempts.c.digest == _digest(state))).rowcount
        mine = row is not None and used == 1 and hmac.compare_digest(row.browser, _digest(browser or ""))
        if row is None or not mine or self._now() >= row.expires_at:
            raise Unauthenticated(
                "This sign-in was not begun in this browser, is over or was used; begin again.", code="sso-state"
            )
        facts = self._fields.open(row.tenant, SEALED_FOR, _FACTS, row.facts)
        return Finished(row.connection, json.loads(facts))

    @as_system
    def once(self, connection: SsoConnection, kind: str, identifier: str, until: int) -> None:
        """A message that may come once. Raises `Unauthenticated` (`sso-replayed`). `until`: epoch ms of its expiry."""
        digest = hashlib.sha256("\0".join((connection.id, kind, identifier)).encode()).digest()
        try:
            with self._database.write() as sql:
                sql.execute(delete(seen).where(seen.c.expires_at <= self._now()))
                sql.execute(insert(seen), {"digest": digest, "expires_at": until})
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise Unauthenticated("This message came before; begin again.", code="sso-replayed") from error

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


def _digest(text: str) -> bytes:
    return hashlib.sha256(b"troth sso\0" + text.encode()).digest()
