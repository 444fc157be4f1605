"""Reviews of what administrators did: a range is fixed, acts are drawn, each is judged by somebody who did not do it.

A range begins with the entry after the last reviewed one, so there are no gaps, and ends under a signed checkpoint
whose root the review names. One review of a log is open at a time. Every step is an entry of the same log.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError as Taken

from troth.audit import store as log_store
from troth.audit.log import LogReader
from troth.audit.review import store
from troth.audit.review.sampling import SEED_BYTES, draw
from troth.audit.review.store import CLOSED, OPEN, Judged, Review
from troth.audit.review.weights import Act, Weight, digest
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome, Recorder
from troth.storage.database import Database, is_unique_violation

MAX_HEAVIEST = 200  # acts of the highest weight in one range: a person can look at so many
MAX_ACTS = 50_000
FINE = "fine"


@dataclass(frozen=True, slots=True)
class Plan:
    """When reviews are due and how much they look at; `owner` is the operator who owes those of the operators' log."""

    every_days: int = 7
    due_days: int = 7
    sample: int = 20
    follow_up_days: int = 14
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who reviews which log, in which call."""

    log: str
    actor: str
    request: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of an act: fine, question or wrong; the last two with a reason code."""

    said: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    first: int
    last: int
    acts: tuple[Act, ...]


