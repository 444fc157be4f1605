"""Requests and answers of registers. Times in epoch ms; values as in JSON, as the form of the register types them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.gateway.wire.upload import Upload

MOST_ROWS = 5_000  # of one import
MOST_CHANGES = 2_000  # of one answer
Token = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,47}$")]
RecordId = Annotated[str, Field(pattern=r"^[a-z]{3}_[a-z2-7]{26}$")]
Values = Annotated[dict[str, Any], Field(max_length=100)]


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RegisterForms(_Message):
    """Which registers there are."""


class RegisterList(_Message):
    """A page of a register, newest first: records in `state`, with `text` in one of their texts, after a record."""

    form: Token
    state: Token | None = None
    text: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    after: RecordId | None = None
    limit: int = Field(default=50, ge=1, le=200)


class RegisterNamed(_Message):
    """One register."""

    form: Token


class RecordNamed(_Message):
    """One record of a register."""

    form: Token
    record_id: RecordId


class RecordOpen(_Message):
    """A new record. A value may be text as in a table: `5`, `true`, `a; b`."""

    form: Token
    values: Values = Field(default_factory=dict)


class RecordMove(_Message):
    """A move of a record. `seen`: the sequence that was looked at; another one in the meantime refuses the move."""

    form: Token
    record_id: RecordId
    move: Token
    values: Values = Field(default_factory=dict)
    seen: int | None = Field(default=None, ge=1, lt=1 << 53)


class RecordAct(_Message):
    """What one does oneself for a record, such as to attest."""

    form: Token
    record_id: RecordId
    population: Token


class RecordAttach(_Message):
    """A file for a record. `about`: the field that names whom it is about, where the record's texts do not say it."""

    form: Token
    record_id: RecordId
    file: Upload
    about: Token | None = None


class FileNamed(_Message):
    """One file of a record."""

    form: Token
    record_id: RecordId
    object_id: Annotated[str, Field(pattern=r"^obj_[a-z2-7]{26}$")]


class PopulationAsk(_Message):
    """Who had to do their part of a record at a moment (epoch ms; now, if not said), a page of them."""

    form: Token
    record_id: RecordId
    population: Token
    at: int | None = Field(default=None, ge=0, lt=1 << 53)
    after: RecordId | None = None
    limit: int = Field(default=1_000, ge=1, le=5_000)


class ReviewPrepare(_Message):
    """A review of configuration, with what is set now."""


class ReviewNamed(_Message):
    """One review of configuration."""

    record_id: RecordId


class RegisterExport(_Message):
    """A whole register: as a table, with the history of each record, or with that and the files of its records."""

    form: Token
    format: Literal["csv", "json", "zip"] = "csv"


class RegisterImport(_Message):
    """New records, all or none of them. Nothing is written unless `apply` is true."""

    form: Token
    rows: Annotated[list[Values], Field(min_length=1, max_length=MOST_ROWS)]
    apply: bool = False


class RegisterShown(BaseModel):
    """A register: its form in short, and how many records it has. `kept_by`: the room that keeps them, if another.

    `readable`: false where that room shows them to nobody here.
    """

    form: str
    title: str
    about: str
    promises: tuple[str, ...]
    records: int
    kept_by: str | None
    readable: bool


class RegistersShown(BaseModel):
    """Every register that the caller may read; `unjudged`: those whose form is not in order, by name."""

    registers: tuple[RegisterShown, ...]
    unjudged: tuple[str, ...]


class FieldShown(BaseModel):
    """A field of a form. `kind` is of one entry, `many`: it holds a list; `required`: it must be given here."""

    name: str
    label: str
    kind: str
    many: bool
    required: bool
    of: tuple[str, ...]
    least: int | None
    most: int | None


class MoveShown(BaseModel):
    """A move of a form: from which states to which, for which roles, not by whom, and what may be given with it."""

    name: str
    start: tuple[str, ...]
    to: str | None
    roles: tuple[str, ...]
    not_by: tuple[str, ...]
    fields: tuple[FieldShown, ...]


