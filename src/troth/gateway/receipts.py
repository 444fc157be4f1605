"""Receipts: what a vendor was sent, sealed for the person it was sent for, before the vendor gets the first byte.

Keeping the receipt first means that with the vault, the keys or the database down nothing leaves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as DuplicateRow

from troth.gateway import store
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.record import VendorRecord
from troth.gateway.wire.receipts import Receipt
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Gone, NotFound
from troth.kernel.ids import part_id
from troth.kernel.operation import Call
from troth.kernel.uses import RECEIPT, Meter, Unmetered
from troth.storage.database import Database
from troth.vault.lineage import bind
from troth.vault.objects import KeepRequest, Objects

_MARKS = frozenset({"content-credentials", "time-stamp", "watermark", "fingerprint"})
_STEP = ".step-"  # no request id has a dot, so nobody's request is named so


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
    objected: tuple[str, ...] = ()
    routing: dict[str, Any] | None = None
    pictures: dict[str, str] | None = None
    steps: tuple[tuple[str, str], ...] = ()  # what was done before it left, in order, and by what
    part: int = 0  # of a request that takes several, from 1


class Receipts:
    """Keeps and shows receipts."""

    def __init__(self, database: Database, objects: Objects, clock: Clock, meter: Meter | None = None) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock
        self._meter = meter or Unmetered()

    def open(self, call: Call, vendor: VendorRecord, sent: Sent) -> ReceiptRow:
        """Seal the receipt; after this the request may leave. Raises `Conflict` for a request id used before."""
        now = epoch_ms(self._clock.now())
        content = json.dumps(_content(vendor, sent, now), ensure_ascii=False).encode("utf-8", "surrogatepass")
        row = ReceiptRow(call.tenant, part_id(call.request_id, sent.part), "", vendor.id, sent.model, now)
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
        self._meter.count(RECEIPT)
        return replace(row, object=kept.id)

    @staticmethod
    def going_with(call: Call, row: ReceiptRow, objects: Iterable[str]) -> Callable[[Connection, str], None]:
        """For `Objects.keep`: the receipt's content goes with the object that is kept, and with `objects`.

        It holds the prompt, which must not outlive what was made of it. The row stays, with ids only (VEN-08).
        """
        made = tuple(objects)
        return lambda connection, kept: bind(connection, call.tenant, call.subject, row.object, (*made, kept))

    def follow(self, row: ReceiptRow, vendor: str, outcome: str) -> ReceiptRow:
        """Another vendor steps in: how the one before ended, and a line of its own before it gets the first byte.

        The sealed content is the same, which named this vendor as one that may step in.
        """
        now = epoch_ms(self._clock.now())
        request, _, number = row.request.partition(_STEP)
        following = replace(row, request=f"{request}{_STEP}{int(number or 1) + 1}", vendor=vendor, sent_at=now)
        with self._database.write() as connection:
            store.end_receipt(connection, replace(row, answered_at=now, outcome=outcome))
            store.add_receipt(connection, following)
        self._meter.count(RECEIPT)
        return following

    def ending(
        self, row: ReceiptRow, outcome: str, objects: tuple[str, ...], done: Mapping[str, int] | None = None
    ) -> Callable[[Connection], None]:
        """The change that notes how it ended, which objects came of it, and what was `done` with the answer: marks with
        how many objects carry them, and other steps with their numbers."""
        ended = replace(row, answered_at=epoch_ms(self._clock.now()), outcome=outcome, objects=objects, marked=done)
        return lambda connection: store.end_receipt(connection, ended)

    def end(self, row: ReceiptRow, outcome: str) -> None:
        """Note how it ended at once: of what no closing record comes any more."""
        with self._database.write() as connection:
            self.ending(row, outcome, ())(connection)

    def objects_of(self, tenant: str, request_id: str) -> tuple[str, ...]:
        """The ids of what came of a request of the tenant, whichever vendor did it; whose they are, the vault knows."""
        with self._database.read() as connection:
            rows = store.find_attempts(connection, tenant, request_id, _STEP)
        return rows[-1].objects if rows else ()

    def show(self, tenant: str, subject: str, request_id: str) -> Receipt:
        """One's own receipt, with those of its parts.

        Raises `NotFound`, and `Gone` once it, or what came of it, has expired or was erased. A part that is gone is
        left out.
        """
        shown = self._show(tenant, subject, request_id)
        if shown is None:
            raise NotFound("There is no receipt of that request; use the id that the answer carried.")
        return Receipt.model_validate(shown | {"parts": list(self._parts(tenant, subject, request_id))})

    def _parts(self, tenant: str, subject: str, request_id: str) -> Iterator[dict[str, Any]]:
        for number in count(1):
            with suppress(Gone):
                part = self._show(tenant, subject, part_id(request_id, number))
                if part is None:
                    return
                yield part

    def _show(self, tenant: str, subject: str, request: str) -> dict[str, Any] | None:
        with self._database.read() as connection:
            rows = store.find_attempts(connection, tenant, request, _STEP)
        if not rows:
            return None
        row = rows[-1]
        info, content = self._objects.open(tenant, subject, row.object)
        ending: dict[str, Any] = {"outcome": row.outcome, "answered_at": row.answered_at, "objects": list(row.objects),
                                  "expires_at": info.expires_at}  # fmt: skip
        if len(rows) > 1:
            ending |= {
                "attempts": [{"vendor": one.vendor, "outcome": one.outcome, "sent_at": one.sent_at} for one in rows]
            }
        sealed: dict[str, Any] = json.loads(content)
        return {"request_id": request} | sealed | ending | _answered(row.marked or {}, sealed["moderation"])


def _answered(done: Mapping[str, int], moderation: str) -> dict[str, Any]:
    """What was done with the answer: marks apart, for they say it of objects."""
    marked = {name: count for name, count in done.items() if name in _MARKS}
    by = {"values-restored": "placeholders", "output-moderated": moderation}
    steps = [{"step": name, "by": by.get(name, name), "count": count} for name, count in done.items()
             if name not in _MARKS]  # fmt: skip
    return {"answer_steps": steps, "marked": marked or None}


def _content(vendor: VendorRecord, sent: Sent, now: int) -> dict[str, Any]:
    return {
        "operation": sent.operation,
        "vendor": vendor.id,
        "model": sent.model,
        "regions": list(vendor.facts.regions),
        "retention": str(vendor.facts.retention),
        "retention_days": vendor.facts.retention_days,
        "consent": sent.consent,
        "objected": list(sent.objected),
        "withheld": sent.withheld,
        "moderation": sent.moderation,
        "detector": sent.detector,
        "routing": sent.routing,
        "pictures": sent.pictures,
        "steps": [{"step": step, "by": by} for step, by in sent.steps],
        "sent": sent.payload,
        "sent_at": now,
    }
