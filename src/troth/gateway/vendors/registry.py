"""The vendors on file: added by one operator, approved by another, suspended at once (VEN-01, VEN-02)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError as DuplicateRow

from troth.gateway.store import ALL_VENDORS, VENDOR_FACTS
from troth.gateway.store import vendors as table
from troth.gateway.vendors.record import DueDiligence, State, VendorRecord
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, NotFound
from troth.storage.database import Database

MAX_REVIEW_MS = 366 * 86_400_000  # a review holds for a year at most (VEN-06)


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

    def __init__(self, database: Database, sealed: Sealed, clock: Clock, shipped: Sequence[VendorRecord]) -> None:
        self._database = database
        self._sealed = sealed
        self._clock = clock
        self._shipped = {record.id: record for record in shipped}

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
        """Put a vendor on file as a draft. Raises `Conflict` when the id is taken."""
        record = VendorRecord(id=vendor, kind="openai-compatible", state=State.DRAFT, facts=facts, requested_by=actor)
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
        with self._database.write() as connection:
            before = self._find(connection, vendor)
            record = before.model_copy(
                update={"facts": facts, "state": State.DRAFT, "requested_by": actor, "approved_by": None}
            )
            row = self._row(record, credential)
            if credential is None and before.facts.base_url == facts.base_url:
                del row["credential"]
            connection.execute(update(table).where(table.c.id == vendor).values(row))
        return record

    def approve(self, vendor: str, actor: str) -> VendorRecord:
        """A second operator confirms the review. Raises `Denied` for the requester, `Conflict` for missing answers."""
        with self._database.write() as connection:
            record = self._find(connection, vendor)
            if record.requested_by == actor:
                raise Denied("A vendor is approved by somebody other than its requester; ask a colleague.",
                             code="same-person")  # fmt: skip
            _complete(record.facts, epoch_ms(self._clock.now()))
            return self._change(connection, record, State.APPROVED, actor)

    def suspend(self, vendor: str, actor: str) -> VendorRecord:  # noqa: ARG002 - the audit record names the actor
        """Stop every further call to it."""
        with self._database.write() as connection:
            record = self._find(connection, vendor)
            return self._change(connection, record, State.SUSPENDED, record.approved_by)

    def _find(self, connection: Connection, vendor: str) -> VendorRecord:
        if vendor in self._shipped:
            raise Conflict("This vendor is part of Troth; its record changes only with a release.", code="shipped")
        row = connection.execute(select(table).where(table.c.id == vendor)).mappings().first()
        if row is None:
            raise NotFound("There is no vendor of that id; list the vendors to see them.")
        return _record(dict(row))

    def _change(self, connection: Connection, record: VendorRecord, state: State, approver: str | None) -> VendorRecord:
        values = {"state": state.value, "approved_by": approver, "changed_at": epoch_ms(self._clock.now())}
        connection.execute(update(table).where(table.c.id == record.id).values(values))
        return record.model_copy(update={"state": state, "approved_by": approver})

    def _row(self, record: VendorRecord, credential: str | None) -> dict[str, Any]:
        return {
            "state": record.state.value,
            "facts": record.facts.model_dump_json(),
            "requested_by": record.requested_by,
            "approved_by": record.approved_by,
            "credential": None if credential is None else self._sealed.seal(_label(record.id), credential.encode()),
            "changed_at": epoch_ms(self._clock.now()),
        }


def _complete(facts: DueDiligence, now: int) -> None:
    missing = facts.missing() + ([] if facts.encrypted else ["base_url (https)"])
    if missing:
        raise Conflict(f"The review lacks answers: {', '.join(missing)}; amend the vendor first.",
                       code="review-incomplete")  # fmt: skip
    if facts.review_expires is not None and not now < facts.review_expires <= now + MAX_REVIEW_MS:
        raise Conflict("A review ends in the future and within a year; correct review_expires.", code="review-expired")
    if facts.agreement_ends is not None and facts.agreement_ends <= now:
        raise Conflict("The agreement has ended; record the renewed one.", code="agreement-ended")


@lru_cache(maxsize=256)
def _facts(text: str) -> DueDiligence:
    """What is on file, parsed once for a text: every request reads the rows."""
    return DueDiligence.model_validate_json(text)


@lru_cache(maxsize=256)
def _remembered(row: tuple[Any, ...]) -> VendorRecord:
    """One row as a record, made once for equal rows: records do not change."""
    return _record(dict(zip(VENDOR_FACTS, row, strict=True)))


def _record(row: dict[str, Any]) -> VendorRecord:
    return VendorRecord(
        id=row["id"],
        kind="openai-compatible",
        state=State(row["state"]),
        facts=_facts(row["facts"]),
        requested_by=row["requested_by"],
        approved_by=row["approved_by"],
        changed_at=row["changed_at"],
    )


def _taken() -> Conflict:
    return Conflict("A vendor of that id is on file; amend it or choose another id.", code="exists")


def _label(vendor: str) -> str:
    return f"vendor-credential/{vendor}"