class FormShown(BaseModel):
    """A form: everything that a page, a program or a person needs to fill it in. `opens` is None where nobody opens.

    `snapshots`: what the system enters itself.
    """

    form: str
    version: int
    digest: str
    title: str
    about: str
    promises: tuple[str, ...]
    states: tuple[str, ...]
    fields: tuple[FieldShown, ...]
    opens: MoveShown | None
    moves: tuple[MoveShown, ...]
    populations: tuple[str, ...]
    snapshots: tuple[str, ...] = ()


class RecordShown(BaseModel):
    """A record. `forgotten`: how many of its entries lost their content with a person."""

    id: str
    state: str
    opened_at: int
    changed_at: int
    sequence: int
    forgotten: int
    values: dict[str, Any]


class RecordPage(BaseModel):
    """Records; `next` is the `after` of the following page."""

    records: tuple[RecordShown, ...]
    next: str | None


class DueShown(BaseModel):
    """Something to be done. `by`: a role; `person`: an id, where one is named; `lapse`: what ends with the grace."""

    form: str
    record: str
    name: str
    at: int
    grace_until: int
    by: str
    person: str | None
    lapse: str | None
    state: str


class DuesShown(BaseModel):
    """What is due in the registers that the caller may read, overdue first; `more` when there is more than is shown.

    `unjudged`: registers whose form or records are not in order, by name: what is due there nobody can tell.
    """

    dues: tuple[DueShown, ...]
    more: bool
    unjudged: tuple[str, ...]


class ReasonShown(BaseModel):
    """Why a record is not in order: a word such as `condition-2` or `due-review`, and how many."""

    what: str
    number: int


class RecordOpened(BaseModel):
    """A record with what the caller may do now, what falls due, and why it is not in order."""

    record: RecordShown
    moves: tuple[str, ...]
    dues: tuple[DueShown, ...]
    reasons: tuple[ReasonShown, ...]


class EventShown(BaseModel):
    """One entry of a record. `values` is None where they were erased with their person."""

    sequence: int
    at: int
    actor: str
    move: str
    state: str
    values: dict[str, Any] | None
    digest: str
    previous: str
    link: str


class MemberShown(BaseModel):
    """One of a population, by the id of their record. `due_at`: until when, `done_at`: when they last did it.

    `state`: done, open, late, or forgotten: nobody can tell any more, because they were erased since.
    """

    member: str
    due_at: int
    done_at: int | None
    state: str


class PopulationShown(BaseModel):
    """Everybody of a population as it was at `at`. `digest` (SHA-256) is over the names of all `count` of them."""

    over: str
    at: int
    count: int
    done: int
    digest: str
    members: tuple[MemberShown, ...]
    next: str | None


class ChangeShown(BaseModel):
    """One value that came (`before` is None), went, or is another one. Values as text in JSON."""

    section: str
    path: str
    before: str | None
    after: str | None


class ChangesShown(BaseModel):
    """What changed since the last review that was closed; the first `MOST_CHANGES` of `count`."""

    record: str
    count: int
    changes: tuple[ChangeShown, ...]


class FileShown(BaseModel):
    """A file of a record. `size` in bytes; `here`: False once it was erased, has ended, or its use is restricted."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    at: int
    actor: str
    here: bool = True


class FilesShown(BaseModel):
    """The files of a record, oldest first."""

    files: tuple[FileShown, ...]


class Detached(BaseModel):
    """The id of a file that was taken away."""

    id: str


class HistoryShown(BaseModel):
    """Every entry of a record, the first one first."""

    events: tuple[EventShown, ...]


class Acted(BaseModel):
    """When it was done."""

    at: int


class RowProblem(BaseModel):
    """Why a row cannot be taken in; rows count from 1."""

    row: int
    code: str
    field: str | None
    says: str


class Imported(BaseModel):
    """What an import did or would do. With problems nothing was written; the first fifty are told."""

    applied: bool
    rows: int
    problems: tuple[RowProblem, ...]
