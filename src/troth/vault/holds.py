"""Legal holds (promise DEL-07): a duty to keep beats a deletion, openly, with a basis, an approver and an end."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Index, RowMapping, String, Table, insert, or_, select, update

from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.storage.database import Big, metadata
from troth.vault import store
from troth.vault.ground import Ground, subject_digest
from troth.vault.tables import Row

_DAY_MS = 86_400_000
MAX_DAYS = 3650  # a longer duty is renewed by somebody who looked at it again
_BASIS = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}\Z")  # a token such as tax-law or litigation; no free text

holds = Table(
    "vault_hold",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject_digest", String(64)),
    Column("object", String(64)),
    Column("basis", String(64), nullable=False),
    Column("approver", String(64), nullable=False),
    Column("placed_at", Big, nullable=False),
    Column("ends_at", Big, nullable=False),
    Column("lifted_at", Big),
    Index("ix_vault_hold_subject", "tenant", "subject_digest"),
    Index("ix_vault_hold_object", "tenant", "object"),
)


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold. Times in epoch ms; `basis` is a token; either the person's digest or the object is set."""

    id: str
    tenant: str
    subject_digest: str | None
    object: str | None
    basis: str
    approver: str
    placed_at: int
    ends_at: int
    lifted_at: int | None


class Holds:
    """The hold register. Every hold ends: `ends_at` is mandatory."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def place(
        self, tenant: str, *, basis: str, approver: str, ends_at: int, subject: str | None = None, of: str | None = None
    ) -> Hold:
        """Hold a person (`subject`) or an object (`of`).

        Raises `Invalid` for no basis, an end that is past or beyond ten years, none or both; `NotFound` for an object
        that is not kept for this tenant; `Denied` (own-hold) when it would hold what is the approver's own.
        """
        now = self._ground.now()
        sound = _BASIS.match(basis) and now < ends_at <= now + MAX_DAYS * _DAY_MS
        if not sound or (subject is None) == (of is None):
            raise Invalid(
                "A hold names a basis token, an end within ten years, and a person or an object.", code="bad-hold"
            )
        digest = subject_digest(tenant, subject) if subject else None
        hold = Hold(new_id("hld"), tenant, digest, of, basis, approver, now, ends_at, None)
        values = {name: getattr(hold, name) for name in Hold.__slots__}
        with self._ground.database.write() as connection:
            if approver in _people(connection, tenant, subject, of):
                raise Denied("Nobody places a hold on what is their own; ask another officer.", code="own-hold")
            connection.execute(insert(holds), values)
            self._note(connection, "hold.placed", hold, approver)
        return hold

    def lift(self, tenant: str, hold_id: str, *, actor: str) -> Hold:
        """End a hold now. Raises `NotFound`, `Denied` (own-hold) when it holds what is the actor's own. Idempotent."""
        with self._ground.database.write() as connection:
            mine = (holds.c.id == hold_id, holds.c.tenant == tenant)
            change = update(holds).where(*mine, holds.c.lifted_at.is_(None)).values(lifted_at=self._ground.now())
            lifted = connection.execute(change).rowcount
            found = connection.execute(select(holds).where(*mine)).mappings().first()
            if found is None:
                raise NotFound("There is no such hold; list the holds of your tenant.")
            if subject_digest(tenant, actor) in _digests(connection, tenant, found):
                raise Denied("Nobody lifts a hold on what is their own; ask another officer.", code="own-hold")
            hold = Hold(**dict(found))
            if lifted:
                self._note(connection, "hold.lifted", hold, actor)
        return hold

    def active(self, tenant: str) -> list[Hold]:
        """The holds of a tenant that bind now."""
        with self._ground.database.read() as connection:
            return _active(connection, self._ground.now(), holds.c.tenant == tenant)

    def all(self, tenant: str, *, limit: int = 200) -> list[Hold]:
        """The holds of a tenant, newest first, lifted and ended ones too."""
        query = select(holds).where(holds.c.tenant == tenant).order_by(holds.c.placed_at.desc(), holds.c.id)
        with self._ground.database.read() as connection:
            return [Hold(**dict(found)) for found in connection.execute(query.limit(limit)).mappings()]

    def _note(self, connection: Connection, operation: str, hold: Hold, actor: str) -> None:
        facts: dict[str, Fact] = {"reason": hold.basis, "expires": hold.ends_at}
        if hold.object:
            facts["object"] = hold.object
        self._ground.event(connection, self._ground.entry(operation, hold.tenant, hold.id, actor, facts))


