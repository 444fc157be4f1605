"""Requests and answers about policies, cases, take-downs and preserved evidence."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from troth.gateway.moderation.policy import LARGEST, Rule
from troth.kernel.reasons import Why

_Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Token = Annotated[str, Field(min_length=2, max_length=63, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
_Words = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Message):
    """A request without fields."""


class PolicyPropose(_Message):
    """A policy in YAML: version, categories, pictures (docs/how-to/moderate-content.md)."""

    reason: Why
    policy: Annotated[str, Field(min_length=1, max_length=LARGEST)]


class PolicyApprove(_Message):
    """The approval of a proposal, and why."""

    reason: Why
    policy_id: _Id


class PolicyWritten(_Message):
    """One policy that the tenant wrote. Times in epoch ms."""

    id: str
    text: str
    digest: str
    state: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None


class PolicyInForce(_Message):
    """What holds for the tenant. `prohibited`: classes that no tenant permits."""

    name: str
    rules: dict[str, Rule]
    picture: Rule
    pictures_required: bool
    prohibited: tuple[str, ...]
    written: tuple[PolicyWritten, ...]


class CaseList(_Message):
    """`waiting`: those that wait for somebody, by date; else the newest of all."""

    waiting: bool = True
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class CaseShown(_Message):
    """A case without its content. Times in epoch ms; `mine_first`: who asks decided first and may not decide again."""

    id: str
    request: str
    side: str
    medium: str
    category: str
    score: float
    action: str
    policy: str
    state: str
    opened_at: int
    due_at: int | None
    overdue: bool
    outcome: str | None
    reason: str | None
    decided_at: int | None
    appealed_at: int | None
    answer_outcome: str | None
    answered_at: int | None
    mine_first: bool = False


class Figures(_Message):
    """Counts of cases. `overturned`: what people took back; `appeals_won`: after an appeal."""

    cases: int
    refused: int
    waiting: int
    overdue: int
    decided: int
    overturned: int
    appeals: int
    appeals_won: int
    error_rate: float | None
    by_category: dict[str, dict[str, int]]


class CaseTable(_Message):
    """The queue and its figures."""

    cases: tuple[CaseShown, ...]
    figures: Figures


class CaseOpen(_Message):
    """Open the content of a case, for a reason that the record keeps."""

    reason: Why
    case_id: _Id


class CaseOpened(_Message):
    """A case with its content: `text`, or `picture` as base64 of a small JPEG; neither for what nobody may see."""

    case: CaseShown
    content: dict[str, str] | None
    appeal: str | None
    statement: str | None
    answer: str | None


class CaseDecide(_Message):
    """The decision on a case, or on the appeal upon it. `words` are for the person: facts, rule and why."""

    reason: Why
    case_id: _Id
    outcome: Literal["upheld", "overturned"]
    words: _Words


class CaseAppeal(_Message):
    """Why a decision about oneself is wrong, in one's own words."""

    case_id: _Id
    words: _Words


class StatementOfReasons(_Message):
    """Regulation (EU) 2022/2065 Art. 17(3): what was done, on which facts, by whom, on what ground, and what to do."""

    restriction: str
    facts: str
    automated: bool
    ground: str
    redress: str


class OwnCase(_Message):
    """One's own case."""

    case: CaseShown
    statement_of_reasons: StatementOfReasons
    statement: str | None
    appeal: str | None
    answer: str | None
    may_appeal: bool


class OwnCases(_Message):
    """One's own cases, newest first."""

    cases: tuple[OwnCase, ...]


class TakedownList(_Message):
    """A page of the list, after an id."""

    after: _Id | None = None


class TakedownImport(_Message):
    """Entries as CSV: hash (PDQ, 64 hex digits), illegal (true or false), source and reason (tokens)."""

    entries: Annotated[str, Field(min_length=1, max_length=900_000)]


class TakedownNamed(_Message):
    """One entry, and why it is decided upon."""

    reason: Why
    entry_id: _Id


class TakedownShown(_Message):
    """One entry. Times in epoch ms."""

    id: str
    hash: str
    illegal: bool
    source: str
    reason: str
    state: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None
    approved_at: int | None


class TakedownsShown(_Message):
    """A page of the list."""

    entries: tuple[TakedownShown, ...]


class EvidenceReport(_Message):
    """That evidence was reported: `authority` and `reference` are tokens, such as cybertipline and its number."""

    reason: Why
    evidence_id: _Id
    authority: _Token
    reference: _Token


class EvidenceAsk(_Message):
    """The wish to open or release evidence; somebody else does it."""

    reason: Why
    evidence_id: _Id
    wish: Literal["open", "release"]


class EvidenceNamed(_Message):
    """One piece of evidence, and why."""

    reason: Why
    evidence_id: _Id


class EvidenceShown(_Message):
    """One piece of evidence, without what it shows. Times in epoch ms; `authority` and `reference` are tokens."""

    id: str
    case: str
    state: str
    preserved_at: int
    ends_at: int
    authority: str | None
    reference: str | None
    reported_at: int | None
    reported_by: str | None
    asked_for: str | None
    asked_by: str | None
    asked_at: int | None


class EvidenceTable(_Message):
    """What is preserved, newest first."""

    evidence: tuple[EvidenceShown, ...]


def plain(value: Any, names: Any) -> dict[str, Any]:
    """The named members of an object with slots."""
    return {name: getattr(value, name) for name in names}
