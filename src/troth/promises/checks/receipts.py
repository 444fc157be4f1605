"""RGT-08: people can see how their information is processed: a receipt says what store, vendor record and log say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from troth.audit.leaf import read_leaf
from troth.audit.verify import verify_proof
from troth.gateway.store import ReceiptRow, find_receipt, receipts
from troth.gateway.vendors.local_studio import CHAT_MODEL
from troth.gateway.wire.receipts import Receipt, ShowReceipt
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import IntegrityError, NotFound
from troth.kernel.ids import new_id
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Probe, probe, refused
from troth.promises.system import System
from troth.vault.moving.arriving import arrivals

_ADDRESS = "priscilla.castellanos@example.org"
_DAYS_MS, _NEWEST = 7 * 86_400_000, 40
Change = Callable[[Receipt], Receipt]


def _told(system: System, changed: Change) -> Facts:
    """A synthetic person's receipt against what is kept; then the newest receipts here against their logs."""
    request = new_id("req")
    with probe(system) as person:
        _chat(person, request, f"Write to {_ADDRESS} about the pump.")
        receipt: Receipt = changed(person.run("receipt.show", ShowReceipt(request_id=request)))
        with system.base.database.read() as connection:
            row = find_receipt(connection, person.tenant, request)
        assert row is not None
        system.base.sequencer.flush(person.tenant)
        entries = _entries(system, person.tenant, request)
        outcomes = [*_as_kept(person, receipt, row), *_as_logged(receipt, row, entries)]
        outcomes += _proven(system, person.tenant, request)
    system.base.sequencer.flush()
    return counted(outcomes + [_recorded(system, one) for one in _newest(system)])


def _chat(person: Probe, request: str, content: str) -> None:
    name, dispatcher = "chat.complete", person.system.dispatcher
    wanted = {"model": CHAT_MODEL, "messages": [{"role": "user", "content": content}], "store": True}
    asked = dispatcher.registry[name].declaration.request.model_validate(wanted)
    asyncio.run(dispatcher.run_async(name, person.caller(), asked, request))


def _as_kept(person: Probe, receipt: Receipt, row: ReceiptRow) -> list[bool]:
    """Vendor, region and times as the row, the vendor's record and the object have them; what came of it is there."""
    facts = person.system.gateway.vendors.get(row.vendor).facts
    return [
        (receipt.vendor, receipt.model, receipt.sent_at) == (row.vendor, row.model, row.sent_at),
        tuple(receipt.regions) == facts.regions,
        (receipt.retention, receipt.retention_days) == (facts.retention, facts.retention_days),
        receipt.expires_at is not None and receipt.expires_at == person.row(row.object)["expires_at"],
        receipt.outcome == row.outcome,
        bool(receipt.objects) and tuple(receipt.objects) == row.objects,
        all(not refused(lambda one=one: person.open(one)) for one in receipt.objects),  # type: ignore[misc]
    ]


def _as_logged(receipt: Receipt, row: ReceiptRow, entries: list[dict[str, Any]]) -> list[bool]:
    """The receipt was kept before the request left, and the closing entry names the same vendor, model and rules."""
    closing: dict[str, Any] = next((one["facts"] for one in entries if one["phase"] == "closed"), {})
    kept = [one for one in entries if one.get("facts", {}).get("object") == row.object]
    return [
        (closing.get("vendor"), closing.get("model")) == (receipt.vendor, receipt.model),
        closing.get("moderation") == receipt.moderation,
        closing.get("withheld") == sum(receipt.withheld.values()) > 0,
        "the pump" in str(receipt.sent) and _ADDRESS not in str(receipt.sent),
        [one["op"] for one in kept] == ["object.kept"],
    ]


def _proven(system: System, tenant: str, request: str) -> list[bool]:
    """The entries of the request verify offline by the log's public key, and a changed one does not."""
    base, key = system.base, str(system.base.sequencer.origins.key(tenant))
    outcomes = []
    for index in base.prover.locate(tenant, request):
        proof, entry = base.prover.proof(tenant, index), base.reader.entry(tenant, index)
        outcomes.append(not refused(lambda p=proof, e=entry: verify_proof(p, e, key)))  # type: ignore[misc]
        other = entry.replace(b"req_", b"req-", 1)
        outcomes.append(refused(lambda p=proof, e=other: verify_proof(p, e, key), IntegrityError))  # type: ignore[misc]
    return outcomes


def _newest(system: System) -> list[ReceiptRow]:
    """The newest receipts of a week, of everybody; those of a few seconds ago may still wait for their entries.

    What a tenant brought along when it moved here stands in the log that it left.
    """
    now = epoch_ms(system.base.clock.now())
    made_here = receipts.c.sent_at > func.coalesce(arrivals.c.begun_at, 0)
    moved = receipts.outerjoin(arrivals, arrivals.c.tenant == receipts.c.tenant)
    of_a_week = receipts.c.sent_at.between(now - _DAYS_MS, now - 10_000)
    recent = select(receipts).select_from(moved).where(of_a_week, made_here)
    with system.base.database.read() as connection:
        found = connection.execute(recent.order_by(receipts.c.sent_at.desc()).limit(_NEWEST)).mappings().all()
    return [ReceiptRow(**{**one, "objects": (), "marked": None}) for one in found]


def _recorded(system: System, row: ReceiptRow) -> bool:
    """The log of its tenant has the object of the receipt under its request."""
    entries = _entries(system, row.tenant, row.request.partition(".")[0])
    return any(one.get("facts", {}).get("object") == row.object for one in entries)


def _entries(system: System, log: str, request: str) -> list[dict[str, Any]]:
    try:
        return [read_leaf(system.base.reader.entry(log, one)) for one in system.base.prover.locate(log, request)]
    except NotFound:
        return []


def _same(receipt: Receipt) -> Receipt:
    return receipt


def _untrue(receipt: Receipt) -> Receipt:
    """The known-bad receipt: it names another vendor, place and end."""
    return receipt.model_copy(update={"vendor": "somebody-else", "regions": ["elsewhere"], "expires_at": 1})


CHECKS = (
    Check(
        "receipts-true",
        ("RGT-08",),
        "A synthetic person asks the built-in studio: their receipt must say the vendor, region, deadline, rules and "
        "outcome that store, vendor record and log have, and the entries must verify offline by the log's key. The "
        "newest 40 receipts of a week must stand in their logs; their content is not opened. What a vendor does is not "
        "known.",
        lambda system: _told(system, _same),
        lambda system: _told(system, _untrue),
        every=6 * 3600,
        scope="one synthetic receipt, and the newest 40 of a week",
        population="statements of the receipt, proofs, and receipts in logs",
    ),
)
