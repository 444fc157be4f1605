"""Decisions as the log holds them: who decided what, why, by which policies, and where the proof is (AUD-03)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from troth.audit import store
from troth.audit.leaf import read_leaf
from troth.audit.placed import require_placed
from troth.audit.store import StoredHead, entries
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.record import Fact
from troth.storage.database import Database

# Who approves, refuses, lifts, accepts, retires, judges or closes, and who sets a rule. tests/attacks/test_decisions.py
# compares: an operation whose request names why is here, and each here names why, or its own coarse reason.
DECISIONS = frozenset(
    """erasure.approve erasure.cancel offboarding.approve offboarding.cancel hold.place hold.lift restriction.place
    restriction.lift retention.set retention.clear redaction.set redaction.clear keys.compromise key-domain.retire
    key-replacement.approve key-replacement.cancel move.approve move.cancel vendor.approve vendor.suspend request.refuse
    routing.set routing.approve limit.set budget.set budget.remove
    request.extend review.judge review.follow-up elevation.approve elevation.refuse emergency.review
    access-review.judge role.replace user.offboard moderation-policy.propose moderation-policy.approve
    moderation-case.open moderation-case.decide takedown.approve takedown.withdraw preserved.report preserved.ask
    preserved.open preserved.release check.confirm house.name house.approve paper.publish paper.approve
    privacy-statement.publish privacy-statement.approve""".split()
)
_OPENED, _PENDING = "opened", "pending"
_SERVICE = "svc_"  # self-checks call every operation, with bodies that do nothing
_EMPTY: Mapping[str, Any] = {}


class DecisionList(BaseModel):
    """A page below index `before`, newest first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: Annotated[int, Field(ge=0, lt=1 << 53)] | None = None
    limit: int = Field(default=50, ge=1, le=200)


class DecisionView(BaseModel):
    """One decision. `index` is the entry that closed it, `opened` the one that names policies and evidence.

    `reason` is the coarse code that was given; `policies` are the ids of the Cedar policies that spoke, `ruleset` the
    digest of the whole set they stood in, `evidence` the SHA-256 of what they saw. `time` in epoch ms.
    """

    index: int
    opened: int | None
    time: int
    operation: str
    actor: str
    outcome: str
    code: str | None
    reason: str | None
    policies: tuple[str, ...]
    ruleset: str | None
    evidence: str | None
    facts: dict[str, Fact]


class DecisionPage(BaseModel):
    """Decisions, newest first; `next` is the `before` of the following page."""

    decisions: tuple[DecisionView, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class DecisionOperations:
    """Reads the decisions in the caller's own log: the tenant's, or the operators'."""

    database: Database

    @operation(
        "decision.list",
        group=Group.AUDIT,
        request=DecisionList,
        route=Route("GET", "/v1/decisions", body="none"),
        command=("decision", "list"),
    )
    def list(self, call: Call, request: DecisionList) -> DecisionPage:
        """Who decided what and why, newest first, with the entries that prove it."""
        log = "operator" if call.caller.kind == "operator" and call.caller.tenant is None else call.tenant
        page = decisions(self.database, log, request)
        call.note(count=len(page.decisions))
        return page


def decisions(database: Database, log: str, wanted: DecisionList) -> DecisionPage:
    """A page of the decisions in a log; empty for a log without entries. Raises `IntegrityError` for altered rows."""
    with database.read() as connection:
        head = store.find_head(connection, log)
        if head is None:
            return DecisionPage(decisions=(), next=None)
        found = list(_decided(connection, head, wanted))
        shown = tuple(_view(connection, head, index, leaf) for index, leaf in found)
    return DecisionPage(decisions=shown, next=found[-1][0] if len(found) == wanted.limit else None)


def _decided(connection: Connection, head: StoredHead, wanted: DecisionList) -> Iterator[tuple[int, dict[str, Any]]]:
    end = head.size if wanted.before is None else min(wanted.before, head.size)
    query = (
        select(entries.c.position, entries.c.leaf)
        .where(entries.c.number == head.number, entries.c.position < end)
        .where(entries.c.operation.in_(sorted(DECISIONS)), entries.c.outcome != _PENDING)
        .where(~entries.c.actor.startswith(_SERVICE, autoescape=True))
        .order_by(entries.c.position.desc())
        .limit(wanted.limit)
    )
    for index, leaf in require_placed(connection, head.number, connection.execute(query)):
        yield index, read_leaf(leaf)


def _view(connection: Connection, head: StoredHead, index: int, closed: Mapping[str, Any]) -> DecisionView:
    place, opened = _opening(connection, head, index, closed)
    facts = dict(closed.get("facts", {}))
    said = facts.pop("reason", None) or facts.get("verdict")
    return DecisionView(
        index=index,
        opened=place,
        time=int(closed.get("time", 0)),
        operation=str(closed.get("op", "")),
        actor=str(closed.get("actor", "")),
        outcome=str(closed.get("outcome", "")),
        code=closed.get("code"),
        reason=None if said is None else str(said),
        policies=tuple(opened.get("policies", ())),
        ruleset=opened.get("facts", _EMPTY).get("ruleset"),
        evidence=opened.get("evidence"),
        facts=facts,
    )


def _opening(
    connection: Connection, head: StoredHead, index: int, closed: Mapping[str, Any]
) -> tuple[int | None, Mapping[str, Any]]:
    """The entry that opened the same call; a refusal by the policy is opening and closing in one."""
    if "policies" in closed:
        return index, closed
    mine = (entries.c.number == head.number, entries.c.request == closed.get("request"), entries.c.position < index)
    rows = connection.execute(select(entries.c.position, entries.c.leaf).where(*mine).order_by(entries.c.position))
    for row in rows:
        leaf = read_leaf(bytes(row.leaf))
        if leaf.get("phase") == _OPENED and leaf.get("op") == closed.get("op"):
            require_placed(connection, head.number, [(row.position, row.leaf)])
            return int(row.position), leaf
    return None, _EMPTY
