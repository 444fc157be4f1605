"""May this vendor be sent this request now? Pure: a record, facts, a time (VEN-01..04, VEN-06, LOC-06, RGT-09).

Read it as a list: the first condition that does not hold refuses, by its own code. What lapses at a moment has lapsed
at that moment: an agreement that ends at midnight is over at 00:00:00.000.
"""

from __future__ import annotations

from dataclasses import dataclass

from troth.gateway.vendors.announcing import unannounced
from troth.gateway.vendors.papers import CONTACT_EVERY, CONTACT_GRACE, DAY_MS, Certificate, Diligence
from troth.gateway.vendors.record import ANY, HERE, DueDiligence, Observed, Retention, State, VendorRecord
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
    on_file = vendor.facts
    _agreement(on_file, now)
    _notice(vendor, now)
    _review(on_file, now)
    if on_file.diligence is not None:
        _cadence(on_file.diligence, vendor.observed, now)
        _certificates(on_file.diligence, on_file.certificates, now)
    _terms(on_file, facts)
    _place(on_file, facts, now)
    _chain(on_file, facts, now)
    _road(on_file, vendor.observed, now)
    if facts.pictures and not on_file.raw_images:
        raise Denied("Faces and text inside a picture are not redacted yet, and this vendor is not cleared for them; "
                     "send text only or use the local studio.", code="pictures-not-cleared")  # fmt: skip


def _review(on_file: DueDiligence, now: int) -> None:
    if on_file.review is None or on_file.review_expires is None or on_file.diligence is None:
        raise Unavailable("No security review of this vendor is on file; the operator must record it.",
                          code="review-missing")  # fmt: skip
    if on_file.diligence.reviewed_at > now:
        raise Unavailable("The security review of this vendor lies in the future; the operator must correct it.",
                          code="review-not-yet")  # fmt: skip
    if on_file.review_expires <= now:
        raise Unavailable("The security review of this vendor has expired; the operator must renew it.",
                          code="review-expired")  # fmt: skip
    if on_file.diligence.open_questions():
        raise Unavailable("The security review of this vendor has open questions; the operator must complete it.",
                          code="review-incomplete")  # fmt: skip


def _cadence(review: Diligence, observed: Observed, now: int) -> None:
    if review.overdue_from is None:
        return
    if review.overdue_from <= now:
        raise Unavailable("The regular review of this vendor is overdue; the operator must hold it.",
                          code="review-overdue")  # fmt: skip
    if any(not one.met and one.due <= now for one in review.conditions):
        raise Unavailable("A condition of this vendor's review was not met in time; the operator must settle it.",
                          code="condition-overdue")  # fmt: skip
    reached = max(review.reviewed_at, observed.contact.at if observed.contact else 0)
    if reached + (CONTACT_EVERY + CONTACT_GRACE) * DAY_MS <= now:
        raise Unavailable("This vendor's contact for incidents was not tested for a year; the operator must test it.",
                          code="contact-overdue")  # fmt: skip


def _agreement(on_file: DueDiligence, now: int) -> None:
    contract, ends = on_file.contract, on_file.agreement_ends
    if on_file.agreement is None or ends is None:
        raise Unavailable("No agreement with this vendor is on file; the operator must record it.",
                          code="agreement-missing")  # fmt: skip
    if ends <= now:
        raise Unavailable("The agreement with this vendor has ended; the operator must renew it.",
                          code="agreement-ended")  # fmt: skip
    if contract is None or contract.lacking():
        raise Unavailable("The agreement with this vendor lacks clauses that the law asks for; the operator must "
                          "record them.", code="agreement-clauses-missing")  # fmt: skip
    if contract.starts > now:
        raise Unavailable("The agreement with this vendor does not hold yet; choose another model.",
                          code="agreement-not-yet")  # fmt: skip


def _notice(vendor: VendorRecord, now: int) -> None:
    if unannounced(vendor, now):
        raise Unavailable("This vendor or one of its sub-processors was announced and the notice still runs; choose "
                          "another model until it ends.", code="notice-running")  # fmt: skip


