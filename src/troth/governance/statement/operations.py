"""The statement and the data map, as doors may ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from troth.governance.data_map.map import DataMap, digest
from troth.governance.statement.article30 import Row, rows
from troth.governance.statement.generate import Statement
from troth.governance.statement.publishing import Statements, written
from troth.governance.statement.store import Head, digest_of
from troth.kernel.caller import Caller
from troth.kernel.errors import NotFound
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.reasons import Why

_MAP: TypeAdapter[DataMap] = TypeAdapter(DataMap)
Number = Annotated[int, Field(ge=1, le=1_000_000)]
State = Literal["in force", "out of date", "not published", "proposed", "withdrawn", "replaced"]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(_Message):
    """A request without fields."""


class StatementShow(_Message):
    """A version by its number; by default the one in force."""

    number: Number | None = None


class StatementPublish(_Message):
    """What is done now is proposed as the statement. `accepts`: sections above the grade that stay as they are."""

    reason: Why
    accepts: Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(max_length=64)] = ()


class StatementApprove(_Message):
    """The approval of a proposed version, and why."""

    number: Number
    reason: Why


class SentenceShown(_Message):
    """One sentence and the facts of the data map that it says."""

    text: str
    facts: tuple[str, ...]


class SectionShown(_Message):
    """One part of the statement; `grade` is its Flesch-Kincaid grade level. `names` do not count for it."""

    id: str
    title: str
    grade: float
    names: tuple[str, ...]
    sentences: tuple[SentenceShown, ...]


class VersionShown(_Message):
    """One version. Times in epoch ms. Who did it is shown to operators alone."""

    number: int
    state: State
    digest: str
    map: str
    accepted: tuple[str, ...]
    proposed_at: int
    approved_at: int | None
    proposed_by: str | None = None
    approved_by: str | None = None


class StatementShown(_Message):
    """What people are told. `unsaid` is done and not in it, `untrue` is in it and not done: both empty while it holds.

    `number` 0: nobody published one yet, and this is what would be said now.
    """

    number: int
    state: State
    digest: str
    approved_at: int | None
    sections: tuple[SectionShown, ...]
    unsaid: tuple[str, ...]
    untrue: tuple[str, ...]
    versions: tuple[VersionShown, ...]


class DataMapShown(_Message):
    """The data map of this installation, and the record of processing activities made of it (GDPR Art. 30)."""

    digest: str
    map: dict[str, Any]
    record: list[Row]


class StatementOperations:
    """What people are told of their data, and what it is made of."""

    def __init__(self, statements: Statements, current: Callable[[], DataMap]) -> None:
        self._statements = statements
        self._current = current

    @operation("privacy-statement.show", group=Group.PUBLIC, request=StatementShow,
               command=("privacy-statement", "fetch"),
               route=Route("GET", "/v1/privacy-statement", body="none"))  # fmt: skip
    def show(self, call: Call, request: StatementShow) -> StatementShown:
        """Show the plain statement of what is done with data, and whether it is true now."""
        head = self._wanted(request.number, call.caller)
        told = self._statements.opened(head) if head else self._statements.draft()
        return self._shown(head, told, call.caller)

    @operation("privacy-statement.publish", group=Group.OPERATE, request=StatementPublish,
               command=("privacy-statement", "publish"),
               route=Route("POST", "/v1/privacy-statements", status=201))  # fmt: skip
    def publish(self, call: Call, request: StatementPublish) -> VersionShown:
        """Propose what is done now as the statement; somebody else approves it."""
        head = self._statements.publish(call.caller.actor, request.accepts)
        call.note(object=f"statement-{head.number}", digest=head.digest, count=len(head.accepted.split()),
                  reason=request.reason)  # fmt: skip
        return self._version(head, call.caller)

    @operation("privacy-statement.approve", group=Group.OPERATE, request=StatementApprove,
               command=("privacy-statement", "approve"),
               route=Route("POST", "/v1/privacy-statements/{number}/approval"))  # fmt: skip
    def approve(self, call: Call, request: StatementApprove) -> VersionShown:
        """Put a proposed statement in force, while it still says what is true."""
        head = self._statements.approve(request.number, call.caller.actor)
        call.note(object=f"statement-{head.number}", digest=head.digest, reason=request.reason)
        return self._version(head, call.caller)

    @operation("data-map.show", group=Group.GOVERN, request=Nothing, command=("data-map", "fetch"),
               route=Route("GET", "/v1/data-map", body="none"))  # fmt: skip
    def data_map(self, call: Call, _request: Nothing) -> DataMapShown:
        """Show what is kept of people, why and for how long, with the record of processing activities."""
        current = self._current()
        call.note(digest=digest(current))
        return DataMapShown(digest=digest(current), map=_MAP.dump_python(current, mode="json"), record=rows(current))

    def _wanted(self, number: int | None, caller: Caller) -> Head | None:
        if number is None:
            return self._statements.in_force()
        head = self._statements.head(number)
        if head.approved_at is None and caller.kind != "operator":
            raise NotFound("There is no such version of the statement.", code="no-statement")
        return head

    def _shown(self, head: Head | None, told: Statement, caller: Caller) -> StatementShown:
        heads, apart = self._statements.heads(), self._statements.apart(told)
        seen = [one for one in heads if one.approved_at is not None or caller.kind == "operator"]
        content = written(told)
        return StatementShown(
            number=head.number if head else 0,
            state="out of date" if head and apart and head == self._statements.in_force() else _state(head, heads),
            digest=digest_of(content),
            approved_at=head.approved_at if head else None,
            sections=TypeAdapter(tuple[SectionShown, ...]).validate_json(content),
            unsaid=tuple(sorted(apart.unsaid)),
            untrue=tuple(sorted(apart.untrue)),
            versions=tuple(self._version(one, caller) for one in reversed(seen)),
        )

    def _version(self, head: Head, caller: Caller) -> VersionShown:
        told = {name: getattr(head, name) for name in ("number", "digest", "map", "proposed_at", "approved_at")}
        if caller.kind == "operator":
            told |= {"proposed_by": head.proposed_by, "approved_by": head.approved_by}
        state = _state(head, self._statements.heads())
        return VersionShown(state=state, accepted=tuple(head.accepted.split()), **told)


def _state(head: Head | None, heads: list[Head]) -> State:
    if head is None:
        return "not published"
    if head.approved_at is None:
        return "proposed" if head == heads[-1] else "withdrawn"
    newer = any(one.approved_at is not None for one in heads if one.number > head.number)
    return "replaced" if newer else "in force"
