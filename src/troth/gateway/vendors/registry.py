"""The vendors on file: added by one operator, approved by another, suspended at once (VEN-01, VEN-02)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError as DuplicateRow

from troth.gateway.store import ALL_VENDORS, VENDOR_FACTS
from troth.gateway.store import vendors as table
from troth.gateway.vendors import filing
from troth.gateway.vendors.announcing import Notice, announced
from troth.gateway.vendors.papers import Tier
from troth.gateway.vendors.record import Contact, DueDiligence, Happened, Observed, Probe, State, VendorRecord
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.storage.database import Database

MAX_REVIEW_MS = 366 * 86_400_000  # a review holds for a year at most (VEN-06)
_What = Literal["added", "amended", "approved", "suspended", "contact", "probed"]


class Sealed(Protocol):
    """Seals small secrets of the deployment; wiring gives one."""

    def seal(self, label: str, plaintext: bytes) -> bytes:
        """Ciphertext bound to `label`."""
        ...

    def open(self, label: str, sealed: bytes) -> bytes:
        """The plaintext. Raises `IntegrityError` when it does not fit, `Unavailable` without the key."""
        ...


class Vendors:
    """The registry. `shipped` records stand beside those in the database and cannot be changed there."""

    def __init__(
        self,
        database: Database,
        sealed: Sealed,
        clock: Clock,
        shipped: Sequence[VendorRecord],
        notice: Notice | None = None,
    ) -> None:
        self._database = database
        self._sealed = sealed
        self._clock = clock
        self._shipped = {record.id: record for record in shipped}
        self._notice = notice or Notice()

    def all(self) -> list[VendorRecord]:
        """Shipped vendors first, then the others by id."""
        rows = self._database.rows(ALL_VENDORS, {})
        return [*self._shipped.values(), *(_remembered(tuple(row)) for row in rows)]

    def get(self, vendor: str) -> VendorRecord:
        """One vendor. Raises `NotFound`."""
        if vendor in self._shipped:
            return self._shipped[vendor]
        with self._database.read() as connection:
            return self._find(connection, vendor)

    def offering(self, model: str, kind: str) -> list[VendorRecord]:
        """Vendors of any state whose record offers this model."""
        return [record for record in self.all() if record.offer(model, kind)]

    def credential(self, vendor: str) -> str | None:
        """The secret that the vendor asks for. Raises what `Sealed.open` raises."""
        with self._database.read() as connection:
            sealed = connection.execute(select(table.c.credential).where(table.c.id == vendor)).scalar()
        return None if sealed is None else self._sealed.open(_label(vendor), bytes(sealed)).decode()

    def add(self, vendor: str, facts: DueDiligence, credential: str | None, actor: str) -> VendorRecord:
        """Put a vendor on file as a draft. Raises `Conflict` when the id is taken, `Invalid` for a made-up tier."""
        _third_party(facts)
        record = VendorRecord(id=vendor, kind=facts.speech.adapter, state=State.DRAFT, facts=facts, requested_by=actor)
        record = self._told(record, "added", actor)
        if vendor in self._shipped:
            raise _taken()
        try:
            with self._database.write() as connection:
                connection.execute(insert(table).values(self._row(record, credential) | {"id": vendor}))
        except DuplicateRow as error:
            raise _taken() from error
        return record

    def amend(self, vendor: str, facts: DueDiligence, credential: str | None, actor: str) -> VendorRecord:
        """Replace what is on file; the vendor is a draft again until somebody else approves it.

        `credential` None keeps the stored one, but only for the same address: a new address never gets an old secret.
        """
        _third_party(facts)
        with self._database.write() as connection:
            before = self._held(connection, vendor)
            draft = {"facts": facts, "kind": facts.speech.adapter, "state": State.DRAFT, "requested_by": actor}
            same_road = before.facts.base_url == facts.base_url
            seen = before.observed if same_road else before.observed.model_copy(update={"probe": None})
            record = before.model_copy(update=draft | {"approved_by": None, "observed": seen})
            record = self._told(record, "amended", actor, filing.changed(before.facts, facts))
            row = self._row(record, credential)
            if credential is None and same_road:
                del row["credential"]
            connection.execute(update(table).where(table.c.id == vendor).values(row))
        return record

    def approve(self, vendor: str, actor: str) -> VendorRecord:
        """A second operator confirms the review, which publishes who is new. The gate waits for the end of the notice.

        Raises `Denied` for the requester, `Conflict` for missing answers.
        """
        with self._database.write() as connection:
            record = self._held(connection, vendor)
            if record.requested_by == actor:
                raise Denied("A vendor is approved by somebody other than its requester; ask a colleague.",
                             code="same-person")  # fmt: skip
            now = epoch_ms(self._clock.now())
            _complete(record, now)
            told = record.observed.model_copy(update={"announced": announced(record, self._notice, now)})
            approved = record.model_copy(update={"state": State.APPROVED, "approved_by": actor, "observed": told})
            return self._change(connection, self._told(approved, "approved", actor))

    def suspend(self, vendor: str, actor: str) -> VendorRecord:
        """Stop every further call to it."""
        with self._database.write() as connection:
            record = self._held(connection, vendor).model_copy(update={"state": State.SUSPENDED})
            return self._change(connection, self._told(record, "suspended", actor))

    def contacted(self, vendor: str, answered: bool, actor: str) -> VendorRecord:
        """Note a test of the vendor's contact for incidents (VEN-08)."""
        test = Contact(at=epoch_ms(self._clock.now()), by=actor, answered=answered)
        return self._observe(vendor, "contact", actor, lambda seen: filing.with_contact(seen, test))

    def probed(self, vendor: str, probe: Probe, actor: str) -> VendorRecord:
        """Note what the vendor's address offered (VEN-04)."""
        return self._observe(vendor, "probed", actor, lambda seen: seen.model_copy(update={"probe": probe}))

    def _observe(self, vendor: str, what: _What, actor: str, change: Any) -> VendorRecord:
        with self._database.write() as connection:
            record = self._held(connection, vendor)
            seen: Observed = change(record.observed)
            return self._change(connection, self._told(record.model_copy(update={"observed": seen}), what, actor))

    def _held(self, connection: Connection, vendor: str) -> VendorRecord:
        """The vendor, whose row nobody else changes until the end of this transaction: a change writes all of it."""
        if vendor in self._shipped:
            raise Conflict("This vendor is part of Troth; its record changes only with a release.", code="shipped")
        return self._find(connection, vendor, alone=True)

    def _find(self, connection: Connection, vendor: str, *, alone: bool = False) -> VendorRecord:
        wanted = select(table).where(table.c.id == vendor)
        row = connection.execute(wanted.with_for_update() if alone else wanted).mappings().first()
        if row is None:
            raise NotFound("There is no vendor of that id; list the vendors to see them.")
        return _record(dict(row))

    def _told(self, record: VendorRecord, what: _What, actor: str, changed: tuple[str, ...] = ()) -> VendorRecord:
        now = epoch_ms(self._clock.now())
        event = Happened(at=now, by=actor, what=what, facts=filing.digest(record.facts), changed=changed)
        return record.model_copy(update={"observed": filing.with_event(record.observed, event), "changed_at": now})

    def _change(self, connection: Connection, record: VendorRecord) -> VendorRecord:
        row = self._row(record, None)
        del row["credential"]
        connection.execute(update(table).where(table.c.id == record.id).values(row))
        return record

    def _row(self, record: VendorRecord, credential: str | None) -> dict[str, Any]:
        return {
            "state": record.state.value,
            "facts": filing.written(record.facts, record.observed),
            "requested_by": record.requested_by,
            "approved_by": record.approved_by,
            "credential": None if credential is None else self._sealed.seal(_label(record.id), credential.encode()),
            "changed_at": record.changed_at,
        }


