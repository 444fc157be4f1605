"""The states of a key and the moves between them, after NIST SP 800-57 Part 1 Rev. 5, section 7. No I/O.

How Troth uses them: created but not yet in a manifest = pre-activation; in use = active; erasure asked for, legal hold
or restriction = suspended; replaced = deactivated; incident = compromised; erased = destroyed.
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

    @property
    def may_protect(self) -> bool:
        """True when new content may be encrypted under the key (only while active)."""
        return self is State.ACTIVE

    @property
    def may_process(self) -> bool:
        """True when protected content may be decrypted for the product.

        SP 800-57 also lets a compromised key process under a risk decision, and a suspended one for those who ordered
        the suspension; neither is a product use, so both answer False here.
        """
        return self in (State.ACTIVE, State.DEACTIVATED)

    @property
    def final(self) -> bool:
        """True when the key no longer exists."""
        return self in (State.DESTROYED, State.DESTROYED_COMPROMISED)


_P, _A, _S, _D = State.PRE_ACTIVATION, State.ACTIVE, State.SUSPENDED, State.DEACTIVATED
_C, _X, _XC = State.COMPROMISED, State.DESTROYED, State.DESTROYED_COMPROMISED

# SP 800-57 Part 1, figure 4 (key state transitions). A suspended key may be released to active, or destroyed when the
# suspension was the live effect of an erasure.
PERMITTED: dict[State, frozenset[State]] = {
    _P: frozenset({_A, _S, _C, _X}),
    _A: frozenset({_S, _D, _C, _X}),
    _S: frozenset({_A, _D, _C, _X}),
    _D: frozenset({_C, _X}),
    _C: frozenset({_XC}),
    _X: frozenset({_XC}),
    _XC: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One move: to which state, when (milliseconds since the epoch), why (a short token such as `erasure`)."""

    to: State
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """A key's whole history; the first transition is its creation."""

    transitions: tuple[Transition, ...]

    @classmethod
    def created(cls, at: int, reason: str, state: State = State.PRE_ACTIVATION) -> Lifecycle:
        """A key that begins in `state` (pre-activation, or active when it is usable at once)."""
        if state not in (State.PRE_ACTIVATION, State.ACTIVE):
            raise Conflict("A key begins in pre-activation or active.", code="key-state")
        return cls((Transition(state, at, reason),))

    @property
    def state(self) -> State:
        """Where the key stands now."""
        return self.transitions[-1].to

    def move(self, to: State, at: int, reason: str) -> Lifecycle:
        """The history with one more move. Raises `Conflict` when the move is not permitted or goes back in time."""
        require_move(self.state, to)
        if at < self.transitions[-1].at:
            raise Conflict("A key cannot change state before its last change.", code="key-state")
        return Lifecycle((*self.transitions, Transition(to, at, reason)))


def require_move(current: State, to: State) -> None:
    """Raises `Conflict` unless SP 800-57 permits the move from `current` to `to`."""
    if to not in PERMITTED[current]:
        raise Conflict(f"A key that is {current.value} cannot become {to.value}.", code="key-state")