class Reviews:
    """All reviews. `weights` gives the table of weights that is in force."""

    def __init__(
        self,
        database: Database,
        recorder: Recorder,
        clock: Clock,
        weights: Callable[[], Mapping[str, int]],
        plan: Plan,
    ) -> None:
        self.database = database
        self.recorder = recorder
        self.clock = clock
        self.weights = weights
        self.plan = plan
        self._reader = LogReader(database)

    def open(self, by: Reviewer, last: int | None = None) -> Review:
        """Fix the next range, up to entry `last` or the newest checkpoint, and draw from it.

        The range ends early where it would hold more than 200 acts of the highest weight. Raises `Conflict`
        (review-open, nothing-to-review) and `NotFound` for a log without entries.
        """
        head, table = self._reader.head(by.log), self.weights()
        found = self._next(by.log, table, head.size if last is None else min(head.size, last + 1))
        seed = secrets.token_bytes(SEED_BYTES)
        review = Review(
            id=new_id("rev"),
            tenant=by.log,
            first=found.first,
            last=found.last,
            size=head.size,
            root=head.root.hex(),
            seed=seed.hex(),
            sample=self.plan.sample,
            weights=digest(table),
            acts=len(found.acts),
            state=OPEN,
            opened_by=by.actor,
            opened_at=self.now(),
        )
        try:
            with self.database.write() as connection:
                store.add(connection, review, draw(found.acts, seed, review.sample))
                self._tell(connection, "review.opened", review, by)
        except Taken as error:
            if not is_unique_violation(error):
                raise
            raise _already_open() from error  # somebody opened the same range meanwhile
        return review

    def judge(self, by: Reviewer, review_id: str, index: int, verdict: Verdict) -> Judged:
        """Say what is to be said of one drawn act, once.

        Raises `Denied` (own-act) for whoever did it, `Invalid` (reason-missing), `Conflict` (review-closed, judged) and
        `NotFound`. A question, or a wrong act, opens a follow-up.
        """
        if (verdict.said == FINE) is not (verdict.reason is None):
            raise Invalid("A question and a wrong act need a reason, a fine one has none.", code="reason-missing")
        with self.database.write() as connection:
            review = store.one(connection, by.log, review_id, lock=True)
            act = store.act(connection, review_id, index)
            _require_apart(connection, act, by)
            if review.state != OPEN:
                raise Conflict("This review is closed; its verdicts stand.", code="review-closed")
            if act.verdict is not None:
                raise Conflict("This act was judged already, and a verdict stands.", code="judged")
            values = {"verdict": verdict.said, "reason": verdict.reason, "judged_by": by.actor, "judged_at": self.now()}
            follow_up = {} if verdict.said == FINE else {"follow_up": OPEN}
            store.change_act(connection, review_id, index, **values, **follow_up)
            reason = {"reason": verdict.reason} if verdict.reason else {}
            self._event(connection, "review.judged", by, review=review_id, index=index, verdict=verdict.said, **reason)
            return store.act(connection, review_id, index)

    def close(self, by: Reviewer, review_id: str) -> Review:
        """End a review of which every drawn act was judged. Its entry names range, root, seed and counts.

        Raises `Conflict` (not-judged, review-closed) and `NotFound`.
        """
        with self.database.write() as connection:
            review = store.one(connection, by.log, review_id, lock=True)
            if review.state != OPEN:
                raise Conflict("This review is closed already.", code="review-closed")
            acts = store.judged(connection, review_id)
            if any(act.verdict is None for act in acts):
                raise Conflict(
                    "Some drawn acts were not judged; judge them, or have somebody judge your own.", code="not-judged"
                )
            store.close(connection, review_id, by.actor, self.now())
            counts = dict(Counter(str(act.verdict) for act in acts))
            self._tell(connection, "review.closed", review, by, counts)
            return store.one(connection, by.log, review_id)

    def follow_up(self, by: Reviewer, review_id: str, index: int, reason: str) -> Judged:
        """Close what a question or a wrong act opened, with the reason why it is cleared up.

        Raises `Denied` (own-act) for whoever did the act, `Conflict` (no-follow-up) and `NotFound`.
        """
        with self.database.write() as connection:
            store.one(connection, by.log, review_id, lock=True)
            act = store.act(connection, review_id, index)
            _require_apart(connection, act, by)
            if act.follow_up != OPEN:
                raise Conflict("Nothing waits to be cleared up about this act.", code="no-follow-up")
            values = {"follow_up": CLOSED, "follow_up_reason": reason, "followed_by": by.actor}
            store.change_act(connection, review_id, index, **values, followed_at=self.now())
            self._event(connection, "review.followed-up", by, review=review_id, index=index, reason=reason)
            return store.act(connection, review_id, index)

    def show(self, log: str, review_id: str) -> tuple[Review, list[Judged]]:
        """A review with what was drawn. Raises `NotFound`."""
        with self.database.read() as connection:
            return store.one(connection, log, review_id), store.judged(connection, review_id)

    def now(self) -> int:
        """The present moment in epoch ms."""
        return epoch_ms(self.clock.now())

    def _next(self, log: str, table: Mapping[str, int], end: int) -> _Found:
        with self.database.read() as connection:
            known = store.all_of(connection, log)
            if any(one.state == OPEN for one in known):
                raise _already_open()
            first = known[-1].last + 1 if known else 0
            number = log_store.head(connection, log).number
            found = _bounded(connection, number, range(first, end), table)
        if not found.acts:
            raise Conflict("No administrator did anything since the last review.", code="nothing-to-review")
        return found

    def _tell(
        self,
        connection: Connection,
        operation: str,
        review: Review,
        by: Reviewer,
        counts: dict[str, int] | None = None,
    ) -> None:
        """An entry that names the whole review; its request is the review's id, by which it is found in the log."""
        facts: dict[str, Fact] = {
            "review": review.id,
            "first": review.first,
            "last": review.last,
            "root": review.root,
            "seed": review.seed,
            "digest": review.weights,
            "count": review.acts,
        }
        told = facts | ({"counts": counts} if counts else {})
        self._event(connection, operation, Reviewer(by.log, by.actor, review.id), **told)

    def _event(self, connection: Connection, operation: str, by: Reviewer, **facts: Fact) -> None:
        tenant = None if by.log == "operator" else by.log
        entry = Entry(
            by.log, operation, "event", Outcome.DONE, by.request, by.actor, tenant, self.now(), facts=dict(facts)
        )
        self.recorder.record_within(connection, entry)


def _bounded(connection: Connection, number: int, span: range, table: Mapping[str, int]) -> _Found:
    """The acts of a span, and where it ends so that people can look at what weighs most."""
    acts: list[Act] = []
    heaviest, last = 0, span.stop - 1
    for act in store.acts(connection, number, span, table):
        heaviest += act.weight == Weight.HEAVIEST
        if heaviest > MAX_HEAVIEST or len(acts) == MAX_ACTS:
            last = act.index - 1
            break
        acts.append(act)
    return _Found(span.start, last, tuple(acts))


def _require_apart(connection: Connection, act: Judged, by: Reviewer) -> None:
    ending = store.ending(connection, log_store.head(connection, by.log).number, act)
    if store.is_own(act, by.actor, ending):
        raise Denied("Nobody reviews what they did themselves; ask a second reviewer.", code="own-act")


def _already_open() -> Conflict:
    return Conflict("A review of this log is open; close it first.", code="review-open")
