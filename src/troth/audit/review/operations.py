"""What reviewers may ask: how the reviews of their log stand, the next range, verdicts and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from troth.audit.review import messages as m
from troth.audit.review.queue import Reviewer, Reviews, Verdict
from troth.audit.review.table import Tables
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOperations:
    """Reviews of the log that the caller may read: the tenant's, or the operators' own."""

    reviews: Reviews
    tables: Tables

    @operation(
        "review.list",
        group=Group.AUDIT,
        request=m.Nothing,
        route=Route("GET", "/v1/reviews", body="none"),
        command=("review", "list"),
    )
    def list(self, call: Call, request: m.Nothing) -> m.ReviewTable:
        """How far administrators are reviewed: ranges, gaps with their days, what waits and until when."""
        del request
        table = self.tables.of(_log(call), call.caller.actor)
        call.note(count=len(table.reviews))
        return table

    @operation(
        "review.show",
        group=Group.AUDIT,
        request=m.ReviewNamed,
        route=Route("GET", "/v1/reviews/{review_id}", body="none"),
        command=("review", "show"),
    )
    def show(self, call: Call, request: m.ReviewNamed) -> m.ReviewOpened:
        """Show a review: its range, seed and root, and the acts that were drawn."""
        call.note(review=request.review_id)
        return self.tables.opened(_log(call), request.review_id, call.caller.actor)

    @operation(
        "review.open",
        group=Group.REVIEW,
        request=m.ReviewOpen,
        route=Route("POST", "/v1/reviews", status=201, max_bytes=1 << 10),
        command=("review", "open"),
    )
    def open(self, call: Call, request: m.ReviewOpen) -> m.ReviewOpened:
        """Fix the next range of the log and draw the acts to be judged."""
        made = self.reviews.open(_reviewer(call), request.last)
        call.note(review=made.id, first=made.first, last=made.last)
        return self.tables.opened(_log(call), made.id, call.caller.actor)

    @operation(
        "review.judge",
        group=Group.REVIEW,
        request=m.ActJudge,
        route=Route("POST", "/v1/reviews/{review_id}/acts/{index}/verdict", max_bytes=1 << 10),
        command=("review", "judge"),
    )
    def judge(self, call: Call, request: m.ActJudge) -> m.ActShown:
        """Say of a drawn act that it is fine, a question or wrong; never of one's own."""
        call.note(review=request.review_id, index=request.index, verdict=request.verdict)
        verdict = Verdict(request.verdict, request.reason)
        act = self.reviews.judge(_reviewer(call), request.review_id, request.index, verdict)
        return self.tables.act(_log(call), act, call.caller.actor)

    @operation(
        "review.close",
        group=Group.REVIEW,
        request=m.ReviewNamed,
        route=Route("POST", "/v1/reviews/{review_id}/closing", max_bytes=1 << 10),
        command=("review", "close"),
    )
    def close(self, call: Call, request: m.ReviewNamed) -> m.ReviewOpened:
        """Close a review of which every drawn act was judged."""
        call.note(review=request.review_id)
        self.reviews.close(_reviewer(call), request.review_id)
        return self.tables.opened(_log(call), request.review_id, call.caller.actor)

    @operation(
        "review.follow-up",
        group=Group.REVIEW,
        request=m.FollowUpClose,
        route=Route("POST", "/v1/reviews/{review_id}/acts/{index}/follow-up", max_bytes=1 << 10),
        command=("review", "follow-up"),
    )
    def follow_up(self, call: Call, request: m.FollowUpClose) -> m.ActShown:
        """Say why a question, or a wrong act, is cleared up."""
        call.note(review=request.review_id, index=request.index, reason=request.reason)
        act = self.reviews.follow_up(_reviewer(call), request.review_id, request.index, request.reason)
        return self.tables.act(_log(call), act, call.caller.actor)


def _log(call: Call) -> str:
    """The log that a caller may read. Raises `NotFound` for one who has neither a tenant nor the service."""
    return "operator" if call.caller.kind == "operator" and call.caller.tenant is None else call.tenant


def _reviewer(call: Call) -> Reviewer:
    return Reviewer(_log(call), call.caller.actor, call.request_id)