def _third_party(facts: DueDiligence) -> None:
    if facts.diligence is not None and facts.diligence.tier is Tier.BUILT_IN:
        raise Invalid("The tier 'built-in' is for what runs inside Troth; choose critical, standard or low.",
                      code="tier-built-in", field="facts")  # fmt: skip


def _complete(record: VendorRecord, now: int) -> None:
    facts = record.facts
    missing = facts.missing() + ([] if facts.encrypted else ["base_url (https)"])
    if missing:
        raise Conflict(f"The review lacks answers: {', '.join(missing)}; amend the vendor first.",
                       code="review-incomplete")  # fmt: skip
    if facts.diligence is not None and facts.diligence.reviewer == record.requested_by:
        raise Denied("The reviewer of a vendor is somebody other than its requester; ask a colleague for the review.",
                     code="reviewer-is-requester")  # fmt: skip
    if facts.review_expires is not None and not now < facts.review_expires <= now + MAX_REVIEW_MS:
        raise Conflict("A review ends in the future and within a year; correct review_expires.", code="review-expired")
    if facts.agreement_ends is not None and facts.agreement_ends <= now:
        raise Conflict("The agreement has ended; record the renewed one.", code="agreement-ended")
    waiver = facts.tls_waiver
    if waiver is not None and not waiver.holds(now):
        raise Conflict("An exception from TLS 1.3 needs an approver other than its owner, and an end in the future.",
                       code="tls-waiver-ended")  # fmt: skip


@lru_cache(maxsize=256)
def _remembered(row: tuple[Any, ...]) -> VendorRecord:
    """One row as a record, made once for equal rows: records do not change."""
    return _record(dict(zip(VENDOR_FACTS, row, strict=True)))


def _record(row: dict[str, Any]) -> VendorRecord:
    facts, observed = filing.read(row["facts"])
    return VendorRecord(
        id=row["id"],
        kind=facts.speech.adapter,
        state=State(row["state"]),
        facts=facts,
        requested_by=row["requested_by"],
        approved_by=row["approved_by"],
        changed_at=row["changed_at"],
        observed=observed,
    )


def _taken() -> Conflict:
    return Conflict("A vendor of that id is on file; amend it or choose another id.", code="exists")


def _label(vendor: str) -> str:
    return f"vendor-credential/{vendor}"