def binding(connection: Connection, now: int, tenant: str, digest: str, objects: Iterable[str] = ()) -> Hold | None:
    """The first hold that binds this person, one of these objects, or anybody whom one of them concerns."""
    ids = sorted(objects)
    people = {digest, *_concerned(connection, ids)}
    mine = or_(holds.c.subject_digest.in_(sorted(people)), holds.c.object.in_(ids))
    found = _active(connection, now, (holds.c.tenant == tenant) & mine)
    return found[0] if found else None


def binding_person(connection: Connection, now: int, tenant: str, subject: str) -> Hold | None:
    """The first hold that binds this person, what is kept of them or derives from it, or others whom that concerns."""
    active = _active(connection, now, holds.c.tenant == tenant)
    if not active:
        return None
    kept = select(store.objects.c.id).where(
        store.objects.c.tenant == tenant,
        store.objects.c.subject == subject,
        store.objects.c.state.in_((store.LIVE, store.CLOSED)),
    )
    parts = connection.execute(store.concerned(tenant, subject, (store.OWNER, store.SHOWN))).scalars()
    taken = set(store.closure(connection, {*connection.execute(kept).scalars(), *parts}))  # copies go with their source
    people = {subject_digest(tenant, subject), *_concerned(connection, taken)}
    return next((one for one in active if one.subject_digest in people or one.object in taken), None)


def binding_tenant(connection: Connection, now: int, tenant: str) -> Hold | None:
    """The first hold that binds anybody or anything of a tenant."""
    found = _active(connection, now, holds.c.tenant == tenant)
    return found[0] if found else None


def held_objects(connection: Connection, now: int) -> tuple[set[str], set[str]]:
    """All that is held now: object ids, and digests of people."""
    found = _active(connection, now, holds.c.id.is_not(None))
    return {hold.object for hold in found if hold.object}, {
        hold.subject_digest for hold in found if hold.subject_digest
    }


def refuse_held(connection: Connection, now: int, tenant: str, subject: str, objects: Iterable[str]) -> None:
    """Raises `Conflict` (code "held") when a hold binds the person or one of the objects."""
    if binding(connection, now, tenant, subject_digest(tenant, subject), objects):
        raise Conflict(
            "A legal duty to keep this is on record; it can be deleted when the hold is lifted or ends.", code="held"
        )


def unheld(connection: Connection, rows: Iterable[Row], now: int) -> list[Row]:
    """The rows that no hold binds, neither by their person nor by what derives from them."""
    objects, people = held_objects(connection, now)
    free = [row for row in rows if subject_digest(row.tenant, row.subject) not in people]
    free = [row for row in free if not (row.shared and people.intersection(_concerned(connection, [row.id])))]
    return [row for row in free if not objects.intersection(store.closure(connection, [row.id]))] if objects else free


def _concerned(connection: Connection, objects: Iterable[str]) -> set[str]:
    """The digests of all whom shared objects concern."""
    found: set[str] = set()
    for batch in store.batches(objects):
        meant = select(store.concerns.c.tenant, store.concerns.c.subject).where(store.concerns.c.object.in_(batch))
        found.update(subject_digest(tenant, subject) for tenant, subject in connection.execute(meant))
    return found


def _digests(connection: Connection, tenant: str, hold: RowMapping) -> set[str]:
    """Of those whose it is that is held; what is erased by now is nobody's."""
    if hold["subject_digest"]:
        return {hold["subject_digest"]}
    owners = select(store.objects.c.subject).where(store.objects.c.id == hold["object"])
    of_it = {subject_digest(tenant, one) for one in connection.execute(owners).scalars()}
    return of_it | _concerned(connection, [hold["object"]])


def _people(connection: Connection, tenant: str, subject: str | None, of: str | None) -> set[str]:
    """Whose it is that would be held. Raises `NotFound` for an object that is not there."""
    if of is None:
        return {subject or ""}
    rows = [row for row in store.by_ids(connection, [of]) if row.tenant == tenant and row.state != store.ERASED]
    if not rows:
        raise NotFound("There is no such object in your tenant.", field="object")
    shared = select(store.concerns.c.subject).where(store.concerns.c.object == of)
    return {rows[0].subject, *connection.execute(shared).scalars()}


def _active(connection: Connection, now: int, which: object) -> list[Hold]:
    query = select(holds).where(which, holds.c.lifted_at.is_(None), holds.c.ends_at > now)  # type: ignore[arg-type]
    return [Hold(**dict(found)) for found in connection.execute(query.order_by(holds.c.placed_at)).mappings()]
