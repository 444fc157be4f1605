"""The last letter to somebody who asked to be forgotten: sealed while their address is known, sent once it is gone.

Each address lies alone under a key of its own, which an erasure of the person does not take and which is destroyed as
soon as the letter went, is not needed, or could not be sent within `KEPT_MS`. No row of it names the person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from troth.kernel.errors import Gone
from troth.kernel.ids import new_id
from troth.keys.tree import KeyTree
from troth.vault.ground import Ground
from troth.vault.rights import store
from troth.vault.rights.clocks import Kind
from troth.vault.rights.people import Directory
from troth.vault.rights.requests import Request
from troth.vault.rights.sealed import SealedTexts
from troth.vault.rights.store import closings

KEPT_MS = 30 * 86_400_000  # a relay that is away, or an officer who sends it by hand, has that long


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """A letter that may go. `address` is personal: never logged."""

    id: str
    request: Request
    address: str
    automatic: bool
    attempts: int


class Closings:
    """The letters of all tenants."""

    def __init__(self, ground: Ground, texts: SealedTexts, directory: Directory) -> None:
        self._ground = ground
        self._texts = texts
        self._directory = directory

    def prepare(self, row: dict[str, Any]) -> None:
        """Seal the addresses of who may be forgotten on this request, once: the account's and, of a mail, the sender's.

        What came by mail must be proven, or at least answerable by a machine. Raises `Unavailable`.
        """
        request = store.of_row(row)
        with self._ground.database.read() as connection:
            automatic = store.answerable(connection, request.id)
            known = connection.execute(select(closings.c.id).where(*_of(request))).first() is not None
        if known or not _wanted(request) or not (automatic or request.proven):
            return
        letters = [(new_id("clo"), address) for address in self._addresses(row)]
        sealed = [(one, self._texts.closing(request.tenant, one, address)) for one, address in letters]
        values = {"tenant": request.tenant, "request": request.id, "automatic": automatic, "attempts": 0}
        values |= {"created_at": self._ground.now(), "ready_at": None, "done_at": None}
        with self._ground.database.write() as connection:
            still = store.of_row(store.found(connection, request.tenant, request.id, lock=True))
            if still.open and connection.execute(select(closings.c.id).where(*_of(request))).first() is None:
                rows = [values | {"id": one, "letter": letter} for one, letter in sealed]
                connection.execute(insert(closings), rows) if rows else None

    def ready(self, connection: Connection, tenant: str, requests: Iterable[str]) -> None:
        """The person of these requests is being forgotten: their letters may go. Idempotent."""
        for request in requests:
            waiting = update(closings).where(closings.c.tenant == tenant, closings.c.request == request)
            unneeded = closings.c.ready_at.is_(None), closings.c.done_at.is_(None)
            connection.execute(waiting.where(*unneeded).values(ready_at=self._ground.now()))

    def drop(self, connection: Connection, request: Request) -> None:
        """The request ended in another way: its letter is not needed."""
        waiting = update(closings).where(*_of(request), closings.c.ready_at.is_(None), closings.c.done_at.is_(None))
        connection.execute(waiting.values(done_at=self._ground.now()))

    def waiting(self, tenant: str | None) -> list[Farewell]:
        """Letters that may go and did not, oldest first; of one tenant, or of all."""
        query = select(closings).where(closings.c.ready_at.is_not(None), closings.c.done_at.is_(None))
        query = query if tenant is None else query.where(closings.c.tenant == tenant)
        found = []
        with self._ground.database.read() as connection:
            rows = connection.execute(query.order_by(closings.c.ready_at, closings.c.id)).mappings().all()
            asked = [store.of_row(store.found(connection, row["tenant"], row["request"])) for row in rows]
        for row, request in zip(rows, asked, strict=True):
            try:
                address = self._texts.closing_address(dict(row))
            except Gone:  # the time to send it is over
                continue
            plain = {name: row[name] for name in ("id", "automatic", "attempts")}
            found.append(Farewell(request=request, address=address, **plain))
        return found

    def tried(self, letter: str) -> None:
        """The relay did not take it."""
        with self._ground.database.write() as connection:
            once = update(closings).where(closings.c.id == letter)
            connection.execute(once.values(attempts=closings.c.attempts + 1))

    def sent(self, tenant: str, request: str, letter: str | None = None) -> bool:
        """It is out: one letter, or all of a request that were sent by hand. False when there is none. Idempotent."""
        mine = closings.c.tenant == tenant, closings.c.request == request, closings.c.ready_at.is_not(None)
        which = (*mine, closings.c.id == letter) if letter else mine
        with self._ground.database.write() as connection:
            found = connection.execute(select(closings.c.id).where(*which)).first() is not None
            out = update(closings).where(*which, closings.c.done_at.is_(None))
            connection.execute(out.values(done_at=self._ground.now()))
        return found

    def tidy(self, tree: KeyTree) -> int:
        """Destroy the keys of letters that went, are not needed or waited too long; how many."""
        over = or_(closings.c.done_at.is_not(None), closings.c.ready_at <= self._ground.now() - KEPT_MS)
        with self._ground.database.read() as connection:
            rows = connection.execute(select(closings.c.id, closings.c.tenant).where(over)).all()
        for row in rows:
            tree.destroy_subject(row.tenant, row.id)  # idempotent, and before the row that asks for it goes
            with self._ground.database.write() as connection:
                connection.execute(delete(closings).where(closings.c.id == row.id))
        return len(rows)

    @staticmethod
    def close(connection: Connection, tenant: str) -> list[str]:
        """Drop the letters of a tenant that leaves; their keys go with those of the tenant."""
        found = sorted(connection.execute(select(closings.c.id).where(closings.c.tenant == tenant)).scalars())
        connection.execute(delete(closings).where(closings.c.tenant == tenant))
        return found

    def _addresses(self, row: dict[str, Any]) -> list[str]:
        both = self._texts.written(row).address, self._directory.address(row["tenant"], row["subject"])
        return list({one.casefold(): one for one in both if one}.values())


def _wanted(request: Request) -> bool:
    """What ends with the person being told that they are forgotten."""
    about = request.kind is Kind.ERASURE or (request.channel == "mail" and request.proven)
    return request.open and request.subject is not None and about


def _of(request: Request) -> tuple[Any, Any]:
    return closings.c.tenant == request.tenant, closings.c.request == request.id
