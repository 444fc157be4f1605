"""Every condition of the gate: present, missing, lapsed, not valid yet (VEN-01..04, VEN-06, VEN-08, LOC-06)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_world import DAY, due_diligence
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.papers import (
    CADENCE,
    CLAUSES,
    CONTACT_EVERY,
    CONTACT_GRACE,
    Certificate,
    Condition,
    Contract,
    Diligence,
    Reply,
    SubProcessor,
    Tier,
    settled,
)
from troth.gateway.vendors.record import Contact, Observed, Probe, Retention, State, Transfer, VendorRecord, Waiver
from troth.kernel.errors import TrothError

NOW = 1_800_000_000_000
LAST = NOW - DAY


def vendor(state: State = State.APPROVED, observed: Observed | None = None, **facts: Any) -> VendorRecord:
    on_file = due_diligence(NOW, **facts)
    return VendorRecord(id="acme", kind="openai-compatible", state=state, facts=on_file, requested_by="usr_one",
                        observed=observed or Observed())  # fmt: skip


def review(tier: Tier = Tier.STANDARD, at: int = LAST, **members: Any) -> Diligence:
    return settled(tier, "usr_three", at, "ef" * 32).model_copy(update=members)


def answered(name: str, reply: Reply | None) -> Diligence:
    answers = dict(review().answers)
    answers.pop(name)
    return review(answers=answers | ({name: reply} if reply else {}))


def contract(starts: int = LAST, clauses: tuple[str, ...] = CLAUSES) -> Contract:
    return Contract(parties=("Acme", "Us"), clauses=clauses, starts=starts)


def certificate(starts: int = LAST, ends: int = NOW + DAY, name: str = "iso27001") -> Certificate:
    return Certificate(name=name, file="ab" * 32, starts=starts, ends=ends)


def transfer(ends: int = NOW + DAY, region: str = "us", starts: int = 0) -> Transfer:
    mechanism = "standard-contractual-clauses"
    return Transfer(jurisdiction="eu", region=region, mechanism=mechanism, ends=ends, starts=starts)


def sub(**members: Any) -> SubProcessor:
    return SubProcessor.model_validate({"name": "hoster", "region": "eu", "accepted": True} | members)


def probed(version: str) -> Observed:
    return Observed(probe=Probe.model_validate({"at": LAST, "version": version}))


def contacted(at: int, answered: bool = True) -> Observed:
    return Observed(contacts=(Contact(at=at, by="usr_one", answered=answered),))


def overdue(tier: Tier) -> int:
    """The moment of a review that is waited for no longer exactly now."""
    return NOW - sum(CADENCE[tier]) * DAY


def waiver(ends: int = NOW + DAY, approver: str | None = "ciso") -> Waiver:
    return Waiver(owner="cto", approver=approver, ends=ends)


ABROAD = {"regions": ("us",)}
EU = RequestFacts("eu")
KEEPS = {"retention": Retention.DAYS, "retention_days": 30}
RESTS = {"diligence": review(rests_on=("iso27001",))}
LONG_AGO = NOW - (CONTACT_EVERY + CONTACT_GRACE) * DAY

# (condition, state of it, code or None where it holds, record, request)
TABLE: list[tuple[str, str, str | None, VendorRecord | None, RequestFacts]] = [
    ("vendor", "missing", "vendor-unknown", None, EU),
    ("vendor", "present", None, vendor(), EU),
    ("approval", "missing", "vendor-not-approved", vendor(State.DRAFT), EU),
    ("approval", "lapsed", "vendor-not-approved", vendor(State.SUSPENDED), EU),
    ("review", "missing", "review-missing", vendor(review=None), EU),
    ("review end", "missing", "review-missing", vendor(review_expires=None), EU),
    ("review answers", "missing", "review-missing", vendor(diligence=None), EU),
    ("review", "not yet", "review-not-yet", vendor(diligence=review(at=NOW + 1)), EU),
    ("review", "present", None, vendor(review_expires=NOW + 1, diligence=review(at=NOW)), EU),
    ("review", "lapsed", "review-expired", vendor(review_expires=NOW), EU),
    ("an answer", "missing", "review-incomplete", vendor(diligence=answered("training", None)), EU),
    ("an evidence", "missing", "review-incomplete", vendor(diligence=answered("training", Reply(answer="yes"))), EU),
    ("an answer", "no", "review-incomplete", vendor(diligence=answered("training", Reply(answer="no"))), EU),
    ("cadence", "present", None, vendor(diligence=review(at=overdue(Tier.STANDARD) + 1), observed=contacted(LAST)), EU),
    ("cadence", "lapsed", "review-overdue", vendor(diligence=review(at=overdue(Tier.STANDARD))), EU),
    ("cadence critical", "lapsed", "review-overdue",
     vendor(diligence=review(Tier.CRITICAL, overdue(Tier.CRITICAL))), EU),
    ("cadence critical", "present", None, vendor(diligence=review(Tier.CRITICAL, overdue(Tier.CRITICAL) + 1)), EU),
    ("condition", "present", None,
     vendor(diligence=review(conditions=(Condition(question="training", what="opt-out", due=NOW + 1),))), EU),
    ("condition", "lapsed", "condition-overdue",
     vendor(diligence=review(conditions=(Condition(question="training", what="opt-out", due=NOW),))), EU),
    ("condition", "met", None,
     vendor(diligence=review(conditions=(Condition(question="training", what="opt-out", due=NOW, met=True),))), EU),
    ("contact", "missing", "contact-overdue", vendor(diligence=review(Tier.LOW, LONG_AGO)), EU),
    ("contact", "nobody answered", "contact-overdue",
     vendor(diligence=review(Tier.LOW, LONG_AGO), observed=contacted(LAST, answered=False)), EU),
    ("contact", "lapsed", "contact-overdue",
     vendor(diligence=review(Tier.LOW, LONG_AGO), observed=contacted(LONG_AGO)), EU),
    ("contact", "present", None,
     vendor(diligence=review(Tier.LOW, LONG_AGO), observed=contacted(LONG_AGO + 1)), EU),
    ("certificate", "missing", "certificate-missing", vendor(**RESTS), EU),
    ("certificate", "another's", "certificate-missing",
     vendor(**RESTS, certificates=(certificate(name="soc2-type2"),)), EU),
    ("certificate", "not yet", "certificate-not-yet",
     vendor(**RESTS, certificates=(certificate(starts=NOW + 1, ends=NOW + DAY),)), EU),
    ("certificate", "lapsed", "certificate-ended", vendor(**RESTS, certificates=(certificate(ends=NOW),)), EU),
    ("certificate", "present", None, vendor(**RESTS, certificates=(certificate(ends=NOW), certificate())), EU),
    ("agreement", "missing", "agreement-missing", vendor(agreement=None), EU),
    ("agreement end", "missing", "agreement-missing", vendor(agreement_ends=None), EU),
    ("agreement", "not yet", "agreement-not-yet", vendor(contract=contract(starts=NOW + 1)), EU),
    ("agreement", "present", None, vendor(agreement_ends=NOW + 1, contract=contract(starts=NOW)), EU),
    ("agreement", "lapsed", "agreement-ended", vendor(agreement_ends=NOW), EU),
    ("agreement", "lapsed yesterday", "agreement-ended", vendor(agreement_ends=LAST), EU),
    ("clauses", "missing", "agreement-clauses-missing", vendor(contract=None), EU),
    *(
        (f"clause {name}", "missing", "agreement-clauses-missing",
         vendor(contract=contract(clauses=tuple(one for one in CLAUSES if one != name))), EU)
        for name in CLAUSES
    ),
    ("retention terms", "missing", "retention-terms-missing", vendor(retention=None), EU),
    ("retention terms", "present", None, vendor(retention=Retention.TRANSIENT), EU),
    ("consent", "missing", "retention-needs-consent", vendor(**KEEPS), EU),
    ("consent", "present", None, vendor(**KEEPS), RequestFacts("eu", consent="con_x")),
    ("moderation", "missing", "moderation-terms-missing", vendor(moderation=None), EU),
    ("jurisdiction", "missing", "wrong-jurisdiction", vendor(jurisdictions=()), EU),
    ("jurisdiction", "others'", "wrong-jurisdiction", vendor(jurisdictions=("us", "au")), EU),
    ("region", "missing", "transfer-record-missing", vendor(regions=()), EU),
    ("transfer", "missing", "transfer-record-missing", vendor(**ABROAD), EU),
    ("transfer", "not yet", "transfer-record-missing", vendor(**ABROAD, transfers=(transfer(starts=NOW + 1),)), EU),
    ("transfer", "lapsed", "transfer-record-missing", vendor(**ABROAD, transfers=(transfer(ends=NOW),)), EU),
    ("transfer", "elsewhere", "transfer-record-missing", vendor(**ABROAD, transfers=(transfer(region="au"),)), EU),
    ("transfer", "one of two", "transfer-record-missing",
     vendor(regions=("eu", "us", "au"), transfers=(transfer(),)), EU),
    ("transfer", "present", None, vendor(**ABROAD, transfers=(transfer(starts=NOW),)), EU),
    ("transfer", "not needed", None, vendor(regions=("here",)), EU),
    ("sub-processor", "not accepted", "sub-processor-not-accepted", vendor(sub_processors=(sub(accepted=False),)), EU),
    ("sub-processor", "announced", None, vendor(sub_processors=(sub(accepted=False, since=NOW + 1),)), EU),
    ("sub-processor", "begins", "sub-processor-not-accepted",
     vendor(sub_processors=(sub(accepted=False, since=NOW),)), EU),
    ("sub-processor", "abroad", "sub-processor-abroad", vendor(sub_processors=(sub(region="us"),)), EU),
    ("sub-processor", "nobody knows where", "sub-processor-abroad", vendor(sub_processors=(sub(region=None),)), EU),
    ("sub-processor", "transfer", None, vendor(sub_processors=(sub(region="us"),), transfers=(transfer(),)), EU),
    ("sub-processor", "present", None, vendor(sub_processors=(sub(),)), EU),
    ("road", "in clear", "vendor-not-encrypted", vendor(base_url="http://vendor.test/v1"), EU),
    ("TLS 1.3", "present", None, vendor(observed=probed("TLSv1.3")), EU),
    ("TLS 1.3", "missing", "tls-too-old", vendor(observed=probed("TLSv1.2")), EU),
    ("TLS", "missing", "tls-too-old", vendor(observed=probed("none"), tls_waiver=waiver()), EU),
    ("TLS waiver", "present", None, vendor(observed=probed("TLSv1.2"), tls_waiver=waiver()), EU),
    ("TLS waiver", "lapsed", "tls-waiver-ended", vendor(observed=probed("TLSv1.2"), tls_waiver=waiver(ends=NOW)), EU),
    ("TLS waiver", "not approved", "tls-waiver-ended",
     vendor(observed=probed("TLSv1.2"), tls_waiver=waiver(approver=None)), EU),
    ("TLS waiver", "by its owner", "tls-waiver-ended",
     vendor(observed=probed("TLSv1.2"), tls_waiver=waiver(approver="cto")), EU),
    ("pictures", "missing", "pictures-not-cleared", vendor(raw_images=False), RequestFacts("eu", pictures=True)),
    ("pictures", "present", None, vendor(), RequestFacts("eu", pictures=True)),
    ("built in", "present", None, LOCAL_STUDIO, RequestFacts("au", pictures=True)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "record", "facts"), [row[2:] for row in TABLE], ids=[f"{row[0]}-{row[1]}" for row in TABLE]
)
def test_each_condition(code: str | None, record: VendorRecord | None, facts: RequestFacts) -> None:
    if code is None:
        admissible(record, facts, NOW)
        return
    with pytest.raises(TrothError) as refusal:
        admissible(record, facts, NOW)
    assert refusal.value.code == code


def test_each_refusal_says_what_to_do_and_names_nobody() -> None:
    for _, _, code, record, facts in TABLE:
        if code is not None:
            with pytest.raises(TrothError) as refusal:
                admissible(record, facts, NOW)
            assert ";" in refusal.value.advice
            assert "Acme" not in refusal.value.advice


def test_lapses_at_midnight() -> None:
    midnight = NOW + DAY
    record = vendor(agreement_ends=midnight)
    admissible(record, EU, midnight - 1)
    for later in (midnight, midnight + 1000):  # 00:00:00 and 00:00:01
        with pytest.raises(TrothError) as refusal:
            admissible(record, EU, later)
        assert refusal.value.code == "agreement-ended"


def test_retention_days_go_with_their_name() -> None:
    with pytest.raises(ValueError, match="retention_days"):
        vendor(retention=Retention.ZERO, retention_days=3)
    with pytest.raises(ValueError, match="retention_days"):
        vendor(retention=Retention.DAYS)
