"""Reviews in SQL. Evidence are the entries in the log; these rows say what waits and find the entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Index, String, Table, UniqueConstraint, func, insert, select, update

from troth.audit.leaf import read_leaf
from troth.audit.placed import require_placed
from troth.audit.review.sampling import Drawn
from troth.audit.review.weights import MACHINE, Act, act_of
from troth.audit.store import entries
from troth.kernel.errors import NotFound
from troth.storage.database import Big, metadata

OPEN, CLOSED = "open", "closed"
_BATCH = 2000

# `tenant` is the log: a tenant's id, or "operator" for the operators' own.
reviews = Table(
    "admin_review",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("first", Big, nullable=False),
    Column("last", Big, nullable=False),
    Column("size", Big, nullable=False),  # of the checkpoint it was read under
    Column("root", String(64), nullable=False),  # of that checkpoint, hex
    Column("seed", String(64), nullable=False),  # hex
    Column("sample", Big, nullable=False),
    Column("weights", String(64), nullable=False),  # digest of the table of weights
    Column("acts", Big, nullable=False),  # in the range, drawn or not
    Column("state", String(16), nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("opened_at", Big, nullable=False),
    Column("closed_by", String(64)),
    Column("closed_at", Big),
    UniqueConstraint("tenant", "first", name="uq_admin_review_range"),
)

drawn = Table(
    "admin_review_act",
    metadata,
    Column("review", String(64), primary_key=True),
    Column("position", Big, primary_key=True, autoincrement=False),
    Column("tenant", String(64), nullable=False),
    Column("weight", Big, nullable=False),
    Column("sampled", Boolean, nullable=False),
    Column("operation", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("request", String(64), nullable=False),
    Column("acted_at", Big, nullable=False),
    Column("verdict", String(16)),
    Column("reason", String(32)),
    Column("judged_by", String(64)),
    Column("judged_at", Big),
    Column("follow_up", String(16)),  # open | closed; absent for a verdict that needs none
    Column("follow_up_reason", String(32)),
    Column("followed_by", String(64)),
    Column("followed_at", Big),
)
Index("ix_admin_review_act_follow_up", drawn.c.tenant, drawn.c.follow_up)

watch = Table(
    "admin_review_watch",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("seen", Big, nullable=False),  # no act that waits stands below this index
    Column("told_day", Big, nullable=False),  # days since 1970 of the last entry that said "overdue"
)


@dataclass(frozen=True, slots=True)
class Review:
    """One range and how far its review is. Times in epoch ms, digests in hex."""

    id: str
    tenant: str
    first: int
    last: int
    size: int
    root: str
    seed: str
    sample: int
    weights: str
    acts: int
    state: str
    opened_by: str
    opened_at: int
    closed_by: str | None = None
    closed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A drawn act with what was said of it."""

    review: str
    position: int
    tenant: str
    weight: int
    sampled: bool
    operation: str
    actor: str
    request: str
    acted_at: int
    verdict: str | None = None
    reason: str | None = None
    judged_by: str | None = None
    judged_at: int | None = None
    follow_up: str | None = None
    follow_up_reason: str | None = None
    followed_by: str | None = None
    followed_at: int | None = None


def acts(connection: Connection, number: int, span: range, table: Mapping[str, int]) -> Iterator[Act]:
    """The administrative acts of log `number` in `span`, in order; read in pieces.

    The column `operation` finds them; what counts is the leaf. Who edits the column in the database hides an act from
    here, and not from whoever draws again from the log itself.
    """
    at, known = span.start, sorted(table)
    while at < span.stop:
        rows = connection.execute(
            select(entries.c.position, entries.c.leaf)
            .where(entries.c.number == number, entries.c.position >= at, entries.c.position < span.stop)
            .where(entries.c.operation.in_(known))
            .order_by(entries.c.position)
            .limit(_BATCH)
        ).all()
        for index, leaf in require_placed(connection, number, rows):
            act = act_of(index, read_leaf(leaf), table)
            if act is not None:
                yield act
        at = rows[-1][0] + 1 if len(rows) == _BATCH else span.stop


def add(connection: Connection, review: Review, chosen: Iterable[Drawn]) -> None:
    """Insert a review and what was drawn for it."""
    row = {name: getattr(review, name) for name in Review.__slots__}
    connection.execute(insert(reviews), row)
    rows = [
        {
            "review": review.id,
            "position": one.act.index,
            "tenant": review.tenant,
            "weight": one.act.weight,
            "sampled": one.sampled,
            "operation": one.act.operation[:64],
            "actor": one.act.actor[:64],
            "request": one.act.request[:64],
            "acted_at": one.act.at,
        }
        for one in chosen
    ]
    if rows:
        connection.execute(insert(drawn), rows)


