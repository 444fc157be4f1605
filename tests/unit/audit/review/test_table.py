"""What readers see: ranges, gaps with their days, what waits and what is not cleared up."""

from __future__ import annotations

from sqlalchemy import delete

from review_office import ADA, EVE, LOG, Office
from troth.audit.review import store
from troth.audit.review.queue import Reviewer, Verdict


def test_a_log_without_entries_owes_nothing(office: Office) -> None:
    table = office.tables.of("ten_new", EVE)
    assert (table.size, table.due_at, table.overdue, table.reviews, table.waiting) == (0, None, False, (), None)


def test_what_waits_names_its_days(office: Office) -> None:
    office.act("user.create")
    office.world.clock.forward(days=2)
    office.act("object.open")
    table = office.tables.of(LOG, EVE)
    assert table.waiting is not None
    assert (table.waiting.first, table.waiting.last, table.waiting.overdue) == (0, 1, False)
    assert table.waiting.days == ("2026-11-22", "2026-11-23", "2026-11-24")
    assert table.owner == "any owner"
    office.world.clock.forward(days=13)
    assert office.tables.of(LOG, EVE).overdue


def test_a_gap_is_shown_with_its_days(office: Office) -> None:
    ids = []
    for _ in range(3):
        office.act("hold.lift")
        ids.append(office.reviewed())
        office.world.clock.forward(days=1)
    with office.world.database.write() as connection:
        lost = store.one(connection, LOG, ids[1])
        connection.execute(delete(store.reviews).where(store.reviews.c.id == ids[1]))
    (gap,) = office.tables.of(LOG, EVE).gaps
    assert (gap.first, gap.last, gap.overdue) == (lost.first, lost.last, True)
    assert gap.days == ("2026-11-22", "2026-11-23")


def test_a_review_is_shown_with_what_it_drew_and_by_which_table(office: Office, by: Reviewer) -> None:
    office.act("hold.lift", ADA)
    office.act("hold.lift", EVE)
    review = office.reviews.open(by)
    office.reviews.judge(by, review.id, 0, Verdict("wrong", "against-policy"))
    opened = office.tables.opened(LOG, review.id, EVE)
    assert opened.review.verdicts == {"wrong": 1, "open": 1}
    assert [(one.index, one.mine, one.verdict, one.follow_up) for one in opened.drawn] == [
        (0, False, "wrong", "open"),
        (1, True, None, None),
    ]
    assert opened.weights["hold.lift"] == 3
    table = office.tables.of(LOG, EVE)
    assert table.reviews[0].verdicts == {"wrong": 1, "open": 1}
    assert [(one.review, one.act.index) for one in table.follow_ups] == [(review.id, 0)]
