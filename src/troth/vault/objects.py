"""Sealed objects: keep, open, list, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound
from troth.kernel.record import Fact
from troth.kernel.uses import READ
from troth.keys.tree import Destruction, UnitKey, Use
from troth.vault import endings, fences, store
from troth.vault.deadlines import Deadlines
from troth.vault.disposal import Disposal
from troth.vault.facts import open_facts
from troth.vault.ground import Ground
from troth.vault.holds import refuse_held
from troth.vault.keeping import BLOBS, MAX_BYTES, Beside, Keeping, KeepRequest
from troth.vault.object_info import REGISTER_FILE, ObjectInfo, described, facts_of
from troth.vault.restriction import withheld
from troth.vault.sharing import Sharing
from troth.vault.store import OWNER, SHOWN, Row

__all__ = ["BLOBS", "MAX_BYTES", "Deleted", "KeepRequest", "ObjectInfo", "Objects", "facts_of"]


@dataclass(frozen=True, slots=True)
class Deleted:
    """The object and all that was derived from it; `destruction` is None when every key is still shared.

    Both are empty when the object has other owners: then only this person's part in it ended.
    """

    identifiers: tuple[str, ...]
    destruction: Destruction | None


class Objects:
    """The vault's objects.

    `blind_index(label, value)` is a keyed hash (PersonalFields.blind_index), by which kinds are found without being
    stored; `jurisdiction_of(tenant)` is eu, us or au, fixed in the header of every object. `duty` opens what is
    restricted (GDPR Art. 18) all the same: for the person's own copy, and for who answers for their rights.
    """

    def __init__(
        self,
        ground: Ground,
        deadlines: Deadlines,
        *,
        blind_index: Callable[[str, str], bytes],
        jurisdiction_of: Callable[[str], str],
    ) -> None:
        self._ground = ground
        self._blind_index = blind_index
        self._keeping = Keeping(ground, deadlines, kind_index=self._kind_index, jurisdiction_of=jurisdiction_of)
        self._disposal = Disposal(ground)
        self._sharing = Sharing(ground)

    def keep(self, request: KeepRequest, *, beside: Beside | None = None) -> ObjectInfo:
        """Seal and keep. Durable on return. `beside` writes more in the same transaction, given the object's id.

        Raises `Invalid` for a bad kind, name or type, `TooLarge`, `NotFound` for an unknown parent, `Denied`
        (no-consent) for a purpose without a standing consent, `Gone` for an erased person, `Conflict` (restricted,
        closing), `Unavailable` when keys, blobs, database or record cannot be used, and what `beside` raises: nothing
        is then kept.
        """
        return self._keeping.keep(request, beside)

    def open(
        self, tenant: str, subject: str, object_id: str, *, duty: bool = False, filed: bool = False
    ) -> tuple[ObjectInfo, bytes]:
        """The object. Raises `NotFound` for what is not this person's, `Gone` after erasure or expiry.

        Raises `Conflict` (restricted, closing) while its processing is suspended. A file of a register is found with
        `filed`, which only its register says after asking who reads, or with `duty`.
        """
        row, parents = self._live(tenant, subject, object_id, duty=duty)
        unit = self._key(row, duty=duty)
        try:
            sealed = self._ground.blobs.get(row.blob or "")
        except NotFound as error:
            now, _ = self._live(tenant, subject, object_id, duty=duty)  # erased meanwhile: says so
            if now.blob != row.blob:  # moved to a fresh key meanwhile
                return self.open(tenant, subject, object_id, duty=duty, filed=filed)
            raise IntegrityError("The bytes of a kept object are missing.", code="blob-missing") from error
        info = self._info(row, parents, duty=duty)
        if info.kind == REGISTER_FILE and not (duty or filed):
            raise _unknown()
        return info, self._ground.opened(sealed, facts_of(row), unit, READ)

    def info(self, tenant: str, subject: str, object_id: str, *, duty: bool = False) -> ObjectInfo:
        """What the object is, without its content; never of a file of a register. Raises as `open` does."""
        info = self._info(*self._live(tenant, subject, object_id, duty=duty), duty=duty)
        if info.kind == REGISTER_FILE:
            raise _unknown()
        return info

    def require_own(self, tenant: str, subject: str, object_id: str) -> None:
        """Raises `Conflict` (register-file) for what is kept about a person as a part of a register's record."""
        with self._ground.database.read() as connection:
            row = store.find(connection, tenant, subject, object_id, roles=(OWNER, SHOWN))
        if row is not None and row.kind_index == self._kind_index(tenant, REGISTER_FILE):
            raise Conflict(
                "This file is a part of a register's record; ask for its erasure by a rights request.",
                code="register-file",
            )

    def usable(self, tenant: str, subject: str, object_id: str) -> bool:
        """Whether `open` would open it: False while its use is restricted, or when only a duty keeps it."""
        try:
            self._live(tenant, subject, object_id, duty=False)
        except (Conflict, Gone):
            return False
        return True

    def list(
        self,
        tenant: str,
        subject: str,
        *,
        kind: str | None = None,
        limit: int = 100,
        after: str | None = None,
        duty: bool = False,
        filed: bool = True,
    ) -> list[ObjectInfo]:
        """A person's live objects, newest first, older than `after` (an object id). At most 1000 at a time.

        With `duty` also those past their end that a restriction or a legal hold keeps: what is stored is shown to whose
        it is. Without `filed` no files of registers. Raises `NotFound` when `after` is not this person's, `Conflict`
        (restricted, closing).
        """
        index = self._kind_index(tenant, kind) if kind else None
        besides = None if filed else self._kind_index(tenant, REGISTER_FILE)
        found: list[ObjectInfo] = []
        with self._ground.database.read() as connection:
            standing = fences.state(connection, tenant, subject)
            if standing == store.ERASED:
                return []
            if not duty:
                fences.require_open(standing)
            start = store.find(connection, tenant, subject, after) if after else None
            if after and start is None:
                raise NotFound("There is no such object to go on from; begin at the newest.", field="after")
            rows = self._page(connection, (tenant, subject), start, (index, besides), min(limit, 1000), duty=duty)
            parents = store.parents_of(connection, [row.id for row in rows])
        for row in rows:
            try:
                found.append(self._info(row, tuple(parents.get(row.id, ())), duty=duty))
            except Gone:
                continue  # erased between the query and here
        return found

    def _page(
        self,
        connection: Connection,
        owner: tuple[str, str],
        start: Row | None,
        kinds: tuple[bytes | None, bytes | None],
        limit: int,
        *,
        duty: bool,
    ) -> Sequence[Row]:
        """So many rows, unless there are fewer: what has ended but was not swept yet does not count.

        `kinds`: the index of the only kind that is wanted, and of the one that is not.
        """
        now, found = self._ground.now(), list[Row]()
        while len(found) < limit:
            left = limit - len(found)
            rows = store.page(connection, *owner, now, before=start, kinds=kinds, limit=left, over=duty)
            kept = withheld(connection, rows, now) if duty else set()
            found += [row for row in rows if row.expires_at is None or row.expires_at > now or row.id in kept]
            if len(rows) < left:
                break
            start = rows[-1]
        return found

    def delete(
        self, tenant: str, subject: str, object_id: str, *, request: str | None = None, beside: Beside | None = None
    ) -> Deleted:
        """Delete an object and everything derived from it: keys destroyed, bytes deleted.

        Of an object with other owners only this person's part goes. `beside` writes more in the same transaction,
        given the object's id, and the object goes from all. Raises `NotFound`, `Gone` when it is gone already,
        `Conflict` (held) under a legal hold, and what `beside` raises: nothing is then deleted.
        """
        row, _ = self._live(tenant, subject, object_id, duty=True)
        if beside is None and row.shared and self._sharing.leave(tenant, subject, object_id):
            return Deleted((), None)
        facts: dict[str, Fact] = {"object": object_id}
        with self._ground.database.write() as connection:
            if beside is not None:
                beside(connection, object_id)
            ids = endings.mark_closure(connection, [object_id], "deleted", None)
            refuse_held(connection, self._ground.now(), tenant, subject, ids)
            facts["count"] = len(ids)
            entry = self._ground.entry("object.deleted", tenant, request or object_id, subject, facts)
            self._ground.event(connection, entry)
            rows = store.by_ids(connection, ids)
        return Deleted(tuple(ids), self._disposal.finish([one for one in rows if one.state == store.DROPPING]))

    def _live(self, tenant: str, subject: str, object_id: str, *, duty: bool) -> tuple[Row, tuple[str, ...]]:
        with self._ground.database.read() as connection:
            row = store.find(connection, tenant, subject, object_id)
            if row is None:
                raise _unknown()
            standing = fences.state(connection, tenant, subject)
            if row.shared and standing == store.LIVE:  # who is shown may have restricted what shows them
                shown = store.shown(connection, row)
                standing = fences.strictest(fences.state(connection, tenant, one) for one in shown)
            parents = store.parents_of(connection, [object_id]).get(object_id, [])
            now = self._ground.now()
            over = row.expires_at is not None and row.expires_at <= now
            # The sweep leaves what is restricted (GDPR Art. 18(2)) or held: whose it is may still have their copy.
            over = over and not (duty and row.id in withheld(connection, [row], now))
        gone = row.state in (store.DROPPING, store.ERASED) or standing == store.ERASED
        if gone or over:
            raise Gone("This object was erased or has expired; it cannot be brought back.")
        if not duty:
            fences.require_open(fences.CLOSING if row.state == store.CLOSED else standing)
        return row, tuple(parents)

    def _key(self, row: Row, *, duty: bool) -> UnitKey:
        with fences.suspension():
            return self._ground.tree.key(bytes.fromhex(row.unit), Use.PRIVACY if duty else Use.PRODUCT)

    def _info(self, row: Row, parents: tuple[str, ...], *, duty: bool) -> ObjectInfo:
        return described(row, open_facts(row.facts or b"", facts_of(row), self._key(row, duty=duty)), parents)

    def _kind_index(self, tenant: str, kind: str) -> bytes:
        return self._blind_index("object-kind", f"{tenant}/{kind}")


def _unknown() -> NotFound:
    return NotFound("There is no such object; list yours to see their ids.")
