"""Receipts: what a vendor was sent, sealed for the person it was sent for, before the vendor gets the first byte.

Keeping the receipt first means that with the vault, the keys or the database down nothing leaves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as DuplicateRow

from troth.gateway import store
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.wire.receipts import Receipt
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, NotFound
from troth.kernel.operation import Call
from troth.storage.database import Database
from troth.vault.lineage import bind
from troth.vault.objects import KeepRequest, Objects


@dataclass(frozen=True, slots=True)
class Sent:
    """The facts of one departure. `payload` is exactly what the vendor gets, pictures as digests."""

    operation: str
    model: str
    payload: dict[str, Any]
    withheld: dict[str, int]
    consent: str | None
    moderation: str
    detector: str


class Receipts:
    """Keeps and shows receipts."""

    def __init__(self, database: Database, objects: Objects, clock: Clock) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock

    def open(self, call: Call, vendor: VendorRecord, sent: Sent) -> ReceiptRow:
        """Seal the receipt; after this the request may leave. Raises `Conflict` for a request id used before."""
        now = epoch_ms(self._clock.now())
        content = json.dumps(_content(vendor, sent, now), ensure_ascii=False).encode("utf-8", "surrogatepass")
        row = ReceiptRow(call.tenant, call.request_id, "", vendor.id, sent.model, now)
        request = KeepRequest(
            tenant=call.tenant,
            subject=call.subject,
            data_class=DataClass.USER_GENERATED,
            kind="receipt",
            media_type="application/json",
            name=call.request_id,
            content=content,
            own_unit=False,  # many small objects a day: they share the day's key and its end
            request=call.request_id,
        )
        try:
            kept = self._objects.keep(
                request, beside=lambda connection, kept: store.add_receipt(connection, replace(row, object=kept))
            )
        except DuplicateRow as error:
            raise Conflict("This request id was used before; send each request with an id of its own.",
                           code="duplicate-request") from error  # fmt: skip
        return replace(row, object=kept.id)

    @staticmethod
    def going_with(call: Call, row: ReceiptRow, objects: Iterable[str]) -> Callable[[Connection, str], None]:
        """For `Objects.keep`: the receipt's content goes with the object that is kept, and with `objects`.

        It holds the prompt, which must not outlive what was made of it. The row stays, with ids only (VEN-08).
        """
        made = tuple(objects)
        return lambda connection, kept: bind(connection, call.tenant, call.subject, row.object, (*made, kept))

    def ending(self, row: ReceiptRow, outcome: str, objects: tuple[str, ...]) -> Callable[[Connection], None]:
        """The change that notes how it ended and which objects came of it."""
        ended = replace(row, answered_at=epoch_ms(self._clock.now()), outcome=outcome, objects=objects)
        return lambda connection: store.end_receipt(connection, ended)

    def show(self, tenant: str, subject: str, request_id: str) -> Receipt:
        """One's own receipt. Raises `NotFound`, and `Gone` once it, or what came of it, has expired or was erased."""
        with self._database.read() as connection:
            row = store.find_receipt(connection, tenant, request_id)
        if row is None:
            raise NotFound("There is no receipt of that request; use the id that the answer carried.")
        _, content = self._objects.open(tenant, subject, row.object)
        ending = {"outcome": row.outcome, "answered_at": row.answered_at, "objects": list(row.objects)}
        return Receipt.model_validate({"request_id": request_id} | json.loads(content) | ending)


def _content(vendor: VendorRecord, sent: Sent, now: int) -> dict[str, Any]:
    return {
        "operation": sent.operation,
        "vendor": vendor.id,
        "model": sent.model,
        "regions": list(vendor.facts.regions),
        "retention": str(vendor.facts.retention),
        "retention_days": vendor.facts.retention_days,
        "consent": sent.consent,
        "withheld": sent.withheld,
        "moderation": sent.moderation,
        "detector": sent.detector,
        "sent": sent.payload,
        "sent_at": now,
    }
