"""Illegal imagery: kept sealed as evidence under a legal hold, never shown in review, opened or released by two.

States: preserved, reported (authority, reference, date), released or expired. A provider of the United States keeps
what it reported for one year after the report to the CyberTipline: 18 U.S.C. 2258A(h)(1) as amended by the REPORT Act
(Pub. L. 118-59, 7 May 2024). The time is set in the policy of the installation (`evidence_days`). Other laws: Art. 18
of Regulation (EU) 2022/2065 demands the report without delay where a life or somebody's safety is threatened.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from troth.gateway.moderation.messages import EvidenceShown
from troth.gateway.moderation.tables import evidence
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, TrothError
from troth.kernel.ids import new_id
from troth.kernel.operation import Binary, Call
from troth.storage.database import Database
from troth.vault.holds import Holds
from troth.vault.objects import KeepRequest, Objects

OWNER = "svc_moderation"  # whose key seals evidence: nobody's, so no erasure of a person reaches it
APPROVER = "svc_hash-list"  # in whose name the hold is placed: a picture matched the list
BASIS = "illegal-imagery"
PRESERVED, REPORTED, RELEASED, EXPIRED = "preserved", "reported", "released", "expired"
OPENING, RELEASE = "open", "release"
_DAY = 86_400_000


class Preserved:
    """Evidence of one installation, by tenant."""

    def __init__(self, database: Database, objects: Objects, holds: Holds, clock: Clock, days: int) -> None:
        self._database, self._objects, self._holds, self._clock, self._days = database, objects, holds, clock, days

    def preserve(self, call: Call, case: str, content: bytes) -> str:
        """Keep a picture that matched, with who sent it and when. Idempotent by case. Blocks; raises as the vault."""
        with self._database.read() as connection:
            known = connection.execute(select(evidence.c.id).where(evidence.c.case == case)).scalar()
        if known is not None:
            return str(known)
        told = {"picture": base64.b64encode(content).decode(), "subject": call.subject, "actor": call.caller.actor,
                "request": call.request_id, "at": epoch_ms(call.at)}  # fmt: skip
        kept = self._objects.keep(
            KeepRequest(call.tenant, OWNER, DataClass.USER_GENERATED, "evidence", "application/json", "evidence",
                        json.dumps(told).encode())
        )  # fmt: skip
        now = self._now()
        ends = now + self._days * _DAY
        hold = self._holds.place(call.tenant, basis=BASIS, approver=APPROVER, ends_at=ends, of=kept.id)
        row = {"id": new_id("evd"), "tenant": call.tenant, "case": case, "object": kept.id, "hold": hold.id,
               "state": PRESERVED, "preserved_at": now, "ends_at": ends}  # fmt: skip
        with self._database.write() as connection:
            connection.execute(insert(evidence), row)
        return str(row["id"])

    def all(self, tenant: str) -> list[EvidenceShown]:
        """The evidence of a tenant, newest first."""
        query = select(evidence).where(evidence.c.tenant == tenant)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(evidence.c.preserved_at.desc(), evidence.c.id).limit(500))
            return [_piece(dict(one)) for one in found.mappings()]

    def report(self, tenant: str, evidence_id: str, actor: str, told: tuple[str, str]) -> EvidenceShown:
        """Note that it was reported: (authority, reference). From now on the statutory time runs.

        Raises `NotFound`, `Conflict` (evidence-over) for what was released or has expired, (stale-evidence) when
        somebody else acts on it at the same time.
        """
        now = self._now()
        ends = now + self._days * _DAY
        row = self._standing(tenant, evidence_id)
        hold = self._holds.place(tenant, basis=BASIS, approver=APPROVER, ends_at=ends, of=row["object"])
        try:
            shown = self._change(row, hold=hold.id, ends_at=ends, state=REPORTED, authority=told[0],
                                 reference=told[1], reported_at=now, reported_by=actor)  # fmt: skip
        except TrothError:  # whatever it was, no hold stays that nobody knows of
            self._holds.lift(tenant, hold.id, actor=APPROVER)
            raise
        self._holds.lift(tenant, row["hold"], actor=APPROVER)
        return shown

    def ask(self, tenant: str, evidence_id: str, actor: str, wish: str) -> EvidenceShown:
        """One of two asks to open or release. Raises as `report`."""
        row = self._standing(tenant, evidence_id)
        return self._change(row, asked_for=wish, asked_by=actor, asked_at=self._now())

    def open(self, tenant: str, evidence_id: str, actor: str) -> Binary:
        """The other one opens it, once: of several at the same time one gets it.

        Raises `Denied` (own-proposal), `Conflict` (not-waiting, and as `report`).
        """
        row = self._agreed(tenant, evidence_id, actor, OPENING)
        _, content = self._objects.open(tenant, OWNER, row["object"], duty=True)
        self._change(row, **_ANSWERED)  # before anybody has it
        return Binary(content, "application/json", "evidence.json")

    def release(self, tenant: str, evidence_id: str, actor: str) -> EvidenceShown:
        """The other one releases it: the hold is lifted and the bytes are erased. Raises as `open`."""
        row = self._agreed(tenant, evidence_id, actor, RELEASE)
        if row["reported_at"] is not None and self._now() < row["ends_at"]:
            raise Conflict("The law keeps what was reported until its time is over.", code="held")
        released = self._change(row, state=RELEASED, **_ANSWERED)  # from here on nobody can report it
        self._drop(row)
        return released

    def sweep(self) -> int:
        """Erase what the statutory time is over for, and what was released and is still here; how many."""
        standing = and_(evidence.c.state.in_((PRESERVED, REPORTED)), evidence.c.ends_at <= self._now())
        left = and_(evidence.c.state.in_((RELEASED, EXPIRED)), evidence.c.hold != _LIFTED)
        with self._database.read() as connection:
            rows = [dict(one) for one in connection.execute(select(evidence).where(or_(standing, left))).mappings()]
        return sum(self._swept(row) for row in rows)

    def _swept(self, row: dict[str, Any]) -> bool:
        with suppress(Conflict):  # reported meanwhile, or held for another reason too: the next round looks again
            if row["state"] in (PRESERVED, REPORTED):
                self._change(row, state=EXPIRED)
            self._drop(row)
            return True
        return False

    def _drop(self, row: dict[str, Any]) -> None:
        self._holds.lift(row["tenant"], row["hold"], actor=APPROVER)
        with suppress(Gone, NotFound):  # past its class's own end: the retention takes it, now that nothing holds it
            self._objects.delete(row["tenant"], OWNER, row["object"])
        with self._database.write() as connection:
            connection.execute(update(evidence).where(evidence.c.id == row["id"]).values(hold=_LIFTED))

    def _agreed(self, tenant: str, evidence_id: str, actor: str, wish: str) -> dict[str, Any]:
        row = self._standing(tenant, evidence_id)
        if row["asked_for"] != wish:
            raise Conflict(f"Nobody asked to {wish} this; ask first, then somebody else does it.", code="not-waiting")
        if row["asked_by"] == actor:
            raise Denied("Two people do this: somebody other than who asked.", code="own-proposal")
        return row

    def _standing(self, tenant: str, evidence_id: str) -> dict[str, Any]:
        with self._database.read() as connection:
            row = _row(connection, evidence_id)
        if row is None or row["tenant"] != tenant:
            raise NotFound("There is no such evidence; list it to see the ids.")
        if row["state"] in (RELEASED, EXPIRED):
            raise Conflict("This evidence was released or has expired.", code="evidence-over")
        return row

    def _change(self, row: dict[str, Any], **values: Any) -> EvidenceShown:
        """Change a piece that stands as it was read; one statement, so that one of several at the same time does it."""
        same = [evidence.c[name].is_not_distinct_from(row[name]) for name in _STANDS]
        with self._database.write() as connection:
            if not connection.execute(update(evidence).where(*same).values(values)).rowcount:
                raise Conflict("Somebody else acted on this evidence at the same time; look at it again.",
                               code="stale-evidence")  # fmt: skip
            changed = _row(connection, row["id"])
        assert changed is not None
        return _piece(changed)

    def _now(self) -> int:
        return epoch_ms(self._clock.now())


_STANDS = ("id", "state", "hold", "ends_at", "asked_for", "asked_by", "asked_at")
_LIFTED = ""  # in place of a hold: the bytes are gone
_ANSWERED = {"asked_for": None, "asked_by": None, "asked_at": None}


def _row(connection: Connection, evidence_id: str) -> dict[str, Any] | None:
    found = connection.execute(select(evidence).where(evidence.c.id == evidence_id)).mappings().first()
    return None if found is None else dict(found)


def _piece(row: dict[str, Any]) -> EvidenceShown:
    return EvidenceShown(**{name: row[name] for name in EvidenceShown.model_fields})
