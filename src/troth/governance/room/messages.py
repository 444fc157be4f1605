"""Requests and answers of rooms. Times in epoch ms."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.governance.messages import RecordId, RecordShown, Token

_Promise = Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{2}$")]
_Check = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class RoomList(_Message):
    """A request without fields."""


class RoomNamed(_Message):
    """One room."""

    room_id: RecordId


class RoomRuns(RoomNamed):
    """Runs of a check behind a sequence, between days in UTC that lie in the period of the room."""

    check: _Check
    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")
    after: int = Field(default=0, ge=0, lt=1 << 53)


class RoomRecords(RoomNamed):
    """Records of a register behind one of them."""

    form: Token
    after: RecordId | None = None


class RoomSample(RoomNamed):
    """How many runs of a check to draw, and the nonce: 8 to 128 letters, digits, dots, hyphens or underscores."""

    check: _Check
    nonce: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{8,128}$")]
    size: int = Field(ge=1, le=200)


class RoomRun(RoomNamed):
    """One run of a check."""

    check: _Check
    sequence: int = Field(ge=1, lt=1 << 53)


class RoomQuestion(RoomNamed):
    """A question or a finding, of one promise or of none."""

    kind: Literal["question", "finding"] = "question"
    promise: _Promise | None = None
    question: Annotated[str, Field(min_length=1, max_length=4000)]


class RoomPaper(RoomNamed):
    """What to take along: the report of the whole period, or what it says of the promises of the room."""

    paper: Literal["bundle", "oscal", "pdf"]


class RoomShown(BaseModel):
    """A room: the period is from `start` up to, but without, `end`; it ends at `until`. `bundle`: the report of the
    whole period may be taken along."""

    id: str
    name: str
    promises: tuple[str, ...]
    registers: tuple[str, ...]
    start: int
    end: int
    until: int
    bundle: bool = False


class RoomsShown(BaseModel):
    """The rooms that are open for the caller."""

    rooms: tuple[RoomShown, ...]


class PromiseInRoom(BaseModel):
    """A promise as it stands now, and its checks."""

    promise: str
    statement: str
    state: str
    reason: str
    checks: tuple[str, ...]


class RoomOpened(BaseModel):
    """A room with its promises and what was asked."""

    room: RoomShown
    promises: tuple[PromiseInRoom, ...]
    questions: tuple[RecordShown, ...]


class RunInRoom(BaseModel):
    """One run: `control` must be "fail"; `record` names its entry in the log, `link` its digest in the chain."""

    check: str
    sequence: int
    at: int
    slot: int | None
    result: str
    control: str
    population: int
    tested: int
    schedule: int
    link: str
    record: str


class RunsInRoom(BaseModel):
    """Runs in the order of their chain; `next`: the `after` of the following page."""

    runs: tuple[RunInRoom, ...]
    next: int | None


class RecordsInRoom(BaseModel):
    """Records as they stood at the end of the period; `next`: the `after` of the following page.

    `title` of the register and `labels` of its fields are for people.
    """

    form: str
    title: str
    labels: dict[str, str]
    records: tuple[RecordShown, ...]
    next: str | None


class SampleInRoom(BaseModel):
    """The runs that were drawn, out of how many, by which root (hex) and nonce: anybody can draw them again."""

    root: str
    nonce: str
    population: int
    runs: tuple[RunInRoom, ...]


class RunProven(BaseModel):
    """The entry of the operator's log that tells of a run: `leaf` is its text, `proof` a C2SP tlog-proof.

    `key` is the log's verifier key as this server states it; take it from a source of your own when it matters.
    """

    index: int
    leaf: str
    proof: str
    key: str
