"""A tenant as it stands here, opened: what both sides of a move count and digest, each under its own keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from troth.kernel.errors import Conflict, IntegrityError, NotFound
from troth.kernel.personal import PersonalFields
from troth.kernel.uses import SERVICE
from troth.vault import ledger
from troth.vault.facts import open_facts
from troth.vault.ground import Ground
from troth.vault.moving import carried
from troth.vault.moving.transport import canonical, digest
from troth.vault.object_info import facts_of
from troth.vault.tables import ERASED, LIVE, Row, objects, rows_of

HEAD = ("id", "subject", "data_class", "period", "shared", "purpose", "consent", "created_at", "expires_at", "version")


@dataclass(frozen=True, slots=True)
class Counted:
    """Objects and rows of a tenant. `objects_digest` is over ids, times, names and contents; all digests are hex."""

    objects: int
    bytes: int
    objects_digest: str
    rows: dict[str, int]
    rows_digest: str


class Snapshot:
    """Reads one tenant."""

    def __init__(self, ground: Ground, fields: PersonalFields, tenant: str) -> None:
        self._ground = ground
        self._fields = fields
        self.tenant = tenant

    def require_movable(self) -> None:
        """Raises `Conflict` while something of the tenant is neither live nor gone, or would be left behind."""
        with self._ground.database.read() as connection:
            carried.require_movable(connection, self.tenant)
            mine = select(objects.c.id).where(objects.c.tenant == self.tenant)
            closed = mine.where(objects.c.state.not_in((LIVE, ERASED))).limit(1)
            if ledger.open_of(connection, self.tenant) or connection.execute(closed).first() is not None:
                raise Conflict(
                    "Something of the tenant is closed or about to be erased; let that end before it moves.",
                    code="move-open-duties",
                )

    def rows(self) -> carried.Rows:
        """Every row that travels, opened."""
        with self._ground.database.read() as connection:
            found = carried.fetched(connection, self.tenant)
        return carried.opened(self._fields, self.tenant, found)

    def objects(self) -> Iterator[Row]:
        """Live objects by id."""
        mine = select(objects).where(objects.c.tenant == self.tenant, objects.c.state == LIVE)
        current = or_(objects.c.expires_at.is_(None), objects.c.expires_at > self._ground.now())
        with self._ground.database.read() as connection:
            found = rows_of(connection, mine.where(current).order_by(objects.c.id))
        yield from found

    def opened(self, row: Row) -> tuple[dict[str, Any], bytes]:
        """What an object is, and its content. Raises `IntegrityError` when it does not open."""
        unit = self._ground.tree.key(bytes.fromhex(row.unit))
        facts = facts_of(row)
        try:
            content = self._ground.opened(self._ground.blobs.get(row.blob or ""), facts, unit, SERVICE)
        except NotFound as error:
            raise IntegrityError("The bytes of a kept object are missing.", code="blob-missing") from error
        secret = open_facts(row.facts or b"", facts, unit)
        head = {name: getattr(row, name) for name in HEAD}
        return {**head, "kind": secret.kind, "media_type": secret.media_type, "name": secret.name}, content

    def counted(self) -> Counted:
        """Everything opened once: it takes as long as reading all of the tenant."""
        total = Total()
        for row in self.objects():
            total.add(*self.opened(row))
        rows = self.rows()
        counts = {name: len(found) for name, found in rows.items()}
        return Counted(total.objects, total.bytes, total.digest(), counts, digest(canonical(rows)))


class Total:
    """Adds up objects in the order of their ids."""

    def __init__(self) -> None:
        self.objects = self.bytes = 0
        self._digest = hashlib.sha256()

    def add(self, head: dict[str, Any], content: bytes) -> None:
        """One more object."""
        self.objects += 1
        self.bytes += len(content)
        self._digest.update(canonical([head, digest(content)]) + b"\n")

    def digest(self) -> str:
        """Of all so far, hex."""
        return self._digest.hexdigest()
