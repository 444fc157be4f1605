"""The doors of reviews: the caller's own log, and the facts that their records carry."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from review_office import ADA, EVE, LOG, Office
from troth.audit.review import messages as m
from troth.audit.review.operations import ReviewOperations
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied, NotFound
from troth.kernel.operation import Call, Group, declarations
from worlds import person


def call(caller: Caller) -> Call:
    return Call(caller, "req_a", datetime(2026, 11, 22, tzinfo=UTC))


@pytest.fixture
def operations(office: Office) -> ReviewOperations:
    return ReviewOperations(reviews=office.reviews, tables=office.tables)


def test_reading_is_audit_and_judging_is_review() -> None:
    groups = {declared.name: declared.group for _, declared in declarations(ReviewOperations)}
    assert {name for name, group in groups.items() if group is Group.AUDIT} == {"review.list", "review.show"}
    assert {group for name, group in groups.items() if name not in ("review.list", "review.show")} == {Group.REVIEW}


def test_a_review_from_the_first_to_the_last_step(office: Office, operations: ReviewOperations) -> None:
    office.act("hold.lift", ADA)
    eve = person("owner", tenant=LOG, actor=EVE)
    opening = call(eve)
    made = operations.open(opening, m.ReviewOpen())
    assert opening.facts == {"review": made.review.id, "first": 0, "last": 0}
    named = {"review_id": made.review.id, "index": 0}
    judged = operations.judge(call(eve), m.ActJudge(**named, verdict="wrong", reason="mistake"))
    assert (judged.verdict, judged.follow_up) == ("wrong", "open")
    closed = operations.close(call(eve), m.ReviewNamed(review_id=made.review.id))
    assert closed.review.state == "closed"
    cleared = operations.follow_up(call(eve), m.FollowUpClose(**named, reason="undone"))
    assert cleared.follow_up == "closed"
    assert operations.show(call(eve), m.ReviewNamed(review_id=made.review.id)).drawn == (cleared,)
    assert [one.id for one in operations.list(call(eve), m.Nothing()).reviews] == [made.review.id]


def test_an_operator_reviews_the_operators_log_and_no_tenant_s(office: Office, operations: ReviewOperations) -> None:
    office.act("hold.lift", ADA)
    office.act("user.create", ADA, log="operator")
    operator = Caller("usr_op", "operator", roles=frozenset({"operator"}))
    assert operations.open(call(operator), m.ReviewOpen()).drawn[0].operation == "user.create"
    own = operations.open(call(person("owner", tenant=LOG, actor=ADA)), m.ReviewOpen())
    with pytest.raises(NotFound):
        operations.show(call(operator), m.ReviewNamed(review_id=own.review.id))
    with pytest.raises(Denied):
        operations.judge(
            call(person("owner", tenant=LOG, actor=ADA)),
            m.ActJudge(review_id=own.review.id, index=0, verdict="fine"),
        )


@pytest.mark.parametrize(
    "members",
    [
        {"verdict": "excellent"},
        {"verdict": "wrong", "reason": "he is called Bob"},
        {"verdict": "fine", "index": -1},
        {"verdict": "fine", "review_id": "rev_' OR 1"},
    ],
)
def test_only_words_from_the_list(members: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        m.ActJudge.model_validate({"review_id": "rev_a", "index": 0, **members})
