"""May this vendor be sent this request now? Pure: a record, the request's facts, a time (VEN-01..04, VEN-06, LOC-06).

Read it as a list: the first condition that does not hold refuses, by its own code.
"""

from __future__ import annotations

from dataclasses import dataclass

from troth.gateway.vendors.record import ANY, HERE, DueDiligence, Retention, State, VendorRecord
from troth.kernel.errors import Denied, Unavailable


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """What the gate knows of a request. `consent` is the id of a valid consent to vendor retention, if there is one."""

    jurisdiction: str
    consent: str | None = None
    pictures: bool = False


def admissible(vendor: VendorRecord | None, facts: RequestFacts, now: int) -> None:
    """Return when the request may go to the vendor at `now` (ms since the epoch).

    Raises `Denied` when it must not, `Unavailable` when a lapsed paper of the operator's stands in the way.
    """
    if vendor is None:
        raise Denied("No vendor of that name is on file; ask the operator to add it.", code="vendor-unknown")
    if vendor.state is not State.APPROVED:
        raise Unavailable("The vendor of this model is not approved; choose another model.", code="vendor-not-approved")
    _papers(vendor.facts, now)
    _retention(vendor.facts, facts)
    _place(vendor.facts, facts, now)
    _road(vendor.facts, facts)


def _papers(on_file: DueDiligence, now: int) -> None:
    if on_file.review_expires is None or on_file.review_expires <= now:
        raise Unavailable("The security review of this vendor has expired; the operator must renew it.",
                          code="review-expired")  # fmt: skip
    if on_file.agreement_ends is None or on_file.agreement_ends <= now:
        raise Unavailable("The agreement with this vendor has ended; the operator must renew it.",
                          code="agreement-ended")  # fmt: skip


def _retention(on_file: DueDiligence, facts: RequestFacts) -> None:
    if on_file.retention is None:
        raise Unavailable("What this vendor keeps is not on file; the operator must record its retention terms.",
                          code="retention-terms-missing")  # fmt: skip
    if on_file.retention is Retention.DAYS and facts.consent is None:
        raise Denied("This vendor keeps requests for some days; grant the consent 'vendor-retention' "
                     "or choose another model.", code="retention-needs-consent")  # fmt: skip


def _place(on_file: DueDiligence, facts: RequestFacts, now: int) -> None:
    if not {facts.jurisdiction, ANY} & set(on_file.jurisdictions):
        raise Denied("This vendor is not cleared for data of your jurisdiction; choose another model.",
                     code="wrong-jurisdiction")  # fmt: skip
    lawful = {t.region for t in on_file.transfers if t.jurisdiction == facts.jurisdiction and t.ends > now}
    abroad = set(on_file.regions) - {facts.jurisdiction, HERE}
    if not on_file.regions or abroad - lawful:
        raise Denied("No valid transfer record covers where this vendor processes data; choose another model.",
                     code="transfer-record-missing")  # fmt: skip


def _road(on_file: DueDiligence, facts: RequestFacts) -> None:
    if not on_file.encrypted:
        raise Unavailable("The road to this vendor is not encrypted; the operator must record an https address.",
                          code="vendor-not-encrypted")  # fmt: skip
    if facts.pictures and not on_file.raw_images:
        raise Denied("Faces and text inside a picture are not redacted yet, and this vendor is not cleared for them; "
                     "send text only or use the local studio.", code="pictures-not-cleared")  # fmt: skip
