"""Reviews of configuration and populations of then, as doors may ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from troth.governance import messages as m
from troth.governance import shown
from troth.governance.config_reviews import FORM, ConfigReviews
from troth.governance.obliged import Obliged, Populations
from troth.governance.operations import who
from troth.governance.populations import Owed
from troth.governance.prepared.configuration import Change, canonical
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True)
class ConfigReviewOperations:
    """The reviews of the house."""

    reviews: ConfigReviews

    @operation("register.prepare", group=Group.GOVERN, request=m.ReviewPrepare, command=("register", "prepare"),
               route=Route("POST", "/v1/config-reviews", status=201), data_class=DataClass.ACCOUNT)  # fmt: skip
    def prepare(self, call: Call, request: m.ReviewPrepare) -> m.RecordShown:  # noqa: ARG002
        """Prepare a review of configuration: what is set now, and what changed since the last one."""
        record = self.reviews.prepare(who(call))
        call.note(register=FORM, object=record.id, state=record.state)
        return shown.record(record)

    @operation("register.changes", group=Group.GOVERN, request=m.ReviewNamed, command=("register", "changes"),
               route=Route("GET", "/v1/config-reviews/{record_id}", body="none"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def changes(self, call: Call, request: m.ReviewNamed) -> m.ChangesShown:
        """Show what a review of configuration has to judge: every value that changed since the last one."""
        found = self.reviews.changes(who(call), request.record_id)
        call.note(register=FORM, object=request.record_id, count=len(found))
        shown_ones = tuple(_change(one) for one in found[: m.MOST_CHANGES])
        return m.ChangesShown(record=request.record_id, count=len(found), changes=shown_ones)


@dataclass(frozen=True, slots=True)
class PopulationOperations:
    """Who had to do what, of the caller's tenant."""

    populations: Populations

    @operation("register.population", group=Group.GOVERN, request=m.PopulationAsk, command=("register", "population"),
               route=Route("GET", "/v1/registers/{form}/{record_id}/populations/{population}", body="none"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def population(self, call: Call, request: m.PopulationAsk) -> m.PopulationShown:
        """Show who had to do their part of a record at a moment, and who did: everybody of then, not of today."""
        found = self.populations.at(who(call), request.form, request.record_id, request.population, request.at)
        call.note(register=request.form, object=request.record_id, population=request.population,
                  count=len(found.everybody), digest=found.snapshot.digest)  # fmt: skip
        return _population(found, request.after or "", request.limit)


def _population(found: Obliged, after: str, limit: int) -> m.PopulationShown:
    left = [one for one in sorted(found.everybody, key=lambda one: one.member) if one.member > after]
    at, shown_now = found.snapshot.at, left[:limit]
    members = tuple(
        m.MemberShown(member=one.member, due_at=one.by, done_at=one.last, state=_state(found, one, at))
        for one in shown_now
    )
    return m.PopulationShown(
        over=found.over, at=at, count=len(found.everybody), done=sum(one.done for one in found.everybody),
        digest=found.snapshot.digest, members=members, next=shown_now[-1].member if len(left) > limit else None,
    )  # fmt: skip


def _state(found: Obliged, one: Owed, at: int) -> str:
    if one.done:
        return "done"
    if one.member in found.forgotten:
        return "forgotten"
    return "late" if at >= one.by else "open"


def _change(one: Change) -> m.ChangeShown:
    return m.ChangeShown(section=one.section, path=one.path, before=_text(one.before), after=_text(one.after))


def _text(value: Any) -> str | None:
    return None if value is None else canonical(value).decode()
