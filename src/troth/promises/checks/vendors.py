"""Promises about suppliers: requests of a synthetic person go through the real gateway to a vendor that listens."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from troth.gateway.clearance import ConsentSource
from troth.gateway.exposure import Exposures
from troth.gateway.vendors.lapses import lapses
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.papers import CADENCE, settled
from troth.gateway.vendors.record import Retention, State, Transfer, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied
from troth.kernel.ids import new_id
from troth.keys.deployment import DeploymentSeal
from troth.promises.check import Check, Facts, counted
from troth.promises.desk import DAY_MS, REVIEWER, Desk, vendor
from troth.promises.probe import Ahead, probe, refused
from troth.promises.system import System
from troth.storage.database import Database, metadata
from troth.vault.messages import ObjectList

_ADDRESS = "priscilla.castellanos@example.org"


def _now(system: System) -> int:
    return epoch_ms(system.base.clock.now())


def _reviewed(system: System, state: State) -> Facts:
    """Drafts and lapsed reviews get nothing; approval needs answers and a second person; all on file have both."""
    now = _now(system)
    with probe(system) as person:
        good = Desk(person=person, record=vendor(now))
        outcomes = [not refused(lambda: good.ask("Say hello.")), len(good.vendor.sent) == 1]
        outcomes.append(Desk(person=person, record=vendor(now, state)).stops("vendor-not-approved"))
        outcomes.append(Desk(person=person, record=vendor(now, State.SUSPENDED)).stops("vendor-not-approved"))
        outcomes.append(Desk(person=person, record=vendor(now, review_expires=now - 1)).stops("review-expired"))
        outcomes.append(Desk(person=person, record=vendor(now, diligence=None)).stops("review-missing"))
    with _registry(system) as registry:
        facts = vendor(now, base_url="https://vendor.example").facts
        registry.add("self-check", facts, None, "usr_first")
        outcomes.append(refused(lambda: registry.approve("self-check", "usr_first"), Denied, code="same-person"))
        outcomes.append(registry.approve("self-check", "usr_second").state is State.APPROVED)
        registry.amend("self-check", facts.model_copy(update={"review": None}), None, "usr_first")
        asked = refused(lambda: registry.approve("self-check", "usr_second"), Conflict, code="review-incomplete")
        outcomes.append(asked)
        registry.amend("self-check", facts, None, REVIEWER)
        mine = refused(lambda: registry.approve("self-check", "usr_second"), Denied, code="reviewer-is-requester")
        outcomes.append(mine)
    return counted(outcomes + [_by_two(one) for one in _suppliers(system)])


@contextmanager
def _registry(system: System) -> Iterator[Vendors]:
    """The real registry over an empty database of its own, because records cannot be taken back."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'vendors.db'}")
        try:
            metadata.create_all(database.engine)
            yield Vendors(database, DeploymentSeal(bytes(32)), system.base.clock, [])
        finally:
            database.close()


def _suppliers(system: System) -> list[VendorRecord]:
    """Third parties that are approved now; what runs inside Troth is none."""
    known = system.gateway.vendors.all()
    return [one for one in known if one.kind != LOCAL_STUDIO.kind and one.state is State.APPROVED]


def _by_two(record: VendorRecord) -> bool:
    review = record.facts.diligence
    complete = review is not None and not review.open_questions() and review.reviewer != record.requested_by
    return complete and record.facts.review is not None and record.approved_by not in (None, record.requested_by)


def _agreed(system: System, clock: Clock) -> Facts:
    """Yesterday's agreement and no agreement stop every request; all on file have one that lasts."""
    now = _now(system)
    with probe(system) as person:
        outcomes = [
            Desk(person=person, record=vendor(now, agreement_ends=ends), clock=clock).stops("agreement-ended")
            for ends in (now - DAY_MS, now - 1)
        ]
        unsigned = Desk(person=person, record=vendor(now, agreement=None), clock=clock)
        outcomes.append(unsigned.stops("agreement-missing"))
        bare = Desk(person=person, record=vendor(now, contract=None), clock=clock)
        outcomes.append(bare.stops("agreement-clauses-missing"))
        outcomes.append(not refused(lambda: Desk(person=person, record=vendor(now), clock=clock).ask("Say hello.")))
    return counted(outcomes + [_bound(one, now) for one in _suppliers(system)])


def _bound(record: VendorRecord, now: int) -> bool:
    contract = record.facts.contract
    return (record.facts.agreement_ends or 0) > now and contract is not None and not contract.lacking()


