"""The middle of every generation: choose the vendor, pass the gate, moderate, redact, seal the receipt - then leave."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from troth.gateway.amounts import check_amount
from troth.gateway.departing import Wanted, constants, judged, steps, told, without_pictures
from troth.gateway.few_threads import FewThreads
from troth.gateway.limits.counting import brought, counted, estimated
from troth.gateway.limits.limiter import Limiter, Price, Ticket
from troth.gateway.limits.usage import Done, Usage
from troth.gateway.moderation import Moderator
from troth.gateway.moderation.inline import inline_pictures
from troth.gateway.picture_step import PictureStep
from troth.gateway.receipts import Receipts, Sent
from troth.gateway.redaction import Redaction, Redactor
from troth.gateway.store import ReceiptRow
from troth.gateway.vendors.port import Attachment, Vendor
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.record import Offer, State, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.vendors.routed import RoutedVendor
from troth.gateway.vendors.router import Asked, PolicySource, Route, Router
from troth.gateway.vendors.routing import Candidate
from troth.kernel.clock import Clock
from troth.kernel.errors import Denied, TrothError
from troth.kernel.operation import Call
from troth.vault.consent import VENDOR_RETENTION


class ConsentSource(Protocol):
    """Who agreed to what; `vault.consent.Consents` is one."""

    def valid(self, tenant: str, subject: str, purpose: str) -> str | None:
        """The id of the consent that holds now, or None."""
        ...

    def objected(self, tenant: str, subject: str) -> frozenset[str]:
        """The purposes that the person says no to now."""
        ...


@dataclass(slots=True)
class Departure:
    """A request that may leave now, and how it ended."""

    call: Call
    record: VendorRecord
    offer: Offer
    model: str
    port: Vendor
    payload: dict[str, Any]
    redaction: Redaction
    receipt: ReceiptRow
    judge: Moderator  # of what comes back
    outcome: str = "failed"
    objects: tuple[str, ...] = field(default=())
    marked: dict[str, int] | None = None  # how many of the objects carry which mark
    attachments: list[Attachment] = field(default_factory=list)  # as the vendor may see them
    ticket: Ticket | None = None  # what it may use
    operation: str = ""
    part: int = 0


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
        policies: PolicySource | None = None,
    ) -> None:
        self._vendors = vendors
        self.threads = FewThreads()
        self.limiter: Limiter | None = None  # set by the wiring
        self.usage: Usage | None = None  # likewise
        self._router = Router(vendors, ports, clock, policies)
        self._ports = ports
        self._redactor = redactor
        self._moderator = moderator
        self._receipts = receipts
        self._consents = consents

    def clear(self, call: Call, wanted: Wanted) -> Departure:
        """Raises the first refusal on the way; until it returns, nothing has left."""
        offering = self._vendors.offering(wanted.model, wanted.kind)  # read once: prices and route are of one moment
        if self.limiter is None:
            return self._cleared(call, wanted, offering)
        beside = sum(len(one.content) for one in wanted.attachments)
        estimate = estimated(wanted.kind, wanted.payload, beside, constants=constants(wanted.places))
        ticket = self.limiter.begin(call, estimate, _prices(wanted, offering))
        with ExitStack() as undo:
            undo.callback(ticket.end, None)
            departure = self._cleared(call, wanted, offering)
            undo.pop_all()
        departure.ticket, departure.port = ticket, counted(departure.port, ticket.came)
        departure.operation, departure.part = wanted.operation, wanted.part
        return departure

    async def cleared(self, call: Call, wanted: Wanted) -> Departure:
        """`clear` on a worker thread, for a caller who may leave meanwhile: what comes too late for him is ended."""
        clearing = asyncio.ensure_future(asyncio.to_thread(self.clear, call, wanted))
        try:
            return await asyncio.shield(clearing)
        except asyncio.CancelledError:
            clearing.add_done_callback(self._late)  # the thread goes on, and nobody else would know of it
            raise

    def require(self, call: Call, wanted: Wanted) -> None:
        """Raises what `clear` would say now of who may be asked, without asking. Blocks."""
        route = self._route(call, wanted, self._vendors.offering(wanted.model, wanted.kind))
        self._ports.port(route.first.record, self._router.now())

    def require_room(self, call: Call, size: int) -> None:
        """Raises what the limits say of so many bytes of pictures, before anybody opens them. Blocks."""
        if self.limiter is not None and size:
            self.limiter.require(call, brought(size))

    def _cleared(self, call: Call, wanted: Wanted, offering: Sequence[VendorRecord]) -> Departure:
        route = self._route(call, wanted, offering)
        record, offer, consent = route.first.record, route.first.offer, route.first.consent
        self._ports.port(record, self._router.now())  # refused before anything is read
        judge = self._moderator.of(call, "input")
        call.note(vendor=record.id, model=wanted.model, moderation=judge.version)
        check_amount(wanted.payload)
        judged(judge, wanted.payload, wanted.places)
        judge.check_pictures((*inline_pictures(wanted.payload), *(one.content for one in wanted.attachments)))
        step = self._pictures(call, wanted, route)
        seen = step.payload(wanted.payload) if step else wanted.payload
        attachments = step.attachments(wanted.attachments) if step else list(wanted.attachments)
        redaction = self._redactor.begin(call.tenant)
        with ExitStack() as undo:
            undo.callback(redaction.close)
            payload = self._outgoing(call, replace(wanted, payload=seen), offer, redaction)
            counts = redaction.counts() | (dict(step.counts) if step else {})
            call.note(withheld=sum(counts.values()), kinds=counts)
            digests = [hashlib.sha256(one.content).hexdigest() for one in attachments]
            shown = without_pictures(payload) | ({"pictures": digests} if digests else {})
            objected = tuple(sorted(self._consents.objected(call.tenant, call.subject)))
            sent = Sent(wanted.operation, wanted.model, shown, counts, consent, judge.version,
                        redaction.version, objected, told(route), step.told() if step else None,
                        steps(wanted, payload, (record.id, judge.version, redaction.version), step),
                        wanted.part)  # fmt: skip
            receipt = self._receipts.open(call, record, sent)
            undo.pop_all()
        port = RoutedVendor(self._router, self._ports, route)
        departure = Departure(call, record, offer, wanted.model, port, payload, redaction, receipt,
                              judge.of(call, "output"), attachments=attachments)  # fmt: skip
        port.when_moved = partial(self._moved, departure)
        return departure

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
            answer = _done(departure)
            departure.redaction.close()
            if departure.ticket is not None:
                departure.ticket.end(departure.offer.price)
            ending = self._receipts.ending(departure.receipt, departure.outcome, departure.objects, answer)
            departure.call.finish_with(ending)  # in the transaction of the closing record
            if self.usage is not None and departure.ticket is not None:
                done = Done(departure.operation, departure.model, departure.record.id, departure.outcome,
                            departure.part)  # fmt: skip
                departure.call.finish_with(self.usage.change(departure.call, departure.ticket, done))

    def _late(self, clearing: asyncio.Task[Departure]) -> None:
        if not clearing.cancelled() and clearing.exception() is None:
            clearing.get_loop().run_in_executor(None, copy_context().run, self._abandon, clearing.result())

    def _abandon(self, departure: Departure) -> None:
        """Nothing of it has left. Its request's closing record may stand already, so that its end is a write alone."""
        departure.redaction.close()
        if departure.ticket is not None:
            departure.ticket.end(None)
        with suppress(TrothError):  # as when the process dies: the receipt has no end
            self._receipts.end(departure.receipt, "cancelled")

    def _route(self, call: Call, wanted: Wanted, offering: Sequence[VendorRecord]) -> Route:
        """Who is asked, and who may step in; the first refusal when nobody may be asked."""
        if not call.caller.may_use(wanted.model):
            raise Denied(
                "This API key is kept to other models; list the models to see those it may use.",
                code="model-not-allowed",
                field="model",
            )
        consent = partial(self._consents.valid, call.tenant, call.subject, VENDOR_RETENTION)
        asked = Asked(call.tenant, call.caller.jurisdiction, wanted.model, wanted.kind, wanted.has_pictures, consent,
                      same_shape=wanted.operation.startswith("response"))  # fmt: skip
        return self._router.route(asked, offering)

    def _pictures(self, call: Call, wanted: Wanted, route: Route) -> PictureStep | None:
        """What cleans the pictures; None when there are none, or nobody but this process may see them."""
        ours = all(one.record.kind == "local-studio" for one in (route.first, *route.others))
        if not wanted.has_pictures or ours:
            return None
        return PictureStep(self._redactor, call.tenant, edit=bool(wanted.attachments))

    def _moved(self, departure: Departure, candidate: Candidate, code: str) -> None:
        """Another vendor steps in: its own line of the receipt stands before it gets the first byte."""
        departure.receipt = self._receipts.follow(departure.receipt, candidate.record.id, code)
        departure.record, departure.offer = candidate.record, candidate.offer
        departure.call.note(vendor=candidate.record.id)

    def _outgoing(self, call: Call, wanted: Wanted, offer: Offer, redaction: Redaction) -> dict[str, Any]:
        """The payload for the vendor: read, and with the fields that would tell it who asks replaced (VEN-03)."""
        payload = redaction.redact(wanted.payload, wanted.places)
        payload = redaction.masked(payload) if wanted.masked else payload
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
        return wanted.shaped(payload, offer)


def _prices(wanted: Wanted, offering: Sequence[VendorRecord]) -> list[Price | None]:
    """What those ask who may do it; nothing for what never leaves this process."""
    asked = [one for one in offering if one.state is State.APPROVED and one.kind != "local-studio"]
    offers = (one.offer(wanted.model, wanted.kind) for one in asked)
    return [one.price for one in offers if one is not None]


def _done(departure: Departure) -> dict[str, int]:
    """What was done with the answer, with numbers: values that came back, moderation, and the marks of pictures."""
    moderated = departure.outcome == "answered" and departure.offer.kind in ("chat", "image")
    back = departure.redaction.returned()
    done = ({"values-restored": back} if back else {}) | ({"output-moderated": 1} if moderated else {})
    return done | (departure.marked or {})
