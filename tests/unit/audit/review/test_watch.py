"""Whether reviews are done, and that silence is said once a day."""

from __future__ import annotations

import json

from sqlalchemy import update

from review_office import LOG, Office
from troth.audit.review import store
from troth.audit.review.queue import Reviewer, Verdict
from troth.audit.review.ranges import DAY_MS
from troth.kernel.clock import epoch_ms


def test_an_act_waits_from_its_day_on(office: Office) -> None:
    office.act("object.open")
    assert office.watch.duty(LOG).oldest is None
    office.act("user.create")
    duty, now = office.watch.duty(LOG), epoch_ms(office.world.clock.now())
    assert duty.oldest is not None
    assert (duty.oldest.index, duty.due_at) == (1, now + 14 * DAY_MS)
    assert not duty.overdue(now + 14 * DAY_MS)
    assert duty.overdue(now + 14 * DAY_MS + 1)
    office.reviewed()
    assert office.watch.duty(LOG).oldest is None


def test_an_open_review_is_none(office: Office, by: Reviewer) -> None:
    office.act("user.create")
    due = office.watch.duty(LOG).due_at
    office.reviews.open(by)
    assert office.watch.duty(LOG).due_at == due


def test_overdue_is_said_once_a_day(office: Office) -> None:
    office.act("user.create")
    assert office.watch.run() == []
    office.world.clock.forward(days=15)
    assert office.watch.run() == [LOG]
    assert office.watch.run() == []
    office.world.clock.forward(days=1)
    assert office.watch.run() == [LOG]
    told = office.told("review.overdue")
    assert [(one["outcome"], one["code"], one["facts"]["first"]) for one in told] == [("failed", "overdue", 0)] * 2
    lines = [json.loads(line) for line in office.journal.getvalue().splitlines()]
    assert [(line["event"], line["log"]) for line in lines] == [("review-overdue", LOG)] * 2
    office.reviewed()
    office.world.clock.forward(days=1)
    assert office.watch.run() == []


def test_what_was_looked_through_is_not_read_again(office: Office) -> None:
    office.act("object.open")
    office.watch.run()
    with office.world.database.read() as connection:
        assert store.watched(connection, LOG) == (1, 0)
    office.act("user.create")
    office.act("user.create")
    office.watch.run()
    duty = office.watch.duty(LOG)
    assert duty.oldest is not None
    assert duty.oldest.index == 1


def test_self_checks_and_other_logs_owe_nothing(office: Office) -> None:
    for log in (LOG, "operator", "meta", "ten_probe"):
        office.act("user.create", log=log)
    office.spared = frozenset({"ten_probe"})
    assert sorted(office.watch.logs()) == ["operator", LOG]


def test_a_finding_that_nobody_clears_up_is_overdue(office: Office, by: Reviewer) -> None:
    office.act("user.create")
    review = office.reviews.open(by)
    office.reviews.judge(by, review.id, 0, Verdict("wrong", "mistake"))
    office.reviews.close(by, review.id)
    office.sequence()
    office.world.clock.forward(days=4)
    assert office.watch.run() == [LOG]
    office.reviews.follow_up(by, review.id, 0, "undone")
    office.world.clock.forward(days=1)
    assert office.watch.run() == []


def test_rows_that_say_something_else_than_the_log_are_seen(office: Office) -> None:
    office.act("user.create")
    review = office.reviewed()
    assert office.watch.sound(LOG)
    for column, value in (("seed", "00" * 32), ("root", "11" * 32)):
        with office.world.database.write() as connection:
            kept = store.one(connection, LOG, review)
            mine = update(store.reviews).where(store.reviews.c.id == review)
            connection.execute(mine.values(**{column: value}))
        assert not office.watch.sound(LOG), column
        with office.world.database.write() as connection:
            connection.execute(mine.values(**{column: getattr(kept, column)}))
    assert office.watch.sound(LOG)


def test_a_review_that_the_log_never_saw_closed_is_seen(office: Office, by: Reviewer) -> None:
    office.act("user.create")
    review = office.reviews.open(by)
    office.sequence()
    with office.world.database.write() as connection:
        store.close(connection, review.id, by.actor, 1)
    assert not office.watch.sound(LOG)
