"""One request of a person: its states and moves, how sure we are who asks, and what it shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

from troth.kernel.clock import from_epoch_ms
from troth.kernel.errors import Conflict
from troth.vault.rights.clocks import STOPS, Calendar, Kind, Law, Terms, Urgency, strictest, terms, urgency


class State(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    CONFIRMED = "confirmed"  # the person was told that it arrived
    VERIFIED = "verified"  # it was shown who asks
    IN_PROGRESS = "in-progress"  # an officer took it
    EXTENDED = "extended"  # in progress, and the person was told that it takes longer
    ANSWERED = "answered"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN: Final = (State.RECEIVED, State.CONFIRMED, State.VERIFIED, State.IN_PROGRESS, State.EXTENDED)


class Level(IntEnum):
    """How sure it is that the person whose data it is asks."""

    NONE = 0  # nobody knows
    LOW = 1  # the address of a mail, or an API key: both can be in other hands
    HIGH = 2  # a session with a second factor, or an officer who says how they saw it


# What must be shown before a request may be answered: whatever hands data out, takes it away or shuts somebody out of
# it needs a proven identity. Stopping a use may be asked without (11 CCR 7060(b)), and then takes nothing away: consent
# and what is kept by it stay until it is proven who asks.
NEEDED: Final[Mapping[Kind, Level]] = MappingProxyType(
    {
        Kind.ACCESS: Level.HIGH,
        Kind.PORTABILITY: Level.HIGH,
        Kind.ERASURE: Level.HIGH,
        Kind.RECTIFICATION: Level.HIGH,
        Kind.RESTRICTION: Level.HIGH,
        Kind.OBJECTION: Level.NONE,
        Kind.OPT_OUT: Level.NONE,
        Kind.UNSORTED: Level.HIGH,
    }
)
# The step of urgency that is put on record, once each.
STEPS: Final[Mapping[Urgency, int]] = MappingProxyType({Urgency.DUE_SOON: 1, Urgency.OVERDUE: 2})
# How an officer may see who asks when the person cannot sign in.
MEANS: Final = ("in-person", "known-channel", "document-seen", "video-call")
# Why a request may be refused: GDPR Art. 11(2), 12(2), 12(5), 15(4), 17(3), 20; 11 CCR 7022 to 7024, 7063.
REASONS: Final = (
    "identity-not-shown",
    "agent-without-proof",
    "nothing-held",
    "unfounded-or-excessive",
    "legal-duty",
    "rights-of-others",
    "not-covered",
    "duplicate",
    "not-a-request",
)
WHY_LONGER: Final = ("complexity", "number-of-requests")  # GDPR Art. 12(3)

_STARTED = MappingProxyType({state: State.IN_PROGRESS for state in OPEN[:4]} | {State.EXTENDED: State.EXTENDED})
MOVES: Final[Mapping[str, Mapping[State, State]]] = MappingProxyType(
    {
        "confirm": {
            State.RECEIVED: State.CONFIRMED,
            **{state: state for state in OPEN[1:]},
        },
        "verify": {
            State.RECEIVED: State.VERIFIED,
            State.CONFIRMED: State.VERIFIED,
            **{state: state for state in OPEN[2:]},
        },
        "sort": {state: state for state in OPEN},
        "take": _STARTED,
        "extend": {state: State.EXTENDED for state in OPEN[:4]},
        "answer": {State.IN_PROGRESS: State.ANSWERED, State.EXTENDED: State.ANSWERED},
        "refuse": {state: State.REFUSED for state in OPEN},
        "withdraw": {state: State.WITHDRAWN for state in OPEN},
        "act": {state: State.ANSWERED for state in OPEN},  # what is carried out the moment it is asked for
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. Times in epoch ms; nothing here says who a person is. `subject` is None for somebody unknown."""

    id: str
    tenant: str
    subject: str | None
    kind: Kind
    purpose: str | None
    law: Law
    channel: str
    state: State
    level: Level
    officer: str | None
    reason: str | None
    received_at: int
    confirmed_at: int | None
    verified_at: int | None
    extended_at: int | None
    closed_at: int | None
    escalated: int
    earlier: tuple[tuple[Law, Kind], ...] = ()
    """Law and kind of terms that were in force before it was sorted anew, and stay."""

    @property
    def open(self) -> bool:
        """True until it is answered, refused or withdrawn."""
        return self.state in OPEN

    @property
    def proven(self) -> bool:
        """True when it was shown who asks: what takes data away may be done."""
        return self.level >= Level.HIGH

    def terms(self, calendar: Calendar) -> Terms:
        """Its ends: the strictest of all terms that it stands under."""
        received = calendar.day(from_epoch_ms(self.received_at))
        return strictest([terms(law, kind, received, calendar) for law, kind in ((self.law, self.kind), *self.earlier)])

    def sorted_as(self, law: Law, kind: Kind, purpose: str | None, now: datetime, calendar: Calendar) -> Request:
        """The same request under other terms. Those that were in force stay: a second look never buys time.

        The clock of a message that nobody had sorted was for the sorting; it stays only when that came too late.
        """
        stay = self.kind is not Kind.UNSORTED or self.urgency(now, calendar) is Urgency.OVERDUE
        before = dict.fromkeys((*self.earlier, *([(self.law, self.kind)] if stay else [])))
        before.pop((law, kind), None)
        fresh = replace(self, law=law, kind=kind, purpose=purpose, earlier=tuple(before))
        return replace(fresh, escalated=min(self.escalated, STEPS.get(fresh.urgency(now, calendar), 0)))

    def due(self, calendar: Calendar) -> date:
        """The last day on which it may be answered."""
        return self.terms(calendar).due(extended=self.extended_at is not None)

    def urgency(self, now: datetime, calendar: Calendar) -> Urgency:
        """The worse of its two clocks; for a closed one, whether it was answered in time."""
        told = from_epoch_ms(self.confirmed_at) if self.confirmed_at else None
        ends = self.terms(calendar)
        short = any(law is Law.CCPA and kind in STOPS for law, kind in ((self.law, self.kind), *self.earlier))
        if not self.open:
            closed = from_epoch_ms(self.closed_at or 0)
            late = urgency(closed, self.due(calendar), calendar) is Urgency.OVERDUE
            return Urgency.OVERDUE if late else Urgency.ON_TIME
        main = urgency(now, self.due(calendar), calendar, short=short)
        other = urgency(now, ends.confirm, calendar, short=True) if told is None else Urgency.NONE
        return max(main, other, key=list(Urgency).index)