def all_of(connection: Connection, log: str) -> list[Review]:
    """Every review of a log, in the order of its ranges."""
    query = select(reviews).where(reviews.c.tenant == log).order_by(reviews.c.first)
    return [Review(**row._mapping) for row in connection.execute(query)]


def one(connection: Connection, log: str, review_id: str, *, lock: bool = False) -> Review:
    """A review of that log. Raises `NotFound`."""
    query = select(reviews).where(reviews.c.tenant == log, reviews.c.id == review_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("There is no such review.", code="no-review")
    return Review(**row._mapping)


def judged(connection: Connection, review_id: str) -> list[Judged]:
    """What was drawn for a review, by index."""
    query = select(drawn).where(drawn.c.review == review_id).order_by(drawn.c.position)
    return [Judged(**row._mapping) for row in connection.execute(query)]


def act(connection: Connection, review_id: str, position: int) -> Judged:
    """One drawn act. Raises `NotFound`."""
    query = select(drawn).where(drawn.c.review == review_id, drawn.c.position == position)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("That entry was not drawn for this review.", code="not-drawn")
    return Judged(**row._mapping)


def change_act(connection: Connection, review_id: str, position: int, **values: Any) -> None:
    """Set members of a drawn act."""
    mine = (drawn.c.review == review_id, drawn.c.position == position)
    connection.execute(update(drawn).where(*mine).values(**values))


def ending(connection: Connection, number: int, act: Judged) -> dict[str, Any]:
    """The leaf that closed an act, or told of it; empty for one that never ended."""
    mine = (entries.c.number == number, entries.c.request == act.request, entries.c.operation == act.operation)
    query = select(entries.c.position, entries.c.leaf).where(*mine, entries.c.outcome != "pending")
    rows = connection.execute(query.order_by(entries.c.position.desc()).limit(1))
    return next((read_leaf(leaf) for _, leaf in require_placed(connection, number, rows)), {})


def is_own(act: Judged, actor: str, ending: Mapping[str, Any]) -> bool:
    """Whether `actor` did it; of what was done on the machine itself, whether its closing leaf names them.

    A command there knows nobody; it names whom it made an operator, who is likely to have typed it.
    """
    facts = ending.get("facts", {})
    named = {facts.get(name) for name in ("user", "subject")} if isinstance(facts, dict) else set()
    return actor == act.actor or (act.actor == MACHINE and actor in named)


def close(connection: Connection, review_id: str, actor: str, at: int) -> None:
    """A review has ended."""
    mine = update(reviews).where(reviews.c.id == review_id)
    connection.execute(mine.values(state=CLOSED, closed_by=actor, closed_at=at))


def follow_ups(connection: Connection, log: str) -> list[Judged]:
    """What was found questionable or wrong and is not cleared up, oldest verdict first."""
    mine = (drawn.c.tenant == log, drawn.c.follow_up == OPEN)
    return [
        Judged(**row._mapping) for row in connection.execute(select(drawn).where(*mine).order_by(drawn.c.judged_at))
    ]


def verdicts(connection: Connection, log: str) -> dict[str, dict[str, int]]:
    """How often each verdict was given, by review; "open" counts those that wait for one."""
    named = func.coalesce(drawn.c.verdict, OPEN).label("said")
    query = select(drawn.c.review, named, func.count().label("times")).where(drawn.c.tenant == log)
    found: dict[str, dict[str, int]] = {}
    for row in connection.execute(query.group_by(drawn.c.review, named)):
        found.setdefault(str(row.review), {})[str(row.said)] = int(row.times)
    return found


def watched(connection: Connection, log: str) -> tuple[int, int]:
    """(no act that waits stands below this index, day of the last alarm); zeros for a log that is new here."""
    row = connection.execute(select(watch).where(watch.c.tenant == log)).one_or_none()
    return (0, 0) if row is None else (int(row.seen), int(row.told_day))


def set_watched(connection: Connection, log: str, **values: int) -> None:
    """Remember how far was looked, or that it was said."""
    changed = connection.execute(update(watch).where(watch.c.tenant == log).values(**values))
    if not changed.rowcount:
        connection.execute(insert(watch), {"tenant": log, "seen": 0, "told_day": 0, **values})
