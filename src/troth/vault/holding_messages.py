"""Requests and answers about holds, restrictions and retention rules."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from troth.kernel.clock import iso
from troth.kernel.reasons import Why
from troth.vault.holds import Hold
from troth.vault.messages import Message
from troth.vault.restriction import Restriction

_Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Token = Annotated[str, Field(min_length=2, max_length=63, pattern=r"^[a-z0-9][a-z0-9.-]*$")]
_Class = Literal["user-generated", "account", "system"]


class HoldPlace(Message):
    """Hold a person or an object: `basis` is a token such as tax-law or litigation, `until` is epoch ms."""

    basis: _Token
    until: Annotated[int, Field(ge=0, lt=1 << 53)]
    subject: _Id | None = None
    object: _Id | None = None


class HoldNamed(Message):
    """One hold."""

    hold_id: _Id


class HoldLift(HoldNamed):
    """The end of a hold, and why."""

    reason: Why


class HoldShown(Message):
    """A hold. A person appears as a digest of their id."""

    id: str
    about: str
    object: str | None
    person_digest: str | None
    basis: str
    approver: str
    placed_at: str
    ends_at: str
    lifted_at: str | None
    binds: bool

    @classmethod
    def of(cls, hold: Hold, now: int) -> Self:
        """The outward form at a moment in epoch ms."""
        return cls(
            id=hold.id,
            about="object" if hold.object else "person",
            object=hold.object,
            person_digest=hold.subject_digest,
            basis=hold.basis,
            approver=hold.approver,
            placed_at=iso(hold.placed_at),
            ends_at=iso(hold.ends_at),
            lifted_at=iso(hold.lifted_at) if hold.lifted_at is not None else None,
            binds=hold.lifted_at is None and hold.ends_at > now,
        )


class HoldList(Message):
    """Holds, newest first."""

    holds: tuple[HoldShown, ...]


class Restrict(Message):
    """Restrict the processing of your data: `reason` is a token such as accuracy-contested."""

    reason: _Token = "by-request"


class RestrictPerson(Message):
    """Restrict the processing of a person's data on their request."""

    subject: _Id
    reason: _Token = "by-request"


class PersonNamed(Message):
    """One person of the tenant."""

    subject: _Id


class RestrictionLift(PersonNamed):
    """The end of a restriction, and why."""

    reason: Why


class ProcessingShown(Message):
    """Whether a person's data may be used, and if not, since when and why."""

    restricted: bool
    reason: str | None = None
    since: str | None = None
    by_officer: bool = False
    subject: str | None = None

    @classmethod
    def of(cls, one: Restriction | None, *, named: bool = False) -> Self:
        """The outward form; a lifted restriction restricts nothing."""
        if one is None or one.lifted_at is not None:
            return cls(restricted=False, subject=one.subject if one and named else None)
        return cls(
            restricted=True,
            reason=one.reason,
            since=iso(one.placed_at),
            by_officer=one.by_officer is not None,
            subject=one.subject if named else None,
        )


class RestrictionList(Message):
    """Restrictions that stand, oldest first."""

    restrictions: tuple[ProcessingShown, ...]


class RuleSet(Message):
    """Keep a class, or what is kept of it for one purpose, for at most so many days."""

    data_class: _Class
    days: Annotated[int, Field(ge=1, le=3650)]
    reason: Why
    purpose: _Token | None = None


class RuleClear(Message):
    """The end of one rule, and why."""

    data_class: _Class
    reason: Why
    purpose: _Token | None = None


class RuleShown(Message):
    """One line of the schedule: the shortest of `limit_days` (this service) and `rule_days` (your tenant) holds."""

    data_class: str
    purpose: str | None
    limit_days: int | None
    rule_days: int | None
    days: int | None


class Schedule(Message):
    """How long what is kept. `transient_minutes`: the ceiling of what only passes through."""

    rules: tuple[RuleShown, ...]
    transient_minutes: int
    account_days_after_closing: int
