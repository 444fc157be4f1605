"""Who needs the witnesses waits its turn, until its deadline and no longer; what a policy must have."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from troth.audit.tlog_policy import TlogPolicy
from troth.kernel.errors import Invalid, Unavailable
from witness_town import Town, states, wait
from witness_world import Scripted, answering


def test_a_turn_to_ask_ends_with_its_deadline(town: Town) -> None:
    town.start("w0")
    witnessing = town.join(town.policy(1, ("w0",)))
    town.world.wait_for(1)
    codes: list[str] = []

    def ask() -> None:
        town.world.sequencer.flush(by=time.monotonic() + 0.2)  # signed and shown, by nobody cosigned
        with pytest.raises(Unavailable) as caught:
            wait(witnessing, 0.1)
        codes.append(caught.value.code)

    with witnessing._lock:
        asked = threading.Thread(target=ask, daemon=True)
        asked.start()
        asked.join(10)
        assert codes == ["unwitnessed"]
        assert not witnessing.state()[0].met
    wait(witnessing, 5)


def test_while_the_log_finds_its_quorum_the_fifth_queues_to_its_deadline(town: Town) -> None:
    town.start("w0")
    witnessing = town.join(town.policy(1, ("w0",)))
    town.world.grow(1)
    with ExitStack() as held:
        for _ in range(4):
            held.enter_context(witnessing.turn("operator", time.monotonic()))
        with pytest.raises(Unavailable) as caught:
            wait(witnessing, 0.3)
        assert caught.value.code == "unwitnessed"
        threading.Timer(0.3, held.pop_all().close).start()
        wait(witnessing, 20)


def test_only_so_many_wait(town: Town) -> None:
    witnessing = town.join(town.policy(1, ("w0",), w0="http://127.0.0.1:9"))
    town.world.grow(1)
    refused: list[float] = []
    begun = threading.Barrier(5)

    def ask() -> None:
        begun.wait()
        try:
            wait(witnessing, 30)
        except Unavailable:
            refused.append(1)

    waiting = [threading.Thread(target=ask, daemon=True) for _ in range(5)]
    for one in waiting:
        one.start()
    for _ in range(200):
        if refused:
            break
        threading.Event().wait(0.02)
    assert len(refused) == 1
    witnessing._shown = lambda _log: (None, True)  # type: ignore[method-assign,assignment]
    for one in waiting:
        one.join()
    assert len(refused) == 1


def test_an_older_checkpoint_that_comes_late_is_not_shown_again(town: Town) -> None:
    town.start("w0")
    witnessing = town.join(town.policy(1, ("w0",)))
    town.world.grow(4)
    old = town.shown()
    town.world.grow(2, start=4)
    witnessing.cosign("operator", old)
    assert states(witnessing) == {"w0": (6, None)}
    assert witnessing._due["operator"] <= time.monotonic()


def test_who_waits_does_not_make_the_pauses_longer(town: Town) -> None:
    witnessing = town.join(town.policy(1, ("w0",), w0="http://127.0.0.1:9"))
    town.world.grow(1)
    due = witnessing._due["operator"]
    with pytest.raises(Unavailable):
        wait(witnessing, 0.6)
    assert witnessing._due["operator"] == due


@pytest.mark.parametrize("threshold", [1, 2])
def test_a_policy_must_have_a_quorum_with_addresses(town: Town, threshold: int) -> None:
    if threshold == 1:
        town.join(town.policy(1, w0="http://127.0.0.1:9"))
    else:
        with pytest.raises(Invalid) as caught:
            town.join(town.policy(2, w0="http://127.0.0.1:9"))
        assert caught.value.code == "witness-policy"


def test_a_policy_without_witnesses_is_none(town: Town) -> None:
    with pytest.raises(Invalid):
        town.join(TlogPolicy.parse(b"quorum none\n"))


def test_two_keys_at_one_address_are_asked_once(town: Town) -> None:
    door = Scripted(500)
    with answering(door) as url:
        town.join(town.policy(1, ("w0", "w1"), w0=url, w1=url + "/"))
        town.world.grow(1)
    assert len(door.asked) == 1
