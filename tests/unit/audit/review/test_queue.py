"""Reviews: ranges without gaps, verdicts by others, entries that say all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import delete

from review_office import ADA, BEN, EVE, LOG, WEIGHTS, Office
from troth.audit.review import queue, store
from troth.audit.review.queue import Reviewer, Verdict
from troth.audit.review.sampling import draw
from troth.audit.review.weights import MACHINE, digest
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound, TrothError, Unavailable


def refusal(act: Callable[[], object], kind: type[TrothError]) -> str:
    with pytest.raises(kind) as caught:
        act()
    return caught.value.code


def test_a_review_names_range_root_and_seed_and_what_it_drew(office: Office, by: Reviewer) -> None:
    for operation in ("user.list", "user.create", "object.open", "hold.lift", "user.create", "user.create"):
        office.act(operation)
    review = office.reviews.open(by)
    head = office.world.reader.head(LOG)
    assert (review.first, review.last, review.size, review.acts) == (0, 5, 6, 5)
    assert review.root == head.root.hex()
    with office.world.database.read() as connection:
        found = list(store.acts(connection, 1, range(6), WEIGHTS))
    expected = draw(found, bytes.fromhex(review.seed), 2)
    assert [one.position for one in office.reviews.show(LOG, review.id)[1]] == [one.act.index for one in expected]
    (told,) = office.told("review.opened")
    assert told["facts"] | {"count": 5} == told["facts"]
    assert [told["facts"][name] for name in ("first", "last", "root", "seed", "digest")] == [
        0, 5, review.root, review.seed, digest(WEIGHTS)
    ]  # fmt: skip
    assert (told["actor"], told["request"]) == (EVE, review.id)


def test_two_reviews_draw_with_two_seeds(office: Office) -> None:
    office.act("user.create")
    first = office.reviewed()
    office.act("user.create")
    second = office.reviewed()
    assert office.reviews.show(LOG, first)[0].seed != office.reviews.show(LOG, second)[0].seed


def test_ranges_follow_each_other(office: Office, by: Reviewer) -> None:
    for _ in range(3):
        office.act("user.create")
    first = office.reviews.open(by, last=1)
    assert (first.first, first.last) == (0, 1)
    assert refusal(lambda: office.reviews.open(by), Conflict) == "review-open"
    for one in office.reviews.show(LOG, first.id)[1]:
        office.reviews.judge(by, first.id, one.position, Verdict("fine"))
    office.reviews.close(by, first.id)
    assert office.reviews.open(by).first == 2


def test_nothing_to_review_is_said(office: Office, by: Reviewer) -> None:
    assert refusal(lambda: office.reviews.open(by), NotFound) == "not-found"
    office.act("object.open")
    assert refusal(lambda: office.reviews.open(by), Conflict) == "nothing-to-review"


def test_nobody_judges_their_own_act(office: Office, by: Reviewer) -> None:
    office.act("hold.lift", ADA)
    office.act("hold.lift", EVE)
    review = office.reviews.open(by)
    own = refusal(lambda: office.reviews.judge(by, review.id, 1, Verdict("fine")), Denied)
    assert own == "own-act"
    office.reviews.judge(by, review.id, 0, Verdict("fine"))
    assert refusal(lambda: office.reviews.close(by, review.id), Conflict) == "not-judged"
    office.reviews.judge(replace(by, actor=BEN), review.id, 1, Verdict("fine"))
    assert office.reviews.close(by, review.id).state == store.CLOSED


def test_a_verdict_stands(office: Office, by: Reviewer) -> None:
    office.act("hold.lift")
    review = office.reviews.open(by)
    say = office.reviews.judge
    assert refusal(lambda: say(by, review.id, 0, Verdict("wrong")), Invalid) == "reason-missing"
    assert refusal(lambda: say(by, review.id, 0, Verdict("fine", "mistake")), Invalid) == "reason-missing"
    assert refusal(lambda: say(by, review.id, 9, Verdict("fine")), NotFound) == "not-drawn"
    say(by, review.id, 0, Verdict("fine"))
    assert refusal(lambda: say(by, review.id, 0, Verdict("wrong", "mistake")), Conflict) == "judged"
    office.reviews.close(by, review.id)
    assert refusal(lambda: say(by, review.id, 0, Verdict("wrong", "mistake")), Conflict) == "review-closed"
    assert refusal(lambda: office.reviews.close(by, review.id), Conflict) == "review-closed"


def test_another_log_has_no_such_review(office: Office, by: Reviewer) -> None:
    office.act("hold.lift")
    office.act("hold.lift", log="ten_b")
    review, other = office.reviews.open(by), replace(by, log="ten_b")
    for step in (
        lambda: office.reviews.judge(other, review.id, 0, Verdict("fine")),
        lambda: office.reviews.close(other, review.id),
        lambda: office.reviews.follow_up(other, review.id, 0, "explained"),
        lambda: office.reviews.show("ten_b", review.id),
    ):
        assert refusal(step, NotFound) == "no-review"


def test_what_was_found_is_cleared_up_by_a_third_act(office: Office, by: Reviewer) -> None:
    office.act("hold.lift", ADA)
    review = office.reviews.open(by)
    judged = office.reviews.judge(by, review.id, 0, Verdict("question", "unexplained"))
    assert judged.follow_up == store.OPEN
    office.reviews.close(by, review.id)
    clear = office.reviews.follow_up
    assert refusal(lambda: clear(replace(by, actor=ADA), review.id, 0, "explained"), Denied) == "own-act"
    assert clear(by, review.id, 0, "explained").follow_up == store.CLOSED
    assert refusal(lambda: clear(by, review.id, 0, "explained"), Conflict) == "no-follow-up"
    (told,) = office.told("review.followed-up")
    assert told["facts"] == {"review": review.id, "index": 0, "reason": "explained"}
    assert office.told("review.closed")[0]["facts"]["counts"] == {"question": 1}


def test_a_range_ends_before_it_is_too_much(office: Office, by: Reviewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MAX_HEAVIEST", 2)
    for _ in range(5):
        office.act("hold.lift")
    assert office.reviews.open(by).last == 1


def test_two_who_open_at_once_get_one_review(office: Office, by: Reviewer, monkeypatch: pytest.MonkeyPatch) -> None:
    office.act("hold.lift")
    first = office.reviews.open(by)
    monkeypatch.setattr(queue.store, "all_of", lambda *_: [])  # looked before the other one wrote
    assert refusal(lambda: office.reviews.open(by), Conflict) == "review-open"
    assert office.reviews.show(LOG, first.id)[0] == first


def test_no_record_no_review(office: Office, by: Reviewer, monkeypatch: pytest.MonkeyPatch) -> None:
    office.act("hold.lift")

    def away(*_: object) -> None:
        raise Unavailable("no record", code="no-record")

    with monkeypatch.context() as patched:
        patched.setattr(office.outbox, "record_within", away)
        assert refusal(lambda: office.reviews.open(by), Unavailable) == "no-record"
    review = office.reviews.open(by)
    monkeypatch.setattr(office.outbox, "record_within", away)
    for step in (
        lambda: office.reviews.judge(by, review.id, 0, Verdict("fine")),
        lambda: office.reviews.judge(by, review.id, 0, Verdict("wrong", "mistake")),
    ):
        assert refusal(step, Unavailable) == "no-record"
    assert office.reviews.show(LOG, review.id)[1][0].verdict is None


def test_rows_that_are_lost_show_as_a_gap(office: Office) -> None:
    for _ in range(3):
        office.act("hold.lift")
        office.reviewed()
    with office.world.database.write() as connection:
        known = store.all_of(connection, LOG)
        connection.execute(delete(store.reviews).where(store.reviews.c.id == known[1].id))
    assert not office.watch.sound(LOG)
    assert [(one.first, one.last) for one in office.watch.gaps(LOG)] == [(known[1].first, known[1].last)]


def test_what_a_machine_did_is_not_judged_by_whom_it_names(office: Office, by: Reviewer) -> None:
    told = {"actor": MACHINE, "phase": "event", "log": LOG}
    office.act("backup.restored", **told, facts={"user": EVE})  # type: ignore[arg-type]
    review = office.reviews.open(by)
    assert office.tables.opened(LOG, review.id, EVE).drawn[0].mine
    assert not office.tables.opened(LOG, review.id, ADA).drawn[0].mine
    assert refusal(lambda: office.reviews.judge(by, review.id, 0, Verdict("fine")), Denied) == "own-act"
    other = replace(by, actor=ADA)
    assert office.reviews.judge(other, review.id, 0, Verdict("wrong", "mistake")).judged_by == ADA
    assert refusal(lambda: office.reviews.follow_up(by, review.id, 0, "undone"), Denied) == "own-act"
