"""Restriction of processing (GDPR Art. 18): data stays kept, and nothing is done with it but export and rights.

The person restricts and resumes for themselves; what an officer restricted on request, an officer resumes, after
telling the person (Art. 18(3)). In force on the fence that keeping and opening meet at, and as suspended keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Index, String, Table, delete, insert, select, update

from troth.kernel.errors import Denied, Gone, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.keys.tree import Reason, Scope
from troth.storage.database import Big, metadata
from troth.vault import fences, store
from troth.vault.ground import Ground, subject_digest
from troth.vault.holds import unheld
from troth.vault.tables import ERASED, Row

_REASON = re.compile(r"[a-z0-9][a-z0-9.-]{1,62}\Z")  # a token such as accuracy-contested; Art. 18(1)(a) to (d)

restrictions = Table(
    "vault_restriction",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("by_officer", String(64)),  # None: the person themselves
    Column("placed_at", Big, nullable=False),
    Column("lifted_at", Big),
    Index("ix_vault_restriction_subject", "tenant", "subject"),
)


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction. Times in epoch ms; `reason` is a token."""

    id: str
    tenant: str
    subject: str
    reason: str
    by_officer: str | None
    placed_at: int
    lifted_at: int | None


class Restrictions:
    """The register of restrictions: at most one stands per person."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def place(self, tenant: str, subject: str, *, reason: str, officer: str | None, request: str) -> Restriction:
        """Restrict from this moment on; the standing one is returned when there is one. Durable on return.

        Raises `Invalid` for a reason that is no token, `Gone` for an erased person, `Denied` (own-request) for an
        officer who would decide about themselves.
        """
        _require_other(subject, officer)
        if not _REASON.match(reason):
            raise Invalid("A restriction has a reason token such as accuracy-contested.", code="bad-reason")
        now = self._ground.now()
        fresh = Restriction(new_id("rst"), tenant, subject, reason, officer, now, None)
        with self._ground.database.write() as connection:
            fences.shut(connection, subject_digest(tenant, subject), fences.RESTRICTED)
            if fences.state(connection, tenant, subject) == ERASED:
                raise Gone("This person was erased here; there is nothing to restrict.", code="subject-erased")
            found = standing_restriction(connection, tenant, subject)
            if found is None:
                connection.execute(insert(restrictions), {name: getattr(fresh, name) for name in Restriction.__slots__})
                self._note(connection, "processing.restricted", fresh, request)
        self._keys(tenant, subject, suspend=True)
        return found or fresh

    def lift(self, tenant: str, subject: str, *, officer: str | None, request: str) -> Restriction:
        """Resume processing.

        Raises `NotFound` when none stands, `Denied` for a person whom an officer restricted (restricted-by-officer) and
        for an officer who would decide about themselves (own-request).
        """
        _require_other(subject, officer)
        now = self._ground.now()
        with self._ground.database.write() as connection:
            found = standing_restriction(connection, tenant, subject)
            if found is None:
                raise NotFound("Processing is not restricted.", code="not-restricted")
            if found.by_officer and officer is None:
                raise Denied(
                    "A privacy officer restricted this on request; ask them to resume it.", code="restricted-by-officer"
                )
            lifted = update(restrictions).where(restrictions.c.id == found.id)
            connection.execute(lifted.values(lifted_at=now))
            fences.release(connection, subject_digest(tenant, subject), fences.RESTRICTED)
            self._note(connection, "processing.resumed", found, request, actor=officer)
        self._keys(tenant, subject, suspend=False)
        return Restriction(found.id, tenant, subject, found.reason, found.by_officer, found.placed_at, now)

    def standing(self, tenant: str, subject: str) -> Restriction | None:
        """The restriction in force, or None."""
        with self._ground.database.read() as connection:
            return standing_restriction(connection, tenant, subject)

    def active(self, tenant: str) -> list[Restriction]:
        """The restrictions of a tenant that stand, oldest first."""
        return self._all(restrictions.c.tenant == tenant, restrictions.c.lifted_at.is_(None))

    def history(self, tenant: str, subject: str) -> list[Restriction]:
        """A person's restrictions, oldest first."""
        return self._all(restrictions.c.tenant == tenant, restrictions.c.subject == subject)

    def forget(self, tenant: str, subject: str) -> list[str]:
        """Drop a forgotten person's restrictions; returns their ids. Idempotent."""
        mine = restrictions.c.tenant == tenant, restrictions.c.subject == subject
        with self._ground.database.write() as connection:
            found = sorted(connection.execute(select(restrictions.c.id).where(*mine)).scalars())
            connection.execute(delete(restrictions).where(*mine))
        if found:  # the fence holds for ever now; a row that names the person need not stand beside their keys
            self._keys(tenant, subject, suspend=False)
        return found

    def _all(self, *which: object) -> list[Restriction]:
        query = select(restrictions).where(*which).order_by(restrictions.c.placed_at, restrictions.c.id)  # type: ignore[arg-type]
        with self._ground.database.read() as connection:
            return [Restriction(**dict(found)) for found in connection.execute(query).mappings()]

    def _keys(self, tenant: str, subject: str, *, suspend: bool) -> None:
        """The fence holds already; the keys follow, so that a mistake in the code above them opens nothing either."""
        scope = Scope.of_subject(tenant, subject)
        try:
            if suspend:
                self._ground.tree.suspend(scope, Reason.RESTRICTION)
            else:
                self._ground.tree.resume_use(scope, Reason.RESTRICTION)
        except NotFound:
            return  # a person of whom nothing is kept has no keys yet

    def _note(
        self, connection: Connection, operation: str, one: Restriction, request: str, actor: str | None = None
    ) -> None:
        facts: dict[str, Fact] = {"reason": one.reason}
        who = actor or one.by_officer or one.subject
        self._ground.event(connection, self._ground.entry(operation, one.tenant, request, who, facts))


