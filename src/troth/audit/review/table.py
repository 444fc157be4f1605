"""How the reviews of a log look to a reader."""

from __future__ import annotations

from collections.abc import Sequence

from troth.audit import store as log_store
from troth.audit.leaf import read_leaf
from troth.audit.log import LogReader
from troth.audit.review import messages as m
from troth.audit.review import store
from troth.audit.review.queue import Reviews
from troth.audit.review.ranges import DAY_MS, Range, days
from troth.audit.review.store import Judged, Review
from troth.audit.review.watch import OPERATOR, Duty, Watch
from troth.kernel.errors import NotFound

_ROLES = "any owner"


class Tables:
    """Reads reviews for doors."""

    def __init__(self, reviews: Reviews, watch: Watch) -> None:
        self._reviews = reviews
        self._watch = watch
        self._reader = LogReader(reviews.database)

    def of(self, log: str, actor: str) -> m.ReviewTable:
        """How the review of a log stands, for a reader."""
        plan = self._reviews.plan
        duty = self._duty(log)
        with self._reviews.database.read() as connection:
            known = store.all_of(connection, log)
            verdicts, waiting = store.verdicts(connection, log), store.follow_ups(connection, log)
        return m.ReviewTable(
            log=log,
            size=duty.size,
            owner=(plan.owner or "any operator") if log == OPERATOR else _ROLES,
            due_at=duty.due_at,
            overdue=duty.overdue(self._reviews.now()),
            every_days=plan.every_days,
            due_days=plan.due_days,
            reviews=tuple(m.ReviewShown.of(one, verdicts.get(one.id, {})) for one in _newest_first(known)),
            gaps=tuple(self._gap(log, gap, overdue=True) for gap in self._watch.gaps(log)),
            waiting=self._waiting(duty),
            follow_ups=tuple(self._follow_up(one, actor) for one in waiting),
        )

    def opened(self, log: str, review_id: str, actor: str) -> m.ReviewOpened:
        """A review with what was drawn. Raises `NotFound`."""
        review, acts = self._reviews.show(log, review_id)
        with self._reviews.database.read() as connection:
            number = log_store.head(connection, log).number
            drawn = tuple(m.ActShown.of(one, actor, store.ending(connection, number, one)) for one in acts)
        return m.ReviewOpened(
            review=m.ReviewShown.of(review, m.counted(acts)), drawn=drawn, weights=dict(self._reviews.weights())
        )

    def act(self, log: str, act: Judged, actor: str) -> m.ActShown:
        """One drawn act."""
        with self._reviews.database.read() as connection:
            number = log_store.head(connection, log).number
            return m.ActShown.of(act, actor, store.ending(connection, number, act))

    def _duty(self, log: str) -> Duty:
        try:
            return self._watch.duty(log)
        except NotFound:  # the tenant's first entries are still on their way
            return Duty(log, 0, 0, None, None, 0, None)

    def _waiting(self, duty: Duty) -> m.GapShown | None:
        """What no closed review covers, when an act is among it."""
        if duty.oldest is None or duty.due_at is None:
            return None
        span = Range(duty.reviewed, duty.size - 1)
        return self._gap(duty.log, span, overdue=duty.due_at < self._reviews.now())

    def _gap(self, log: str, gap: Range, *, overdue: bool) -> m.GapShown:
        since, until = (self._time(log, index) for index in (gap.first, gap.last))
        return m.GapShown(first=gap.first, last=gap.last, days=tuple(days(since, until)), overdue=overdue)

    def _time(self, log: str, index: int) -> int:
        return int(read_leaf(self._reader.entry(log, index)).get("time", 0))

    def _follow_up(self, one: Judged, actor: str) -> m.FollowUpShown:
        due = (one.judged_at or 0) + self._reviews.plan.follow_up_days * DAY_MS
        return m.FollowUpShown(review=one.review, act=m.ActShown.of(one, actor), due_at=due)


def _newest_first(known: Sequence[Review]) -> Sequence[Review]:
    return list(reversed(known))
