"""Consent per purpose, with its history and signed receipts in the shape of ISO/IEC TS 27560 (CLS-06, CLS-07).

Only ids, tokens and times are stored, never content. Withdrawing is one act, as easy as granting (GDPR Art. 7(3)).
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Column, Connection, Index, String, Table, delete, select, update

from troth.kernel.clock import iso
from troth.kernel.errors import Denied, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Fact
from troth.kernel.signer import Signer
from troth.storage.database import Big, metadata
from troth.vault.dsse import sign_envelope
from troth.vault.endings import end_consent, move_consent
from troth.vault.fences import fence
from troth.vault.ground import Ground
from troth.vault.objections import SALE_AND_SHARING, objected, refuse_objected, standing_now
from troth.vault.tables import insert_missing

RECEIPT_TYPE = "application/vnd.troth.consent-receipt+json"
TRAINING, VENDOR_RETENTION = "training", "vendor-retention"
_TOKEN = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}\Z")

consents = Table(
    "vault_consent",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("notice", String(64), nullable=False),
    Column("method", String(64), nullable=False),
    Column("granted_at", Big, nullable=False),
    Column("expires_at", Big),
    Column("withdrawn_at", Big),
)
# One standing consent per purpose, also when two requests race.
Index(
    "uq_vault_consent_standing",
    consents.c.tenant,
    consents.c.subject,
    consents.c.purpose,
    unique=True,
    sqlite_where=consents.c.withdrawn_at.is_(None),
    postgresql_where=consents.c.withdrawn_at.is_(None),
)


@dataclass(frozen=True, slots=True)
class Consent:
    """One consent. Times in epoch ms; `notice` is the version of the text that was shown, `method` how it was given."""

    id: str
    tenant: str
    subject: str
    purpose: str
    notice: str
    method: str
    granted_at: int
    expires_at: int | None
    withdrawn_at: int | None

    def valid_at(self, moment: int) -> bool:
        """Whether it stood at that moment."""
        ends = [end for end in (self.expires_at, self.withdrawn_at) if end is not None]
        return self.granted_at <= moment < min(ends, default=moment + 1)


class Consents:
    """The consent register."""

    def __init__(self, ground: Ground, signer: Signer, *, controller: str) -> None:
        self._ground = ground
        self._signer = signer
        self._controller = controller

    def now(self) -> int:
        """The time in epoch ms, for what is shown after a change: a call's own time lies before it."""
        return self._ground.now()

    def grant(
        self,
        tenant: str,
        subject: str,
        purpose: str,
        *,
        notice: str,
        method: str = "portal",
        expires_at: int | None = None,
        request: str | None = None,
    ) -> Consent:
        """Record a consent; the standing one is returned when it is for the same notice and end, and replaced if not.

        Raises `Invalid` for anything that is not a token, `Denied` (never-sold) for sale or sharing, no purposes here
        (promise RGT-06), `Conflict` for a purpose they object to, `Gone` when erased.
        """
        now = self._ground.now()
        if not all(_TOKEN.match(token) for token in (purpose, notice, method)):
            raise Invalid("Purpose, notice and method are short lower-case tokens.", code="bad-consent")
        if purpose in SALE_AND_SHARING:
            raise Denied(
                "Data is neither sold nor shared for advertising here, so nobody can agree to it.", code="never-sold"
            )
        fresh = Consent(new_id("cns"), tenant, subject, purpose, notice, method, now, expires_at, None)
        with self._ground.database.write() as connection:
            fence(connection, tenant, subject)
            refuse_objected(connection, tenant, subject, purpose)
            standing = _standing(connection, tenant, subject, purpose)
            if standing and (standing.notice, standing.expires_at) == (notice, expires_at) and standing.valid_at(now):
                return standing
            if standing:  # the purpose goes on under the new one, and so does what is kept for it
                move_consent(connection, standing.id, fresh.id)
                self._end(connection, standing, now, request)
            if not insert_missing(connection, consents, asdict(fresh)):
                return _standing(connection, tenant, subject, purpose) or fresh
            self._note(connection, "consent.granted", fresh, request)
        return fresh

    def withdraw(self, tenant: str, subject: str, consent_id: str, *, request: str | None = None) -> Consent:
        """End a consent, and what is kept by it, from this moment on. Idempotent. Raises `NotFound` for another's."""
        with self._ground.database.write() as connection:
            consent = _owned(connection, tenant, subject, consent_id)
            if consent.withdrawn_at is None:
                self._end(connection, consent, self._ground.now(), request)
            return _owned(connection, tenant, subject, consent_id)

    def withdraw_within(
        self, connection: Connection, tenant: str, subject: str, purpose: str, *, request: str | None = None
    ) -> None:
        """End what stands for a purpose, in the caller's transaction."""
        standing = _standing(connection, tenant, subject, purpose)
        if standing is not None:
            self._end(connection, standing, self._ground.now(), request)

    def valid(self, tenant: str, subject: str, purpose: str, at: int | None = None) -> str | None:
        """The id of the consent that stands (or stood `at` that epoch ms) for this purpose, or None.

        None while the person says no to the purpose, whether or not the consent was withdrawn.
        """
        moment = self._ground.now() if at is None else at
        mine = (one for one in self.history(tenant, subject) if one.purpose == purpose and one.valid_at(moment))
        found = next(mine, None)
        return found.id if found and purpose not in self.objected(tenant, subject, moment) else None

    def objected(self, tenant: str, subject: str, at: int | None = None) -> frozenset[str]:
        """The purposes that a person says no to now, or said no to at that epoch ms."""
        if at is None:
            return standing_now(self._ground.database, tenant, subject)
        with self._ground.database.read() as connection:
            return objected(connection, tenant, subject, at)

    def history(self, tenant: str, subject: str) -> list[Consent]:
        """Every consent of a person, newest first, withdrawn ones too."""
        query = select(consents).where(consents.c.tenant == tenant, consents.c.subject == subject)
        with self._ground.database.read() as connection:
            found = connection.execute(query.order_by(consents.c.granted_at.desc(), consents.c.id)).mappings()
            return [Consent(**dict(one)) for one in found]

    def receipt(self, tenant: str, subject: str, consent_id: str) -> bytes:
        """A signed receipt (DSSE) that shows both acts, as they stand. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            consent = _owned(connection, tenant, subject, consent_id)
        return sign_envelope(self._receipt(consent), RECEIPT_TYPE, self._signer)

    def forget(self, tenant: str, subject: str) -> list[str]:
        """Drop a person's consents; returns their ids. Idempotent."""
        mine = (consents.c.tenant == tenant, consents.c.subject == subject)
        with self._ground.database.write() as connection:
            found = sorted(connection.execute(select(consents.c.id).where(*mine)).scalars())
            connection.execute(delete(consents).where(*mine))
        return found

    def _receipt(self, consent: Consent) -> dict[str, Any]:
        events = [(consent.granted_at, "explicitly given"), (consent.withdrawn_at, "withdrawn")]
        return {
            "schema_version": "ISO-IEC-TS-27560:2023",
            "record_id": consent.id,
            "pii_principal_id": consent.subject,
            "pii_controllers": [self._controller],
            "privacy_notice": consent.notice,
            "purposes": [
                {
                    "purpose": consent.purpose,
                    "lawful_basis": "consent",
                    "collection_method": consent.method,
                    "withdrawal_method": consent.method,
                    "retention_period": iso(consent.expires_at) if consent.expires_at else "until withdrawn",
                }
            ],
            "consent_events": [
                {"event_time": iso(moment), "event_state": state, "entity_id": consent.subject}
                for moment, state in events
                if moment is not None
            ],
        }

    def _end(self, connection: Connection, consent: Consent, now: int, request: str | None) -> None:
        ended = update(consents).where(consents.c.id == consent.id, consents.c.withdrawn_at.is_(None))
        if connection.execute(ended.values(withdrawn_at=now)).rowcount:
            end_consent(connection, consent.id, now)
            self._note(connection, "consent.withdrawn", consent, request)

    def _note(self, connection: Connection, operation: str, consent: Consent, request: str | None) -> None:
        facts: dict[str, Fact] = {"consent": consent.id, "purpose": consent.purpose, "version": consent.notice}
        entry = self._ground.entry(operation, consent.tenant, request or consent.id, consent.subject, facts)
        self._ground.event(connection, entry)


