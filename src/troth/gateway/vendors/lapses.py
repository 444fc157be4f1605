"""What of a vendor's papers lapses next, so that people renew it before the gate closes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from troth.gateway.vendors.papers import CONTACT_EVERY, CONTACT_GRACE, DAY_MS, Tier
from troth.gateway.vendors.record import VendorRecord

SOON_MS = 60 * DAY_MS
_FAR = 2**52


@dataclass(frozen=True, slots=True)
class Lapse:
    """One paper: what it is, when it should be renewed, and from when on the vendor gets nothing without it."""

    what: str
    due: int
    stops: int

    def state(self, now: int) -> str:
        """stopped | overdue | soon | later"""
        if self.stops <= now:
            return "stopped"
        return "overdue" if self.due <= now else "soon" if self.due <= now + SOON_MS else "later"


def lapses(record: VendorRecord) -> list[Lapse]:
    """Everything with an end, the next first. What runs inside Troth has none."""
    facts, found = record.facts, list[Lapse]()
    review = facts.diligence
    if review is not None and review.tier is Tier.BUILT_IN:
        return []
    ends = [("review", facts.review_expires), ("agreement", facts.agreement_ends)]
    ends += [(f"certificate {one.name}", one.ends) for one in facts.certificates]
    ends += [(f"transfer {one.jurisdiction}-{one.region}", one.ends) for one in facts.transfers]
    ends += [("TLS exception", facts.tls_waiver.ends)] if facts.tls_waiver else []
    ends += [(f"sub-processor {one.name} begins", one.since) for one in facts.sub_processors if not one.accepted]
    found += [Lapse(what, end, end) for what, end in ends if end is not None]
    if review is not None and review.due is not None and review.overdue_from is not None:
        found.append(Lapse("regular review", review.due, review.overdue_from))
        reached = max(review.reviewed_at, record.observed.contact.at if record.observed.contact else 0)
        tested = reached + CONTACT_EVERY * DAY_MS
        found.append(Lapse("contact test", tested, tested + CONTACT_GRACE * DAY_MS))
        found += [Lapse(f"condition {one.what}", one.due, one.due) for one in review.conditions if not one.met]
    return sorted((one for one in found if one.due < _FAR), key=lambda one: (one.due, one.what))
