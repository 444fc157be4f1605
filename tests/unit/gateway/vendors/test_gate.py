"""Each condition of the gate, missing and lapsed (VEN-01..04, VEN-06, LOC-06)."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_world import DAY, due_diligence
from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.local_studio import LOCAL_STUDIO
from troth.gateway.vendors.record import Retention, State, Transfer, VendorRecord
from troth.kernel.errors import TrothError

NOW = 1_800_000_000_000


def vendor(state: State = State.APPROVED, **facts: Any) -> VendorRecord:
    return VendorRecord(
        id="acme", kind="openai-compatible", state=state, facts=due_diligence(NOW, **facts), requested_by="usr_one"
    )


def transfer(ends: int = NOW + DAY, region: str = "us") -> Transfer:
    return Transfer(jurisdiction="eu", region=region, mechanism="standard-contractual-clauses", ends=ends)


ABROAD = {"regions": ("us",)}
EU = RequestFacts("eu")

REFUSED: list[tuple[str, VendorRecord | None, RequestFacts]] = [
    ("vendor-unknown", None, EU),
    ("vendor-not-approved", vendor(State.DRAFT), EU),
    ("vendor-not-approved", vendor(State.SUSPENDED), EU),
    ("review-expired", vendor(review_expires=None), EU),
    ("review-expired", vendor(review_expires=NOW), EU),
    ("agreement-ended", vendor(agreement_ends=None), EU),
    ("agreement-ended", vendor(agreement_ends=NOW), EU),
    ("agreement-ended", vendor(agreement_ends=NOW - DAY), EU),
    ("retention-terms-missing", vendor(retention=None), EU),
    ("retention-needs-consent", vendor(retention=Retention.DAYS, retention_days=30), EU),
    ("wrong-jurisdiction", vendor(jurisdictions=()), EU),
    ("wrong-jurisdiction", vendor(jurisdictions=("us", "au")), EU),
    ("transfer-record-missing", vendor(regions=()), EU),
    ("transfer-record-missing", vendor(**ABROAD), EU),
    ("transfer-record-missing", vendor(**ABROAD, transfers=(transfer(ends=NOW),)), EU),
    ("transfer-record-missing", vendor(**ABROAD, transfers=(transfer(region="au"),)), EU),
    ("transfer-record-missing", vendor(regions=("eu", "us", "au"), transfers=(transfer(),)), EU),
    ("vendor-not-encrypted", vendor(base_url="http://vendor.test/v1"), EU),
    ("pictures-not-cleared", vendor(raw_images=False), RequestFacts("eu", pictures=True)),
]


@pytest.mark.parametrize(("code", "record", "facts"), REFUSED, ids=[f"{n}-{row[0]}" for n, row in enumerate(REFUSED)])
def test_refused(code: str, record: VendorRecord | None, facts: RequestFacts) -> None:
    with pytest.raises(TrothError) as refusal:
        admissible(record, facts, NOW)
    assert refusal.value.code == code


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        (vendor(), EU),
        (vendor(review_expires=NOW + 1, agreement_ends=NOW + 1), EU),
        (vendor(retention=Retention.TRANSIENT), EU),
        (vendor(retention=Retention.DAYS, retention_days=30), RequestFacts("eu", consent="con_x")),
        (vendor(**ABROAD, transfers=(transfer(),)), EU),
        (vendor(regions=("here",)), EU),
        (vendor(), RequestFacts("eu", pictures=True)),
        (LOCAL_STUDIO, RequestFacts("au", pictures=True)),
    ],
)
def test_admitted(record: VendorRecord, facts: RequestFacts) -> None:
    admissible(record, facts, NOW)


def test_lapses_at_midnight() -> None:
    midnight = NOW + DAY
    record = vendor(agreement_ends=midnight)
    admissible(record, EU, midnight - 1)
    with pytest.raises(TrothError):
        admissible(record, EU, midnight)


def test_retention_days_go_with_their_name() -> None:
    with pytest.raises(ValueError, match="retention_days"):
        vendor(retention=Retention.ZERO, retention_days=3)
    with pytest.raises(ValueError, match="retention_days"):
        vendor(retention=Retention.DAYS)
