"""The states of a key, the moves between them and the uses they allow, after NIST SP 800-57 Part 1 Rev. 5, section 7.

How Troth uses them: created but not yet in a manifest = pre-activation; in use = active; erasure asked for, legal hold
or restriction (GDPR article 18) = suspended; replaced = deactivated; incident = compromised; erased = destroyed.
Both tables are data: what is not listed is refused. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from troth.kernel.errors import Conflict


class State(StrEnum):
    """Where a key stands."""

    PRE_ACTIVATION = "pre-activation"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    COMPROMISED = "compromised"
    DESTROYED = "destroyed"
    DESTROYED_COMPROMISED = "destroyed-compromised"


class Use(StrEnum):
    """For whom a key opens content."""

    PRODUCT = "product"
    PRIVACY = "privacy"
    """Those who answer for people's rights: they open what is suspended, to export it or to keep it as evidence."""
    REENCRYPTION = "re-encryption"
    """The compromise procedure, which moves content to fresh keys."""


class Reason:
    """Reason tokens of transitions; a suspension may also carry a token of its own."""

    CREATED = "created"
    EPOCH = "epoch"
    REPLACED = "replaced"
    ABANDONED = "abandoned"
    ERASURE = "erasure"
    RESTRICTION = "restriction"  # GDPR article 18
    LEGAL_HOLD = "legal-hold"  # while it stands nothing under it can be erased
    ROTATION = "rotation"
    RESUMED = "resumed"
    RETIRED = "retired"  # its key domain was given up, and could be asked to destroy it
    LOST = "lost"  # its key domain was given up unasked: only a later find can destroy it


DAY_MS = 86_400_000
_P, _A, _S, _D = State.PRE_ACTIVATION, State.ACTIVE, State.SUSPENDED, State.DEACTIVATED
_C, _X, _XC = State.COMPROMISED, State.DESTROYED, State.DESTROYED_COMPROMISED

ENDED = (State.DESTROYED, State.DESTROYED_COMPROMISED)

# SP 800-57 Part 1, figure 4 (key state transitions). A suspended key may be released to what it was, or destroyed when
# the suspension was the live effect of an erasure.
PERMITTED: dict[State, frozenset[State]] = {
    _P: frozenset({_A, _S, _C, _X}),
    _A: frozenset({_S, _D, _C, _X}),
    _S: frozenset({_A, _D, _C, _X}),
    _D: frozenset({_S, _C, _X}),
    _C: frozenset({_XC}),
    _X: frozenset({_XC}),
    _XC: frozenset(),
}

# Section 7.2: only an active key protects. Suspended and deactivated ones may process; who it is for, is our rule.
OPENS: dict[State, frozenset[Use]] = {
    _P: frozenset(),
    _A: frozenset({Use.PRODUCT, Use.PRIVACY, Use.REENCRYPTION}),
    _S: frozenset({Use.PRIVACY}),
    _D: frozenset({Use.PRODUCT, Use.PRIVACY, Use.REENCRYPTION}),
    _C: frozenset({Use.REENCRYPTION}),
    _X: frozenset(),
    _XC: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Cryptoperiods:
    """How long keys protect, in days (SP 800-57 Part 1, section 5.3.6: at most two years for data encryption keys).

    A unit past its period gets a next generation when it is next asked for by name; roots are rotated by the job.
    """

    root_days: int = 30
    unit_days: int = 365

    @property
    def root_ms(self) -> int:
        """Milliseconds."""
        return self.root_days * DAY_MS

    @property
    def unit_ms(self) -> int:
        """Milliseconds."""
        return self.unit_days * DAY_MS


def require_move(current: State, to: State) -> None:
    """Raises `Conflict` (code `key-state`) unless SP 800-57 permits the move from `current` to `to`."""
    if to not in PERMITTED[current]:
        raise Conflict(f"A key that is {current.value} cannot become {to.value}.", code="key-state")


def require_use(current: State, use: Use) -> None:
    """Raises `Conflict` (code `key-suspended` or `key-compromised`) unless a key in that state opens for `use`."""
    if use in OPENS[current]:
        return
    if current is State.COMPROMISED:
        raise Conflict(
            "The key of this content was compromised; it opens again when it was moved to a fresh key.",
            code="key-compromised",
        )
    raise Conflict(
        "Use of this content is suspended by a restriction or a legal hold; the privacy team can say more.",
        code="key-suspended",
    )
