"""Objects that concern several people (decision 0070): owners may open them, people shown may have them destroyed.

An owner who leaves loses access, and the name that they gave the object is sealed away with them; the bytes stay for
the owners that are left. The last owner, or anybody shown, takes the bytes along.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, delete, select, update

from troth.kernel.errors import Conflict
from troth.kernel.record import Fact
from troth.vault import endings, store
from troth.vault.facts import open_facts, seal_facts
from troth.vault.ground import Ground
from troth.vault.holds import refuse_held
from troth.vault.object_info import facts_of
from troth.vault.store import CLOSED, LIVE, OWNER, SHOWN, Row, concerns, objects

ERASING = "svc_erasure"  # acts in the log where the person who leaves is being erased


class Sharing:
    """Ends the part of one person in shared objects."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def of(self, tenant: str, subject: str, roles: tuple[str, ...] = (OWNER, SHOWN)) -> list[Row]:
        """Shared objects that still stand and concern a person, oldest first."""
        mine = store.concerned(tenant, subject, roles)
        with self._ground.database.read() as connection:
            return endings.matching(connection, objects.c.id.in_(mine) & objects.c.state.in_((LIVE, CLOSED)))

    def end(self, tenant: str, subject: str, erasure: str, only: str | None = None) -> list[str]:
        """End a person's part in all their shared objects, or in one; the ids of those that stay for others.

        The others are handed to the erasure, with all that derives from them. Idempotent.
        """
        stay = []
        for row in self.of(tenant, subject):
            if only in (None, row.id) and self._ended(row, subject, erasure):
                stay.append(row.id)
        return stay

    def leave(self, tenant: str, subject: str, object_id: str) -> bool:
        """Take an owner off an object that has other owners; False when they are the last.

        Raises `Conflict` (held): leaving seals away what the owner called it.
        """
        return any(self._ended(row, subject, None) for row in self.of(tenant, subject, (OWNER,)) if row.id == object_id)

    def _ended(self, row: Row, subject: str, erasure: str | None) -> bool:
        nameless = self._nameless(row) if row.subject == subject else row.facts
        with self._ground.database.write() as connection:
            # Two owners who leave at once wait for each other here, so that one of them finds themselves the last.
            unit = connection.execute(select(objects.c.unit).where(objects.c.id == row.id).with_for_update()).scalar()
            if unit != row.unit:
                raise Conflict("The object moved to a fresh key meanwhile; ask again.", code="object-moved")
            if erasure is None:  # an erasure has asked before its tombstone
                refuse_held(connection, self._ground.now(), row.tenant, subject, store.closure(connection, [row.id]))
            others = _other_owners(connection, row.id, subject)
            if others is not None:
                # The log keeps no name of the erased; and who stays did nothing.
                actor = subject if erasure is None else ERASING
                self._hand_over(connection, row, (subject, others[0]), nameless, actor)
                return True
            if erasure is not None:
                endings.mark_closure(connection, [row.id], "subject-erased", erasure)
        return False

    def _hand_over(
        self, connection: Connection, row: Row, people: tuple[str, str], nameless: bytes | None, actor: str
    ) -> None:
        gone, heir = people
        connection.execute(delete(concerns).where(concerns.c.object == row.id, concerns.c.subject == gone))
        if row.subject == gone:
            kept = update(objects).where(objects.c.id == row.id)
            connection.execute(kept.values(subject=heir, facts=nameless))
        facts: dict[str, Fact] = {"object": row.id}
        self._ground.event(connection, self._ground.entry("object.left", row.tenant, row.id, actor, facts))

    def _nameless(self, row: Row) -> bytes:
        unit, facts = self._ground.tree.key(bytes.fromhex(row.unit)), facts_of(row)
        return seal_facts(replace(open_facts(row.facts or b"", facts, unit), name=""), facts, unit)


def _other_owners(connection: Connection, object_id: str, subject: str) -> Sequence[str] | None:
    """The owners beside this one; None when there is none, or when this person is shown and not an owner."""
    found = connection.execute(select(concerns.c.subject, concerns.c.role).where(concerns.c.object == object_id))
    roles: dict[str, str] = {one: role for one, role in found}
    others = sorted(one for one, role in roles.items() if role == OWNER and one != subject)
    return others if others and roles.get(subject) == OWNER else None