def _cared_for(system: System, clock: Clock) -> Facts:
    """An overdue vendor gets nothing once its grace is over; the next review of each on file lies ahead."""
    now, outcomes = _now(system), list[bool]()
    with probe(system) as person:
        for tier, (days, grace) in CADENCE.items():
            late = settled(tier, REVIEWER, now - (days + grace) * DAY_MS - 1, "ef" * 32)
            desk = Desk(person=person, record=vendor(now, diligence=late.model_dump()), clock=clock)
            outcomes.append(desk.stops("review-overdue"))
            within = settled(tier, REVIEWER, now - days * DAY_MS, "ef" * 32)
            waited = Desk(person=person, record=vendor(now, diligence=within.model_dump()))
            outcomes.append(not refused(partial(waited.ask, "Say hello.")))
    reviews = [one.facts.diligence for one in _suppliers(system)]
    return counted(outcomes + [one is not None and one.due is not None and one.due > now for one in reviews])


def _exposed(system: System, shift: int) -> Facts:
    """A request to a vendor stands in the list of who used it then, with its tenant, and in no other list."""
    now, request_id, record = _now(system), new_id("req"), vendor(_now(system))
    with probe(system) as person:
        Desk(person=person, record=record).ask("Say hello.", request_id)
        base = system.base
        registry = Vendors(base.database, DeploymentSeal(bytes(32)), base.clock, [record])
        exposures = Exposures(base.database, registry)
        found = exposures.of(record.id, now - DAY_MS + shift, now + DAY_MS + shift)
        told = {(one.tenant, each.request) for one in found.tenants for each in one.requests}
        before = exposures.of(record.id, now - 2 * DAY_MS, now - DAY_MS)
    outcomes = [(person.tenant, request_id) in told, request_id not in before.model_dump_json()]
    tested = [one.what == "contact test" and one.due <= now for each in _suppliers(system) for one in lapses(each)]
    return counted([*outcomes, not any(tested)])


@dataclass(frozen=True)
class _AlwaysYes:
    """The known-bad consent register."""

    def valid(self, tenant: str, subject: str, purpose: str) -> str | None:  # noqa: ARG002 - the shape of a register
        return "cns_made_up"

    def objected(self, tenant: str, subject: str) -> frozenset[str]:  # noqa: ARG002 - the shape of a register
        return frozenset()


def _not_kept(system: System, consents: ConsentSource) -> Facts:
    """A vendor that keeps requests gets none without consent; one that does not is told to store nothing."""
    now = _now(system)
    with probe(system) as person:
        keeps = vendor(now, retention=Retention.DAYS, retention_days=30)
        desk = Desk(person=person, record=keeps, consents=consents)
        outcomes = [desk.stops("retention-needs-consent")]
        unsaid = Desk(person=person, record=vendor(now, retention=None), consents=consents)
        outcomes.append(unsaid.stops("retention-terms-missing"))
        zero = Desk(person=person, record=vendor(now), consents=consents)
        zero.ask(f"Write to {_ADDRESS} about the pump.")
        outcomes += [one.get("store") is False for one in zero.vendor.sent]
        outcomes += [_ADDRESS not in str(zero.vendor.sent), "pump" in str(zero.vendor.sent)]
    return counted(outcomes)


def _shared(system: System, clock: Clock) -> Facts:
    """Nothing goes beyond the agreement, the place or what is needed; the person's accounting names the recipient."""
    now, request_id = _now(system), new_id("req")
    with probe(system) as person:
        ended = Desk(person=person, record=vendor(now, agreement_ends=now - DAY_MS), clock=clock)
        outcomes = [ended.stops("agreement-ended")]
        elsewhere = "au" if system.base.settings.data.jurisdiction != "au" else "us"
        foreign = Desk(person=person, record=vendor(now, jurisdictions=(elsewhere,)), clock=clock)
        outcomes.append(foreign.stops("wrong-jurisdiction"))
        desk, mark = Desk(person=person, record=vendor(now), clock=clock), secrets.token_hex(8)
        desk.ask(f"{mark}: write to {_ADDRESS}.", request_id)
        outcomes += [_ADDRESS not in str(desk.vendor.sent), mark in str(desk.vendor.sent)]
        show = system.dispatcher.registry["receipt.show"].declaration.request
        receipt = person.run("receipt.show", show.model_validate({"request_id": request_id}))
        outcomes += [receipt.vendor == "self-check", abs(receipt.sent_at - now) < DAY_MS]
        outcomes.append(receipt.sent == desk.vendor.sent[0])
        outcomes.append(len(person.run("object.list", ObjectList(kind="receipt")).objects) == 1)
    return counted(outcomes)


