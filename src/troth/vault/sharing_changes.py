"""Who owns an object and whom it shows, changed after it was kept (decision 0070).

What begins to concern several people moves to a key under no person, so that the erasure of one does not take it from
the others, and the erasure of somebody shown destroys every copy of it. The old bytes and their key go in the same way
as anything that is deleted: a crash in between leaves a row that the sweep finishes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, delete, select, update

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, TooLarge, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.kernel.uses import SERVICE
from troth.keys.tree import Use
from troth.vault import framing, store
from troth.vault.disposal import Disposal
from troth.vault.endings import MOVED
from troth.vault.facts import open_facts, seal_facts
from troth.vault.fences import fence, state
from troth.vault.ground import Ground
from troth.vault.keeping import MAX_PARENTS, SHARED_PLACE, blob_name
from troth.vault.object_info import REGISTER_FILE, facts_of
from troth.vault.objections import fence_erased
from troth.vault.sharing import Sharing
from troth.vault.store import DROPPING, LIVE, OWNER, SHOWN, Row, concerns, objects
from troth.vault.tables import ERASED


@dataclass(frozen=True, slots=True)
class Involved:
    """The people of an object: ids. `keeper`: the owner who brought it, or took their place when they left."""

    owners: tuple[str, ...]
    shown: tuple[str, ...]
    keeper: str = field(default="", compare=False)

    def has(self, person: str) -> bool:
        """Whether it concerns a person in any role."""
        return person in self.owners or person in self.shown


class SharingChanges:
    """What owners do with their objects, and people shown about theirs."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._sharing = Sharing(ground)
        self._disposal = Disposal(ground)

    def people(self, tenant: str, subject: str, object_id: str) -> Involved:
        """Who owns an object of this person's, and whom it shows; also past its end. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            return _involved(connection, _owned(connection, tenant, subject, object_id))

    def share(self, tenant: str, subject: str, object_id: str, other: str, *, request: str) -> Involved:
        """Make another person an owner as well. Idempotent. Durable on return.

        Raises `NotFound`, the same for an unknown person and for one who is erased or restricts their data; `Conflict`
        while the use of it is restricted (restricted), for what lives by its keeper's consent (purpose-bound), for
        somebody whom it shows (person-shown), or when it changed meanwhile (object-moved), `TooLarge` beyond 64 people.
        """
        with self._ground.database.read() as connection:
            row = self._current(connection, tenant, subject, object_id)
            before, standing = _involved(connection, row), state(connection, tenant, other)
        if row.purpose is not None:
            raise Conflict(
                "This is kept for a purpose that its keeper agreed to; it cannot be given to others.",
                code="purpose-bound",
            )
        if other in before.owners:
            return before
        if other in before.shown:
            raise Conflict(
                "It shows this person, who may have it destroyed; as an owner they could only leave it.",
                code="person-shown",
            )
        if standing != LIVE:  # before bytes are sealed anew, which would take a time that tells
            raise unknown_person()
        everybody = {subject, other, *before.shown}
        self._change([row], {other: OWNER}, "object.shared", (tenant, subject, request), open_for=everybody)
        return self.people(tenant, subject, object_id)

    def tag(self, tenant: str, subject: str, object_id: str, shown: str, *, request: str) -> Involved:
        """Say that it shows a person, and so does all that was derived from it. Idempotent. Durable on return.

        They may then have it destroyed, so only its keeper says it: what a co-owner says would take from the others
        what is theirs. Raises `NotFound` as `share` does, `Denied` (keeper-only), `Conflict` (restricted,
        object-moved), `TooLarge`.
        """
        with self._ground.database.read() as connection:
            root = self._current(connection, tenant, subject, object_id)
            if root.subject != subject:
                raise Denied("Only who brought this here says whom it shows; ask them.", code="keeper-only")
            if state(connection, tenant, shown) == ERASED:
                raise unknown_person()
            ids = store.closure(connection, [root.id])
            if len(ids) > MAX_PARENTS:
                raise TooLarge("More than 64 copies derive from this; name the person in each of them.")
            rows = [one for one in store.by_ids(connection, ids) if one.state == LIVE]
            rows = [one for one in rows if not _involved(connection, one).has(shown)]
        if rows:
            self._change(rows, {shown: SHOWN}, "object.tagged", (tenant, subject, request), open_for=[subject])
        return self.people(tenant, subject, object_id)

    def untag(self, tenant: str, subject: str, object_id: str, *, request: str) -> None:
        """Somebody named as shown says that it does not show them; nobody else can. Raises `NotFound`."""
        with self._ground.database.write() as connection:
            ids = store.closure(connection, [object_id])
            mine = concerns.c.tenant == tenant, concerns.c.subject == subject, concerns.c.role == SHOWN
            if (
                connection.execute(select(concerns.c.object).where(*mine, concerns.c.object == object_id)).first()
                is None
            ):
                raise unknown()
            for batch in store.batches(ids):
                connection.execute(delete(concerns).where(*mine, concerns.c.object.in_(batch)))
            self._event(connection, "object.untagged", object_id, (tenant, subject, request), subject)

    def leave(self, tenant: str, subject: str, object_id: str) -> None:
        """An owner leaves an object to its other owners.

        Raises `NotFound`, `Conflict` (last-owner) when there are none, `Conflict` (held) under a legal hold.
        """
        with self._ground.database.read() as connection:
            _owned(connection, tenant, subject, object_id)
        if not self._sharing.leave(tenant, subject, object_id):
            raise Conflict("You are its only owner; erase it instead.", code="last-owner")

    def showing(self, tenant: str, subject: str) -> list[Row]:
        """The objects that show a person, oldest first; whose they are is for their owners to say."""
        return self._sharing.of(tenant, subject, (SHOWN,))

    def shows(self, tenant: str, subject: str, object_id: str) -> None:
        """Raises `NotFound` unless this object shows this person."""
        if object_id not in {row.id for row in self.showing(tenant, subject)}:
            raise unknown()

    def _current(self, connection: Connection, tenant: str, subject: str, object_id: str) -> Row:
        row = _owned(connection, tenant, subject, object_id)
        if row.expires_at is not None and row.expires_at <= self._ground.now():
            raise unknown()
        return row

    def _change(
        self,
        rows: Sequence[Row],
        roles: dict[str, str],
        event: str,
        by: tuple[str, str, str],
        *,
        open_for: Iterable[str],
    ) -> None:
        """Add roles to objects, which move to keys of their own; all of them or none."""
        left: list[Row] = []
        with ExitStack() as undo:
            moved = [(row, row if row.shared else self._resealed(row, undo)) for row in rows]
            with self._ground.database.write() as connection:
                for person in sorted(set(open_for)):
                    _require_open(connection, by[0], person, named=person in roles)
                for person in sorted({*roles, *(row.subject for row in rows)}):  # copies may be of other owners
                    _require_staying(connection, by[0], person, named=person in roles)
                for old, new in moved:
                    left += self._switched(connection, old, new, roles)
                    self._event(connection, event, old.id, by, next(iter(roles)))
                for person in [one for one, role in roles.items() if role == SHOWN]:
                    _require_named(connection, [row.id for row in rows], person)
            undo.pop_all()
        with suppress(Unavailable, Conflict):  # the sweep goes on with what cannot be done now
            self._disposal.finish(left)

    def _resealed(self, row: Row, undo: ExitStack) -> Row:
        """The object under a key of its own beside all people, its new bytes written."""
        ground, facts = self._ground, facts_of(row)
        old = ground.tree.key(bytes.fromhex(row.unit), Use.PRIVACY)  # nothing is opened for anybody
        secret = open_facts(row.facts or b"", facts, old)
        if secret.kind == REGISTER_FILE:  # nobody's to give on
            raise unknown()
        try:
            content = ground.opened(ground.blobs.get(row.blob or ""), facts, old, SERVICE)
        except NotFound as error:
            raise _moved() from error
        unit = ground.tree.own_unit(row.tenant, SHARED_PLACE, DataClass(row.data_class))
        blob = f"{blob_name(row.id)}.{secrets.token_hex(8)}"
        undo.callback(self._undone, row.id, unit.id, blob)
        ground.blobs.create(blob, framing.seal(facts, unit, content))
        return replace(
            row, unit=unit.id.hex(), period=None, blob=blob, facts=seal_facts(secret, facts, unit), shared=True
        )

    def _undone(self, object_id: str, unit: bytes, blob: str) -> None:
        """Take fresh bytes and their key back, unless the row has them: only the acknowledgement may have been lost."""
        with self._ground.database.read() as connection:
            has = connection.execute(select(objects.c.unit).where(objects.c.id == object_id)).scalar()
        if has != unit.hex():
            self._ground.tree.destroy_units([unit])
            self._ground.blobs.delete(blob)

    def _switched(self, connection: Connection, old: Row, new: Row, roles: dict[str, str]) -> list[Row]:
        """Point the row at its new bytes and add the roles; the old bytes as a row on its way out."""
        same = (getattr(objects.c, name) == getattr(old, name) for name in ("id", "unit", "shared", "subject"))
        which = select(objects.c.id).where(*same, objects.c.state == LIVE).with_for_update()
        if connection.execute(which).first() is None:
            raise _moved()
        left = []
        if not old.shared:
            self._ground.tree.lock_protecting(connection, bytes.fromhex(new.unit))
            values = {name: getattr(new, name) for name in ("unit", "period", "blob", "facts", "shared")}
            connection.execute(update(objects).where(objects.c.id == old.id).values(**values))
            gone = replace(old, id=new_id("obj"), kind_index=None, facts=None, state=DROPPING, reason=MOVED)
            store.insert_object(connection, gone, ())
            left, roles = [gone], {old.subject: OWNER} | roles
        known = _involved(connection, new) if old.shared else Involved((), ())
        added = {person: role for person, role in roles.items() if not known.has(person)}
        if len(known.owners) + len(known.shown) + len(added) > MAX_PARENTS:
            raise TooLarge("An object concerns at most 64 people.")
        store.add_concerns(connection, new, added)
        return left

    def _event(self, connection: Connection, event: str, object_id: str, by: tuple[str, str, str], person: str) -> None:
        tenant, actor, request = by
        facts: dict[str, Fact] = {"object": object_id, "user": person}
        self._ground.event(connection, self._ground.entry(event, tenant, request, actor, facts))


def _owned(connection: Connection, tenant: str, subject: str, object_id: str) -> Row:
    row = store.find(connection, tenant, subject, object_id)
    if row is None or row.state != LIVE:
        raise unknown()
    return row


def _involved(connection: Connection, row: Row) -> Involved:
    meant = select(concerns.c.subject, concerns.c.role).where(concerns.c.object == row.id)
    roles: dict[str, str] = {one: role for one, role in connection.execute(meant)} or {row.subject: OWNER}
    of = {wanted: tuple(sorted(one for one, role in roles.items() if role == wanted)) for wanted in (OWNER, SHOWN)}
    return Involved(of[OWNER], of[SHOWN], row.subject)


def _require_open(connection: Connection, tenant: str, person: str, *, named: bool) -> None:
    """As `fence`; of somebody named nothing is told but that they cannot be added."""
    try:
        fence(connection, tenant, person)
    except (Gone, Conflict) as error:
        if named:
            raise unknown_person() from error
        raise


def _require_staying(connection: Connection, tenant: str, person: str, *, named: bool) -> None:
    """Raises `NotFound` for somebody named who was erased, `Conflict` (object-moved) while an owner of a copy is."""
    try:
        fence_erased(connection, tenant, person)
    except Gone as error:
        raise (unknown_person() if named else _moved()) from error


def _require_named(connection: Connection, roots: Sequence[str], person: str) -> None:
    """A copy that was derived meanwhile names the person too. Raises `Conflict` (object-moved)."""
    rows = [row for row in store.by_ids(connection, store.closure(connection, roots)) if row.state == LIVE]
    if not all(_involved(connection, row).has(person) for row in rows):
        raise _moved()


def unknown() -> NotFound:
    """The answer for what is not there, or not this person's."""
    return NotFound("There is no such object; list yours to see their ids.")


def unknown_person() -> NotFound:
    """The one answer for whoever cannot be added: unknown, erased, or restricting their data is theirs to tell."""
    return NotFound(
        "There is no such person in your tenant, or they cannot be added now; ask for the address of their account.",
        code="person-unknown",
        field="person",
    )


def _moved() -> Conflict:
    return Conflict("The object changed meanwhile; ask again.", code="object-moved")
