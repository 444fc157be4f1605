"""Who reviews by a custom role answers for nothing: owners, and who decides, are an owner's to remove."""

from __future__ import annotations

import pytest

from troth.identity.governing import messages as m
from troth.identity.governing.campaigns import KEEP, REMOVE
from troth.identity.governing.review_operations import AccessReviewOperations
from troth.identity.messages import Nothing
from troth.kernel.errors import Denied
from troth.kernel.operation import Call
from unit.identity.governing.office import Office
from unit.identity.world import Person


def test_a_reviewer_removes_no_owner_and_opens_nothing(office: Office) -> None:
    operations = AccessReviewOperations(having=office.having, campaigns=office.campaigns)
    second = office.world.person(office.tenant, "owner")
    reviewing = office.custom.create(office.as_(office.owner), "reviewer", ["review"])
    office.world.roles.assign(office.as_(office.owner), office.ada.id, reviewing.id)

    def call(who: Person) -> Call:
        return Call(office.as_(who), "req_1", office.world.clock.now())

    with pytest.raises(Denied) as refusal:
        operations.open(call(office.ada), Nothing())
    assert refusal.value.code == "owner-only"
    review = operations.open(call(office.owner), Nothing()).review.id

    def judge(who: Person, verdict: str) -> None:
        wish = {"campaign_id": review, "user_id": second.id, "role": "owner", "verdict": verdict, "reason": "checked"}
        operations.judge(call(who), m.GrantJudge.model_validate(wish))

    with pytest.raises(Denied) as refusal:
        judge(office.ada, REMOVE)
    assert (refusal.value.code, office.roles(second)) == ("owner-only", {"owner"})
    judge(office.ada, KEEP)
    assert office.roles(second) == {"owner"}