def _transferred(system: System, transfers: Callable[[int], tuple[Transfer, ...]]) -> Facts:
    """Data for a vendor abroad: stopped without a transfer record of that pair, or with one that ended."""
    now, here = _now(system), system.base.settings.data.jurisdiction
    abroad = "us" if here != "us" else "eu"
    with probe(system) as person:
        without = vendor(now, regions=(abroad,), transfers=transfers(now))
        outcomes = [Desk(person=person, record=without).stops("transfer-record-missing")]
        ended = _transfer(here, abroad, now - 1)
        lapsed = vendor(now, regions=(abroad,), transfers=(ended, *transfers(now)))
        outcomes.append(Desk(person=person, record=lapsed).stops("transfer-record-missing"))
        lasting = vendor(now, regions=(abroad,), transfers=(_transfer(here, abroad, now + DAY_MS),))
        outcomes.append(not refused(lambda: Desk(person=person, record=lasting).ask("Say hello.")))
    return counted(outcomes)


def _transfer(jurisdiction: str, region: str, ends: int) -> Transfer:
    return Transfer(jurisdiction=jurisdiction, region=region, mechanism="standard-contractual-clauses", ends=ends)


def _blanket(now: int) -> tuple[Transfer, ...]:
    """The known-bad paper: one record for every pair."""
    places = ("us", "eu", "au")
    return tuple(_transfer(one, other, now + DAY_MS) for one in places for other in places)


def _days_ago(system: System) -> Clock:
    """The known-bad gate: it lives two days ago, when the agreement still held."""
    return Ahead(system.base.clock, timedelta(days=-2))


def _by_clock(looking: Callable[[System, Clock], Facts]) -> tuple[Callable[[System], Facts], Callable[[System], Facts]]:
    """Looks at the gate as it is, and at the known-bad one."""
    return (
        lambda system: looking(system, system.base.clock),
        lambda system: looking(system, _days_ago(system)),
    )


CHECKS = (
    Check(
        "vendor-care",
        ("VEN-06",),
        "Synthetic requests to vendors of each tier whose regular review is overdue past its grace must stay here, and "
        "before that go; the next review of every approved vendor on file must lie ahead. What a review found is not "
        "looked at.",
        *_by_clock(_cared_for),
        every=6 * 3600,
        scope="synthetic vendors of each tier, and vendors on file",
        population="requests, and approved vendors",
    ),
    Check(
        "vendor-exposure",
        ("VEN-08",),
        "A synthetic request must stand in the list of who used the vendor in that window, with its tenant, and in no "
        "list of another; every approved vendor's contact must have been tested within a year. What the vendor tells "
        "us of a breach, and when, is not looked at.",
        lambda system: _exposed(system, 0),
        lambda system: _exposed(system, 30 * DAY_MS),
        every=6 * 3600,
        scope="users of one synthetic vendor, and vendors on file",
        population="lists of users, and contact tests on file",
    ),
    Check(
        "vendor-reviewed",
        ("VEN-01",),
        "A synthetic request to a vendor that is a draft, suspended, or whose review lapsed must stay here. Approval "
        "must need every answer and a second person, and every vendor on file must have both. Whether a review was "
        "good is for its authors.",
        lambda system: _reviewed(system, State.DRAFT),
        lambda system: _reviewed(system, State.APPROVED),
        every=6 * 3600,
        scope="synthetic vendors, and vendors on file",
        population="requests, approvals, and approved vendors",
    ),
    Check(
        "vendor-agreement",
        ("VEN-02",),
        "A synthetic request to a vendor whose agreement ended yesterday, just now, or was never signed must stay "
        "here; every approved vendor on file must have one that lasts. What the agreement says is not looked at.",
        *_by_clock(_agreed),
        every=6 * 3600,
        scope="synthetic agreements, and vendors on file",
        population="requests, and approved vendors with their agreements",
    ),
    Check(
        "vendor-retention",
        ("VEN-03",),
        "A synthetic request without consent to a vendor that keeps data must be refused; what goes to another must "
        "say store=false and leave out an address. What a vendor does against its agreement is not looked at.",
        lambda system: _not_kept(system, system.vault.consents),
        lambda system: _not_kept(system, _AlwaysYes()),
        every=6 * 3600,
        scope="synthetic vendors that keep requests, or do not",
        population="requests, and what was sent",
    ),
    Check(
        "sharing-limited",
        ("RGT-07",),
        "Synthetic requests beyond an agreement or a jurisdiction must stay here; one that leaves must do so without "
        "an address the rules know, and the person's receipts must name recipient, time and exactly what was sent. "
        "Names that the rules do not find are not looked at.",
        *_by_clock(_shared),
        every=6 * 3600,
        scope="a synthetic person's requests to synthetic vendors",
        population="requests, and facts of the receipt",
    ),
    Check(
        "transfer-record",
        ("LOC-06",),
        "A synthetic request to a vendor abroad must stay here without a transfer record of that pair, or with one "
        "that ended. Whether a mechanism on file is lawful is for people; copies between regions do not exist yet.",
        lambda system: _transferred(system, lambda _now: ()),
        lambda system: _transferred(system, _blanket),
        every=6 * 3600,
        scope="requests to a synthetic vendor abroad",
        population="requests, without and with a transfer record",
    ),
)