def lock_standing(connection: Connection, tenant: str, subject: str, purpose: str, now: int) -> tuple[str, int | None]:
    """Id and end of the consent that stands; it cannot be withdrawn until this transaction ends.

    Raises `Denied` (no-consent) when none stands, or the person says no to the purpose.
    """
    found = _standing(connection, tenant, subject, purpose, lock=True)
    if found is None or not found.valid_at(now) or purpose in objected(connection, tenant, subject, now):
        raise Denied(
            "The person has not agreed to this purpose, or no longer; ask for their consent.", code="no-consent"
        )
    return found.id, found.expires_at


def _standing(connection: Connection, tenant: str, subject: str, purpose: str, *, lock: bool = False) -> Consent | None:
    query = select(consents).where(
        consents.c.tenant == tenant,
        consents.c.subject == subject,
        consents.c.purpose == purpose,
        consents.c.withdrawn_at.is_(None),
    )
    found = connection.execute(query.with_for_update(read=True) if lock else query).mappings().first()
    return Consent(**dict(found)) if found else None


def _owned(connection: Connection, tenant: str, subject: str, consent_id: str) -> Consent:
    query = select(consents).where(
        consents.c.id == consent_id, consents.c.tenant == tenant, consents.c.subject == subject
    )
    found = connection.execute(query).mappings().first()
    if found is None:
        raise NotFound("There is no such consent; list yours to see their ids.")
    return Consent(**dict(found))
