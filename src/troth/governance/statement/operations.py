"""The statement and the data map, as doors may ask for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from troth.governance.data_map.map import DataMap, digest
from troth.governance.statement.article30 import Row, rows
from troth.governance.statement.comparing import differences
from troth.governance.statement.generate import Statement
from troth.governance.statement.publishing import Statements, in_force, written
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
    """A version by its number; by default the one in force. `against`: also what it says otherwise than that one."""

    number: Number | None = None
    against: Number | None = None


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


class DifferenceShown(_Message):
    """Sentences of one section that are there no more (`before`), and those that are new (`after`)."""

    section: str
    title: str
    kind: Literal["added", "dropped", "changed"]
    before: tuple[str, ...]
    after: tuple[str, ...]


class StatementShown(_Message):
    """What people are told. `unsaid` is done and not in it, `untrue` is in it and not done, `reworded`: sections that
    would be said otherwise today. All are empty while it holds. `changes`: against the version that was asked for.

    `number` 0: nobody published one yet, and this is what would be said now.
    """

    number: int
    state: State
    digest: str
    approved_at: int | None
    sections: tuple[SectionShown, ...]
    unsaid: tuple[str, ...]
    untrue: tuple[str, ...]
    reworded: tuple[str, ...]
    versions: tuple[VersionShown, ...]
    changes: tuple[DifferenceShown, ...] = ()


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
        heads = _visible(self._statements.heads(), call.caller)
        head = in_force(heads) if request.number is None else _one(heads, request.number)
        told = self._statements.opened(head) if head else self._statements.draft()
        earlier = None if request.against is None else self._statements.opened(_one(heads, request.against))
        return self._shown(head, told, heads, call.caller, earlier)

    @operation("privacy-statement.publish", group=Group.OPERATE, request=StatementPublish,
               command=("privacy-statement", "publish"),
               route=Route("POST", "/v1/privacy-statements", status=201))  # fmt: skip
    def publish(self, call: Call, request: StatementPublish) -> VersionShown:
        """Propose what is done now as the statement; somebody else approves it."""
        head = self._statements.publish(call.caller.actor, request.accepts)
        call.note(object=f"statement-{head.number}", digest=head.digest, count=len(head.accepted.split()),
                  reason=request.reason)  # fmt: skip
        return _version(head, self._statements.heads(), call.caller)

    @operation("privacy-statement.approve", group=Group.OPERATE, request=StatementApprove,
               command=("privacy-statement", "approve"),
               route=Route("POST", "/v1/privacy-statements/{number}/approval"))  # fmt: skip
    def approve(self, call: Call, request: StatementApprove) -> VersionShown:
        """Put a proposed statement in force, while it still says what is true."""
        head = self._statements.approve(request.number, call.caller.actor)
        call.note(object=f"statement-{head.number}", digest=head.digest, reason=request.reason)
        return _version(head, self._statements.heads(), call.caller)

    @operation("data-map.show", group=Group.GOVERN, request=Nothing, command=("data-map", "fetch"),
               route=Route("GET", "/v1/data-map", body="none"))  # fmt: skip
    def data_map(self, call: Call, _request: Nothing) -> DataMapShown:
        """Show what is kept of people, why and for how long, with the record of processing activities."""
        current = self._current()
        call.note(digest=digest(current))
        return DataMapShown(digest=digest(current), map=_MAP.dump_python(current, mode="json"), record=rows(current))

    def _shown(
        self, head: Head | None, told: Statement, heads: list[Head], caller: Caller, earlier: Statement | None
    ) -> StatementShown:
        apart, content = self._statements.apart(told), written(told)
        return StatementShown(
            number=head.number if head else 0,
            state="out of date" if head and apart and head == in_force(heads) else _state(head, heads),
            digest=digest_of(content),
            approved_at=head.approved_at if head else None,
            sections=TypeAdapter(tuple[SectionShown, ...]).validate_json(content),
            unsaid=tuple(sorted(apart.unsaid)),
            untrue=tuple(sorted(apart.untrue)),
            reworded=apart.reworded,
            versions=tuple(_version(one, heads, caller) for one in reversed(heads)),
            changes=()
            if earlier is None
            else tuple(DifferenceShown(**asdict(one)) for one in differences(earlier, told)),
        )


def _visible(heads: list[Head], caller: Caller) -> list[Head]:
    """What was approved; operators see what waits too."""
    return [one for one in heads if one.approved_at is not None or caller.kind == "operator"]


def _one(heads: list[Head], number: int) -> Head:
    found = next((one for one in heads if one.number == number), None)
    if found is None:
        raise NotFound("There is no such version of the statement.", code="no-statement")
    return found


def _version(head: Head, heads: list[Head], caller: Caller) -> VersionShown:
    told = {name: getattr(head, name) for name in ("number", "digest", "map", "proposed_at", "approved_at")}
    if caller.kind == "operator":
        told |= {"proposed_by": head.proposed_by, "approved_by": head.approved_by}
    return VersionShown(state=_state(head, heads), accepted=tuple(head.accepted.split()), **told)


def _state(head: Head | None, heads: list[Head]) -> State:
    if head is None:
        return "not published"
    if head.approved_at is None:
        return "proposed" if head == heads[-1] else "withdrawn"
    newer = any(one.approved_at is not None for one in heads if one.number > head.number)
    return "replaced" if newer else "in force"
