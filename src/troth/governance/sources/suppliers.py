"""Vendors, what binds them, and who processes data for them: read from the papers that operators keep of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.gateway.sub_processors import listed
from troth.gateway.vendors.announcing import third_party
from troth.gateway.vendors.papers import Tier
from troth.gateway.vendors.record import State, Transfer, VendorRecord
from troth.governance.sources.port import Kept, day, named
from troth.vault.rights.clocks import Calendar

Registry = Callable[[], Sequence[VendorRecord]]
_STATES = {"announced": "announced", "in-use": "in-use", "stopped": "ended"}


@dataclass(frozen=True, slots=True)
class Suppliers:
    """Vendors that are somebody else: what runs inside Troth or on this machine is none."""

    registry: Registry
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Each vendor with its review."""
        return [_supplier(one, home) for one in self.registry() if third_party(one.facts)]


@dataclass(frozen=True, slots=True)
class Agreements:
    """The signed agreement of each vendor. One that is over counts as long as the vendor is approved."""

    registry: Registry
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Each agreement on file."""
        found = [one for one in self.registry() if third_party(one.facts) and one.facts.agreement is not None]
        return [_agreement(one, now, home) for one in found]


@dataclass(frozen=True, slots=True)
class SubProcessors:
    """The public list of who processes data, place by place."""

    registry: Registry
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Everybody who was ever announced or in use."""
        return [one for record in self.registry() for one in _places(record, now)]


@dataclass(frozen=True, slots=True)
class Transfers:
    """On which ground personal data of a jurisdiction may be processed by a vendor in a region."""

    registry: Registry
    of_service: bool = True

    def kept(self, tenant: str, now: int, home: Calendar) -> Sequence[Kept]:  # noqa: ARG002
        """Each ground on file, of vendors that are somebody else."""
        found = [one for one in self.registry() if third_party(one.facts)]
        return [_transfer(record, one, now, home) for record in found for one in record.facts.transfers]


def _transfer(record: VendorRecord, one: Transfer, now: int, home: Calendar) -> Kept:
    stands = record.state is not State.SUSPENDED and (record.state is State.APPROVED or one.ends > now)
    return Kept(
        named("trf", record.id, one.jurisdiction, one.region, one.mechanism, str(one.starts)),
        "allowed" if stands else "ended",
        max(one.starts, _since(record)),
        {
            "vendor": record.id,
            "start": one.jurisdiction,
            "destination": one.region,
            "mechanism": one.mechanism,
            "starts_on": day(one.starts or None, home),
            "review_by": day(one.ends, home),
        },
        record.changed_at,
    )


def _supplier(record: VendorRecord, home: Calendar) -> Kept:
    facts, review = record.facts, record.facts.diligence
    ends = [one for one in (facts.review_expires, review.due if review else None) if one is not None]
    return Kept(
        named("ven", record.id),
        record.state.value,
        _since(record),
        {
            "vendor": record.id,
            "name": facts.name,
            "critical": review is not None and review.tier is Tier.CRITICAL,
            "approved_by": record.approved_by,
            "requested_by": record.requested_by,
            "reviewed_on": day(review.reviewed_at if review else None, home),
            "review_by": day(min(ends, default=None), home),
        },
        record.changed_at,
    )


def _agreement(record: VendorRecord, now: int, home: Calendar) -> Kept:
    facts = record.facts
    counts = record.state is State.APPROVED or facts.agreement_ends is None or facts.agreement_ends > now
    return Kept(
        named("agr", record.id, str(facts.agreement)),
        "in-force" if counts else "ended",
        _since(record),
        {
            "vendor": record.id,
            "kind": "data-processing",
            "digest": facts.agreement,
            "signed_on": day(facts.contract.starts if facts.contract else None, home),
            "ends_on": day(facts.agreement_ends, home),
        },
        record.changed_at,
    )


def _places(record: VendorRecord, now: int) -> list[Kept]:
    return [
        Kept(
            named("sub", record.id, one.name, one.region or "", one.by or ""),
            _STATES[one.state],
            _since(record),
            {
                "vendor": record.id,
                "name": one.name if one.region is None else f"{one.name} ({one.region})",
                "task": ", ".join(one.tasks),
                "announced_on": one.announced_at[:10] if one.announced_at else None,
                "routed_from": one.routed_from[:10] if one.routed_from else None,
            },
            record.changed_at,
        )
        for one in listed([record], now)
    ]


def _since(record: VendorRecord) -> int:
    return min((one.at for one in record.observed.history), default=record.changed_at)