def _certificates(review: Diligence, held: tuple[Certificate, ...], now: int) -> None:
    for name in review.rests_on:
        certificate_holds(name, held, now)


def certificate_holds(name: str, held: tuple[Certificate, ...], now: int) -> None:
    """Raises `Unavailable` (certificate-missing, certificate-not-yet, certificate-ended)."""
    of_name = [one for one in held if one.name == name]
    if any(one.starts <= now < one.ends for one in of_name):
        return
    code = "missing" if not of_name else "not-yet" if any(one.starts > now for one in of_name) else "ended"
    raise Unavailable("A certificate that this vendor must hold is missing or does not hold now; the operator must "
                      "record the valid one.", code=f"certificate-{code}")  # fmt: skip


def _terms(on_file: DueDiligence, facts: RequestFacts) -> None:
    if on_file.retention is None:
        raise Unavailable("What this vendor keeps is not on file; the operator must record its retention terms.",
                          code="retention-terms-missing")  # fmt: skip
    if on_file.retention is Retention.DAYS and facts.consent is None:
        raise Denied("This vendor keeps requests for some days; grant the consent 'vendor-retention' "
                     "or choose another model.", code="retention-needs-consent")  # fmt: skip
    if on_file.moderation is None:
        raise Unavailable("This vendor's content policy is not on file; the operator must record it.",
                          code="moderation-terms-missing")  # fmt: skip


def permitted_regions(on_file: DueDiligence, jurisdiction: str, now: int) -> frozenset[str]:
    """Where data of that jurisdiction may be processed by this vendor at `now`."""
    lawful = {t.region for t in on_file.transfers if t.jurisdiction == jurisdiction and t.starts <= now < t.ends}
    return frozenset(lawful | {jurisdiction, HERE})


def _place(on_file: DueDiligence, facts: RequestFacts, now: int) -> None:
    if not {facts.jurisdiction, ANY} & set(on_file.jurisdictions):
        raise Denied("This vendor is not cleared for data of your jurisdiction; choose another model.",
                     code="wrong-jurisdiction")  # fmt: skip
    if not on_file.regions or set(on_file.regions) - permitted_regions(on_file, facts.jurisdiction, now):
        raise Denied("No valid transfer record covers where this vendor processes data; choose another model.",
                     code="transfer-record-missing")  # fmt: skip


def _chain(on_file: DueDiligence, facts: RequestFacts, now: int) -> None:
    """Sub-processors: accepted before they begin, and where the data may be."""
    permitted = permitted_regions(on_file, facts.jurisdiction, now)
    for one in (other for other in on_file.sub_processors if other.since <= now):
        if not one.accepted:
            raise Unavailable("This vendor uses a sub-processor that was not accepted; the operator must decide on it.",
                              code="sub-processor-not-accepted")  # fmt: skip
        if one.region not in permitted:
            raise Denied("No valid transfer record covers where a sub-processor of this vendor processes data; "
                         "choose another model.", code="sub-processor-abroad")  # fmt: skip


def _road(on_file: DueDiligence, observed: Observed, now: int) -> None:
    if not on_file.encrypted:
        raise Unavailable("The road to this vendor is not encrypted; the operator must record an https address.",
                          code="vendor-not-encrypted")  # fmt: skip
    if observed.probe is None or observed.probe.version == "TLSv1.3":
        return  # not looked at: the channel refuses less than TLS 1.3 in each handshake
    waiver = on_file.tls_waiver
    if waiver is None or observed.probe.version == "none":
        raise Unavailable("This vendor's address does not offer TLS 1.3; the operator must record an approved "
                          "exception or another address.", code="tls-too-old")  # fmt: skip
    if not waiver.holds(now):
        raise Unavailable("The exception from TLS 1.3 for this vendor is not approved or has ended; the operator must "
                          "renew it.", code="tls-waiver-ended")  # fmt: skip
