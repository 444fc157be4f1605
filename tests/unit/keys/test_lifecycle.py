"""Key states after SP 800-57."""

from __future__ import annotations

import pytest

from troth.kernel.errors import Conflict
from troth.keys.lifecycle import OPENS, PERMITTED, State, Use, require_move, require_use


@pytest.mark.parametrize("was", list(State))
@pytest.mark.parametrize("to", list(State))
def test_only_listed_moves_are_made(was: State, to: State) -> None:
    if to in PERMITTED[was]:
        require_move(was, to)
    else:
        with pytest.raises(Conflict) as refusal:
            require_move(was, to)
        assert refusal.value.code == "key-state"


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("use", list(Use))
def test_only_listed_uses_are_allowed(state: State, use: Use) -> None:
    if use in OPENS[state]:
        require_use(state, use)
    else:
        with pytest.raises(Conflict) as refusal:
            require_use(state, use)
        assert refusal.value.code == ("key-compromised" if state is State.COMPROMISED else "key-suspended")


def test_a_destroyed_key_never_comes_back() -> None:
    final = {State.DESTROYED, State.DESTROYED_COMPROMISED}
    for one in final:
        assert PERMITTED[one] <= final
        assert not OPENS[one]


def test_a_suspended_key_opens_for_the_privacy_team_and_nobody_else() -> None:
    assert OPENS[State.SUSPENDED] == {Use.PRIVACY}
    assert OPENS[State.COMPROMISED] == {Use.REENCRYPTION}


def test_every_state_is_in_both_tables() -> None:
    assert set(PERMITTED) == set(OPENS) == set(State)
