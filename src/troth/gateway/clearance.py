"""The middle of every generation: choose the vendor, pass the gate, moderate, redact, seal the receipt - then leave."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from troth.gateway.moderation import Moderator
from troth.gateway.receipts import Receipts, Sent
from troth.gateway.redaction import Cleared, Places, Redaction, Redactor
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.port import Vendor
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.record import Offer, Retention, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, TooLarge, TrothError
from troth.kernel.operation import Call
from troth.vault.consent import VENDOR_RETENTION

# Characters of one request that are read by the detector and the moderator. Half a million tokens, more than the models
# on offer take; the slowest text known costs the detector 4 s of one core per million characters.
MAX_TEXT = 2_000_000


class ConsentSource(Protocol):
    """Who agreed to what; `vault.consent.Consents` is one."""

    def valid(self, tenant: str, subject: str, purpose: str) -> str | None:
        """The id of the consent that holds now, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request as the caller made it. `pictures`: SHA-256 of those that travel beside the payload."""

    operation: str
    kind: str  # chat | image
    model: str
    payload: dict[str, Any]
    places: Places
    pictures: tuple[str, ...] = ()
    has_pictures: bool = False


@dataclass(slots=True)
class Departure:
    """A request that may leave now, and how it ended."""

    call: Call
    record: VendorRecord
    model: str
    port: Vendor
    payload: dict[str, Any]
    redaction: Redaction
    receipt: ReceiptRow
    outcome: str = "failed"
    objects: tuple[str, ...] = field(default=())


class Clearance:
    """Clears requests for departure. `clear` blocks (database, vault): call it on a worker thread."""

    def __init__(
        self,
        vendors: Vendors,
        ports: Ports,
        *,
        redactor: Redactor,
        moderator: Moderator,
        receipts: Receipts,
        consents: ConsentSource,
        clock: Clock,
    ) -> None:
        self._vendors = vendors
        self._ports = ports
        self._redactor = redactor
        self._moderator = moderator
        self._receipts = receipts
        self._consents = consents
        self._clock = clock

    def clear(self, call: Call, wanted: Wanted) -> Departure:
        """Raises the first refusal on the way; until it returns, nothing has left."""
        now = epoch_ms(self._clock.now())
        record, offer, consent = self._choose(call, wanted, now)
        port = self._ports.port(record, now)
        call.note(vendor=record.id, model=wanted.model, moderation=self._moderator.version)
        _check_amount(wanted)
        self._moderator.check_all(_texts(wanted.payload, wanted.places, ""))
        redaction = self._redactor.begin()
        try:
            payload = self._outgoing(call, wanted, offer, redaction)
            counts = redaction.counts()
            call.note(withheld=sum(counts.values()), kinds=counts)
            shown = _without_pictures(payload) | ({"pictures": list(wanted.pictures)} if wanted.pictures else {})
            sent = Sent(wanted.operation, wanted.model, shown, counts, consent, self._moderator.version,
                        self._redactor.version)  # fmt: skip
            receipt = self._receipts.open(call, record, sent)
        except TrothError:
            redaction.close()
            raise
        return Departure(call, record, wanted.model, port, payload, redaction, receipt)

    @asynccontextmanager
    async def concluding(self, departure: Departure) -> AsyncIterator[Departure]:
        """Whatever happens inside, the receipt says how it ended and the placeholders are forgotten."""
        try:
            yield departure
        except TrothError as error:
            departure.outcome = error.code
            raise
        except (asyncio.CancelledError, GeneratorExit):
            departure.outcome = "cancelled"
            raise
        finally:
            departure.redaction.close()
            ending = self._receipts.ending(departure.receipt, departure.outcome, departure.objects)
            departure.call.finish_with(ending)  # in the transaction of the closing record

    def _choose(self, call: Call, wanted: Wanted, now: int) -> tuple[VendorRecord, Offer, str | None]:
        """The first vendor that offers the model and may be sent this; the first refusal when none may."""
        refusal: TrothError = NotFound(
            "There is no such model; list the models to see those you may use.", code="model-not-found", field="model"
        )
        for number, record in enumerate(self._vendors.offering(wanted.model, wanted.kind)):
            consent = self._consent(call, record)
            facts = RequestFacts(call.caller.jurisdiction, consent, pictures=wanted.has_pictures)
            try:
                admissible(record, facts, now)
            except TrothError as error:
                refusal = error if number == 0 else refusal
                continue
            offer = record.offer(wanted.model, wanted.kind)
            assert offer is not None
            return record, offer, consent
        raise refusal

    def _consent(self, call: Call, record: VendorRecord) -> str | None:
        if record.facts.retention is not Retention.DAYS:
            return None
        return self._consents.valid(call.tenant, call.subject, VENDOR_RETENTION)

    def _outgoing(self, call: Call, wanted: Wanted, offer: Offer, redaction: Redaction) -> dict[str, Any]:
        """The payload for the vendor: read, and with the fields that would tell it who asks replaced (VEN-03)."""
        payload = redaction.redact(wanted.payload, wanted.places)
        payload["model"] = offer.upstream
        if wanted.kind == "chat":
            payload["store"] = False
        for name in ("user", "safety_identifier"):
            if name in payload:
                payload[name] = self._redactor.pseudonym(call.tenant, payload[name])
        if "seed" in payload:
            payload["seed"] = self._redactor.seed(call.tenant, payload["seed"])
        if offer.response_format and wanted.kind == "image":
            payload["response_format"] = offer.response_format
        return payload


def _check_amount(wanted: Wanted) -> None:
    """Raises `TooLarge` (too-much-text)."""
    amount = 0
    for size in _sizes(wanted.payload):
        amount += size
        if amount > MAX_TEXT:
            raise TooLarge(f"A request may hold at most {MAX_TEXT:,} characters of text; send less at once.",
                           code="too-much-text")  # fmt: skip


def _sizes(value: Any) -> Iterator[int]:
    """How long each thing is that the detector reads: texts, keys, and numbers as they are written."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield len(key)
            yield from _sizes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _sizes(one)
    elif not isinstance(value, Cleared):
        yield len(value) if isinstance(value, str) else len(str(value))


def _texts(value: Any, places: Places, path: str) -> Iterator[str]:
    """Every text that a person wrote, in order."""
    if path in places.fixed or isinstance(value, Cleared):
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _texts(one, places, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, places, f"{path}.*")


def _without_pictures(value: Any) -> Any:
    """Inline pictures as digests: a receipt proves which picture left without keeping another copy."""
    if isinstance(value, dict):
        return {key: _without_pictures(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_pictures(one) for one in value]
    if isinstance(value, str) and value.startswith("data:image/"):
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value