def _require_other(subject: str, officer: str | None) -> None:
    if officer == subject:
        raise Denied(
            "Nobody decides about their own data as an officer; restrict and resume it yourself, under Consent, or "
            "ask another officer.",
            code="own-request",
        )


def standing_restriction(connection: Connection, tenant: str, subject: str) -> Restriction | None:
    """The restriction of a person that is in force."""
    mine = restrictions.c.tenant == tenant, restrictions.c.subject == subject, restrictions.c.lifted_at.is_(None)
    found = connection.execute(select(restrictions).where(*mine)).mappings().first()
    return Restriction(**dict(found)) if found else None


def unrestricted(connection: Connection, rows: Iterable[Row]) -> list[Row]:
    """The rows whose end takes nothing of a restricted person along: what is restricted stays stored (Art. 18(2))."""
    standing = select(restrictions.c.tenant, restrictions.c.subject).where(restrictions.c.lifted_at.is_(None))
    people = {(tenant, subject) for tenant, subject in connection.execute(standing)}
    return [row for row in rows if not people.intersection(_people(connection, row))] if people else list(rows)


def withheld(connection: Connection, rows: Iterable[Row], now: int) -> set[str]:
    """Of rows past their end, the ids of those that stay stored: by a restriction or a legal hold."""
    late = [row for row in rows if row.expires_at is not None and row.expires_at <= now]
    ending = unrestricted(connection, unheld(connection, late, now)) if late else []
    return {row.id for row in late} - {row.id for row in ending}


def _people(connection: Connection, row: Row) -> set[tuple[str, str]]:
    """Those whose it is, or whom it concerns, or to whom something derived from it belongs."""
    ids = store.closure(connection, [row.id])
    found = {(one.tenant, one.subject) for one in store.by_ids(connection, ids)}
    for batch in store.batches(ids):
        meant = select(store.concerns.c.tenant, store.concerns.c.subject).where(store.concerns.c.object.in_(batch))
        found.update((tenant, subject) for tenant, subject in connection.execute(meant))
    return found
