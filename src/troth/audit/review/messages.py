"""Requests and answers of reviews. Times in epoch milliseconds, digests in hex."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from troth.audit.review.store import OPEN, Judged, Review, is_own
from troth.kernel.record import Fact

_Index = Annotated[int, Field(ge=0, lt=1 << 53)]
_Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^rev_[a-z2-7]+$")]

_NONE: Mapping[str, Any] = {}
VerdictWord = Literal["fine", "question", "wrong"]
VerdictReason = Literal[
    "unexplained", "no-approval", "not-needed", "wrong-person", "unusual-time", "against-policy", "mistake"
]
ClearedUp = Literal["explained", "approved-later", "corrected", "undone", "access-ended", "incident-opened", "accepted"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(_Message):
    """A request without fields."""


class ReviewOpen(_Message):
    """The next range: up to entry `last`, or to the newest signed checkpoint when it is left out."""

    last: _Index | None = None


class ReviewNamed(_Message):
    """One review."""

    review_id: _Id


class ActJudge(_Message):
    """What is said of one drawn act; a question and a wrong act need a reason."""

    review_id: _Id
    index: _Index
    verdict: VerdictWord
    reason: VerdictReason | None = None


class FollowUpClose(_Message):
    """Why a question, or a wrong act, is cleared up."""

    review_id: _Id
    index: _Index
    reason: ClearedUp


class ReviewShown(_Message):
    """A range: entries `first` to `last` of the log, read under the checkpoint of `size` entries with `root`.

    `acts` is how many administrative acts the range holds, `verdicts` counts those drawn ("open" waits for a verdict).
    """

    id: str
    state: str
    first: int
    last: int
    size: int
    root: str
    seed: str
    sample: int
    weights: str
    acts: int
    verdicts: dict[str, int]
    opened_by: str
    opened_at: int
    closed_by: str | None
    closed_at: int | None

    @classmethod
    def of(cls, review: Review, verdicts: dict[str, int]) -> Self:
        """The outward form."""
        members = {name: getattr(review, name) for name in cls.model_fields if name != "verdicts"}
        return cls(**members, verdicts=verdicts)


class ActShown(_Message):
    """A drawn act: where its entry stands, what was done and by whom, and what was said of it.

    `outcome` and `facts` are those of the entry that closed it; absent for what never ended.
    """

    index: int
    weight: int
    sampled: bool
    operation: str
    actor: str
    request: str
    at: int
    mine: bool
    verdict: str | None
    reason: str | None
    judged_by: str | None
    judged_at: int | None
    follow_up: str | None
    follow_up_reason: str | None
    followed_by: str | None
    followed_at: int | None
    outcome: str | None = None
    facts: dict[str, Fact] = {}

    @classmethod
    def of(cls, act: Judged, actor: str, ending: Mapping[str, Any] = _NONE) -> Self:
        """The outward form for a reader; `mine` says that somebody else must judge it. `ending` is the closing leaf."""
        own: dict[str, Any] = {"index": act.position, "at": act.acted_at, "mine": is_own(act, actor, ending)}
        own |= {"outcome": ending.get("outcome"), "facts": ending.get("facts", {})}
        return cls(**own, **{name: getattr(act, name) for name in cls.model_fields if name not in own})


class ReviewOpened(_Message):
    """A review with everything that was drawn for it, and the table of weights by which it was."""

    review: ReviewShown
    drawn: tuple[ActShown, ...]
    weights: dict[str, int]


class GapShown(_Message):
    """Entries that no closed review covers. `days`: the UTC days they fall on; `overdue` when a review was due."""

    first: int
    last: int
    days: tuple[str, ...]
    overdue: bool


class FollowUpShown(_Message):
    """What waits to be cleared up, and by when."""

    review: str
    act: ActShown
    due_at: int


class ReviewTable(_Message):
    """How the review of a log stands. `due_at`: when the next review must be closed; absent while nothing waits.

    `owner` is who owes it: an operator by id, or the roles that may. `gaps` lie between closed reviews, `waiting` after
    the last one.
    """

    log: str
    size: int
    owner: str
    due_at: int | None
    overdue: bool
    every_days: int
    due_days: int
    reviews: tuple[ReviewShown, ...]
    gaps: tuple[GapShown, ...]
    waiting: GapShown | None
    follow_ups: tuple[FollowUpShown, ...]


def counted(acts: Iterable[Judged]) -> dict[str, int]:
    """How often each verdict was given; "open" counts those without one."""
    counts: dict[str, int] = {}
    for act in acts:
        said = act.verdict or OPEN
        counts[said] = counts.get(said, 0) + 1
    return counts
