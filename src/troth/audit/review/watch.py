"""Whether reviews are done: which acts wait, since when, what is overdue; said in the log once a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from troth.audit import store as log_store
from troth.audit.leaf import read_leaf
from troth.audit.review import store
from troth.audit.review.queue import Reviews
from troth.audit.review.ranges import DAY_MS, Range, consecutive, due_at, gaps
from troth.audit.review.store import CLOSED, Review
from troth.audit.review.weights import Act
from troth.audit.store import StoredHead
from troth.kernel.ids import new_id
from troth.kernel.journal import Journal
from troth.kernel.record import Entry, Outcome

ACTOR = "svc_reviews"
OPERATOR = "operator"
_TENANTS = "ten_"


@dataclass(frozen=True, slots=True)
class Duty:
    """What is owed for one log: `oldest` is the first act that no closed review covers. Times in epoch ms."""

    log: str
    reviewed: int  # entries from the beginning that closed reviews cover
    size: int
    oldest: Act | None
    due_at: int | None
    follow_ups: int
    follow_up_due_at: int | None

    def overdue(self, now: int) -> bool:
        """True when a review or a follow-up should have been closed by now."""
        return any(due is not None and due < now for due in (self.due_at, self.follow_up_due_at))


class Watch:
    """Looks at all logs. `spared` are logs of nobody, such as those of self-checks."""

    def __init__(self, reviews: Reviews, journal: Journal, spared: Callable[[], frozenset[str]]) -> None:
        self.reviews = reviews
        self._journal = journal
        self._spared = spared

    def logs(self) -> list[str]:
        """The logs whose administrators are reviewed: the operators' and each tenant's."""
        with self.reviews.database.read() as connection:
            names = log_store.names(connection)
        spared = self._spared()
        return [log for log in names if (log == OPERATOR or log.startswith(_TENANTS)) and log not in spared]

    def duty(self, log: str) -> Duty:
        """What is owed for a log. Raises `NotFound` for one without entries."""
        plan = self.reviews.plan
        with self.reviews.database.read() as connection:
            head = log_store.head(connection, log)
            closed = [one for one in store.all_of(connection, log) if one.state == CLOSED]
            reviewed = max((one.last + 1 for one in closed), default=0)
            oldest = self._oldest(connection, head, reviewed)
            waiting = store.follow_ups(connection, log)
        since = waiting[0].judged_at if waiting else None
        return Duty(
            log=log,
            reviewed=reviewed,
            size=head.size,
            oldest=oldest,
            due_at=None if oldest is None else due_at(oldest.at, plan.every_days, plan.due_days),
            follow_ups=len(waiting),
            follow_up_due_at=None if since is None else since + plan.follow_up_days * DAY_MS,
        )

    def run(self) -> list[str]:
        """One round: write what is overdue into its log, at most once a day; the logs it was said of."""
        now, told = self.reviews.now(), []
        for log in self.logs():
            duty = self.duty(log)
            self._looked(duty)
            if duty.overdue(now) and self._tell(duty, now):
                told.append(log)
        return told

    def sound(self, log: str) -> bool:
        """True when the closed ranges of a log have no gap, and each stands in the log as it stands here."""
        with self.reviews.database.read() as connection:
            closed = [one for one in store.all_of(connection, log) if one.state == CLOSED]
            head = log_store.head(connection, log)  # what was pruned took the closings of its reviews with it
            recorded = all(one.last < head.first or _as_recorded(connection, head.number, one) for one in closed)
        return recorded and consecutive(Range(one.first, one.last) for one in closed)

    def gaps(self, log: str) -> list[Range]:
        """What lies unreviewed between closed reviews."""
        with self.reviews.database.read() as connection:
            closed = [one for one in store.all_of(connection, log) if one.state == CLOSED]
        return gaps(Range(one.first, one.last) for one in closed)

    def closed(self, log: str) -> int:
        """How many reviews of a log were closed."""
        with self.reviews.database.read() as connection:
            return sum(one.state == CLOSED for one in store.all_of(connection, log))

    def _oldest(self, connection: Connection, head: StoredHead, reviewed: int) -> Act | None:
        start = max(reviewed, store.watched(connection, head.log)[0])
        return next(store.acts(connection, head.number, range(start, head.size), self.reviews.weights()), None)

    def _looked(self, duty: Duty) -> None:
        """The next round need not read what holds no act."""
        seen = duty.size if duty.oldest is None else duty.oldest.index
        with self.reviews.database.write() as connection:
            if store.watched(connection, duty.log)[0] != seen:
                store.set_watched(connection, duty.log, seen=seen)

    def _tell(self, duty: Duty, now: int) -> bool:
        with self.reviews.database.write() as connection:
            if store.watched(connection, duty.log)[1] >= now // DAY_MS:
                return False
            store.set_watched(connection, duty.log, told_day=now // DAY_MS)
            self.reviews.recorder.record_within(connection, _overdue(duty, now))
        self._journal.event("review-overdue", log=duty.log, count=duty.size - duty.reviewed)
        return True


def _overdue(duty: Duty, now: int) -> Entry:
    due = min(one for one in (duty.due_at, duty.follow_up_due_at) if one is not None)
    facts = {"first": duty.reviewed, "last": duty.size - 1, "expires": due, "count": duty.follow_ups}
    tenant = None if duty.log == OPERATOR else duty.log
    request = new_id("rev")
    return Entry(
        duty.log, "review.overdue", "event", Outcome.FAILED, request, ACTOR, tenant, now, "overdue", facts=dict(facts)
    )


def _as_recorded(connection: Connection, number: int, review: Review) -> bool:
    """True when the log holds the entry of the closing, and it names the same range, root and seed."""
    entries = log_store.entries
    mine = (entries.c.number == number, entries.c.request == review.id)
    for leaf in connection.execute(select(entries.c.leaf).where(*mine)).scalars():
        members = read_leaf(bytes(leaf))
        if members.get("op") == "review.closed":
            facts = members.get("facts", {})
            return all(facts.get(name) == getattr(review, name) for name in ("first", "last", "root", "seed"))
    return False
