"""Requests and answers of the operations on rights."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.clock import Clock, iso_if
from troth.vault.objections import Objection
from troth.vault.rights.clocks import Calendar, Urgency
from troth.vault.rights.notices import Notice
from troth.vault.rights.outgoing import Letter
from troth.vault.rights.register import Opened
from troth.vault.rights.requests import NEEDED, Request
from troth.vault.rights.statements import Statement

_Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Text = Annotated[str, Field(max_length=20_000)]
_Kind = Literal["access", "portability", "erasure", "rectification", "restriction", "objection", "opt-out"]
_Purpose = Literal["training", "vendor-retention", "analytics", "sale", "sharing"]
_Law = Literal["gdpr", "ccpa"]
_Notice = Literal[
    "receipt",
    "extension",
    "answer",
    "refusal",
    "receipt-copy",
    "extension-copy",
    "answer-copy",
    "refusal-copy",
    "erased",
]
_Means = Literal["in-person", "known-channel", "document-seen", "video-call"]
_Why = Literal[
    "identity-not-shown",
    "agent-without-proof",
    "nothing-held",
    "unfounded-or-excessive",
    "legal-duty",
    "rights-of-others",
    "not-covered",
    "duplicate",
    "not-a-request",
]


class Message(BaseModel):
    """Strict: an unknown member is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Message):
    """A request without members."""


class RequestFile(Message):
    """What you ask for, in your own words if you like. An objection names its purpose."""

    kind: _Kind
    text: _Text = ""
    purpose: _Purpose | None = None
    law: _Law | None = None


class RequestNamed(Message):
    """One request."""

    request_id: _Id


class RequestSort(RequestNamed):
    """Which right a message is about."""

    kind: _Kind
    purpose: _Purpose | None = None
    law: _Law | None = None


class RequestVerify(RequestNamed):
    """How it was seen who asks; `subject` is their account when the message came from elsewhere."""

    means: _Means
    subject: _Id | None = None


class RequestNotice(RequestNamed):
    """A notice that was sent by hand."""

    notice: _Notice


class RequestExtend(RequestNamed):
    """Why it takes longer."""

    reason: Literal["complexity", "number-of-requests"]


class RequestAnswer(RequestNamed):
    """The answer, as the person reads it."""

    text: Annotated[str, Field(min_length=1, max_length=20_000)]


class RequestRefuse(RequestNamed):
    """The reason, and what the person reads beside it."""

    reason: _Why
    text: _Text = ""


class RequestShown(Message):
    """A request. Times in ISO 8601; `due` is the last day for the answer, `confirm_by` for the confirmation."""

    id: str
    kind: str
    purpose: str | None
    law: str
    channel: str
    state: str
    open: bool
    level: int
    level_needed: int
    mine: bool
    taken: bool
    reason: str | None
    received_at: str
    confirmed_at: str | None
    confirm_by: str | None
    due: str
    extendable: bool
    extended_at: str | None
    closed_at: str | None
    urgency: Urgency

    @classmethod
    def of(cls, request: Request, calendar: Calendar, clock: Clock, actor: str | None = None) -> RequestShown:
        """The outward form; `actor` is who looks."""
        ends = request.terms(calendar)
        return cls(
            id=request.id,
            kind=request.kind.value,
            purpose=request.purpose,
            law=request.law.value,
            channel=request.channel,
            state=request.state.value,
            open=request.open,
            level=request.level,
            level_needed=NEEDED[request.kind],
            mine=actor is not None and request.officer == actor,
            taken=request.officer is not None,
            reason=request.reason,
            received_at=iso_if(request.received_at) or "",
            confirmed_at=iso_if(request.confirmed_at),
            confirm_by=ends.confirm.isoformat() if ends.confirm and not request.confirmed_at else None,
            due=request.due(calendar).isoformat(),
            extendable=request.open and request.extended_at is None and ends.longest is not None,
            extended_at=iso_if(request.extended_at),
            closed_at=iso_if(request.closed_at),
            urgency=request.urgency(clock.now(), calendar),
        )


class RequestList(Message):
    """Requests."""

    requests: tuple[RequestShown, ...]


class RequestOpened(Message):
    """A request with its texts. `address` is where a mail came from: it is not proof of anything."""

    request: RequestShown
    title: str
    text: str
    address: str | None
    answer: str | None
    means: str | None
    subject: str | None

    @classmethod
    def of(cls, opened: Opened, shown: RequestShown) -> RequestOpened:
        """The outward form."""
        said = opened.written
        return cls(
            request=shown,
            title=said.title,
            text=said.text,
            address=said.address,
            answer=opened.answer,
            means=opened.means,
            subject=opened.request.subject,
        )


class LetterShown(Message):
    """A notice that waits. `by_hand`: no relay sends it."""

    request: str
    notice: Notice
    address: str
    title: str
    text: str
    by_hand: bool

    @classmethod
    def of(cls, letter: Letter, *, relayed: bool) -> LetterShown:
        """The outward form; `relayed` says that there is a relay."""
        texts = {"address": letter.address, "title": letter.title, "text": letter.text}
        by_hand = not (relayed and letter.automatic)
        return cls(request=letter.request.id, notice=letter.notice, by_hand=by_hand, **texts)


class RequestQueue(Message):
    """The requests of a tenant, the most urgent first, and the notices that wait to be sent."""

    requests: tuple[RequestShown, ...]
    letters: tuple[LetterShown, ...]


class ObjectionNamed(Message):
    """One objection."""

    objection_id: _Id


class ObjectionShown(Message):
    """An objection; `source` says where it came from (`gpc`: your browser's signal)."""

    id: str
    purpose: str
    source: str
    raised_at: str
    lifted_at: str | None

    @classmethod
    def of(cls, one: Objection) -> ObjectionShown:
        """The outward form."""
        raised = iso_if(one.raised_at) or ""
        return cls(id=one.id, purpose=one.purpose, source=one.source, raised_at=raised, lifted_at=iso_if(one.lifted_at))


class ObjectionList(Message):
    """Objections, newest first."""

    objections: tuple[ObjectionShown, ...]


class StatementAdd(Message):
    """What you say about a thing of yours that cannot be changed; `about` is its id, or a word such as account."""

    about: _Id
    text: Annotated[str, Field(min_length=1, max_length=4_000)]


class StatementShown(Message):
    """A statement."""

    id: str
    about: str
    text: str
    created_at: str

    @classmethod
    def of(cls, said: Statement) -> StatementShown:
        """The outward form."""
        return cls(id=said.id, about=said.about, text=said.text, created_at=iso_if(said.created_at) or "")


class StatementList(Message):
    """Statements, oldest first."""

    statements: tuple[StatementShown, ...]
