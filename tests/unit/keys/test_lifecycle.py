"""Key states after SP 800-57."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict
from troth.keys.lifecycle import PERMITTED, Lifecycle, State, Transition, require_move


@pytest.mark.parametrize(
    ("state", "protect", "process", "final"),
    [
        (State.PRE_ACTIVATION, False, False, False),
        (State.ACTIVE, True, True, False),
        (State.SUSPENDED, False, False, False),
        (State.DEACTIVATED, False, True, False),
        (State.COMPROMISED, False, False, False),
        (State.DESTROYED, False, False, True),
        (State.DESTROYED_COMPROMISED, False, False, True),
    ],
)
def test_what_each_state_may_do(state: State, protect: bool, process: bool, final: bool) -> None:
    assert (state.may_protect, state.may_process, state.final) == (protect, process, final)


@pytest.mark.parametrize("was", list(State))
@pytest.mark.parametrize("to", list(State))
def test_only_listed_moves_are_made(was: State, to: State) -> None:
    if to in PERMITTED[was]:
        require_move(was, to)
    else:
        with pytest.raises(Conflict) as refusal:
            require_move(was, to)
        assert refusal.value.code == "key-state"


def test_a_destroyed_key_never_comes_back() -> None:
    for final in (State.DESTROYED, State.DESTROYED_COMPROMISED):
        assert all(to.final for to in PERMITTED[final])


def test_a_history_keeps_times_and_reasons() -> None:
    key = Lifecycle.created(10, "epoch").move(State.ACTIVE, 20, "manifest").move(State.DESTROYED, 20, "erasure")
    assert key.state is State.DESTROYED
    assert key.transitions[1:] == (Transition(State.ACTIVE, 20, "manifest"), Transition(State.DESTROYED, 20, "erasure"))


def test_time_does_not_go_back_and_births_are_plain() -> None:
    with pytest.raises(Conflict):
        Lifecycle.created(10, "epoch").move(State.ACTIVE, 9, "manifest")
    with pytest.raises(Conflict):
        Lifecycle.created(10, "epoch", State.DESTROYED)