def moved(request: Request, move: str) -> State:
    """The state after a move. Raises `Conflict` (code "request-state") when it is not possible now."""
    after = MOVES[move].get(request.state)
    if after is None:
        advice = "This request cannot be changed in that way now; open it to see how it stands."
        raise Conflict(advice, code="request-state")
    return after


def require_known(request: Request) -> None:
    """Raises `Conflict` (code "identity-not-shown") when it was not shown well enough who asks."""
    if request.level < NEEDED[request.kind]:
        raise identity_not_shown()


def identity_not_shown() -> Conflict:
    """What is missing, and how to prove it."""
    return Conflict(
        "It was not shown who asks, and this gives data out or takes it away. Let the person sign in with their second "
        "factor and confirm the request under My requests; or say on the desk how you saw who they are: in person, "
        "over a channel known before, by a document, or in a video call.",
        code="identity-not-shown",
    )


def require_extendable(request: Request, now: datetime, calendar: Calendar) -> None:
    """Raises `Conflict` for a second extension, a clock that knows none, or a notice after the first term's end."""
    if request.extended_at is not None:
        raise Conflict("A request is extended once; answer it by its present day.", code="extended-already")
    ends = request.terms(calendar)
    if ends.longest is None:
        raise Conflict("The law gives no extension for this kind of request.", code="no-extension")
    if urgency(now, ends.answer, calendar) is Urgency.OVERDUE:
        raise Conflict("The first term is over; an extension must be told before its end.", code="extension-too-late")
