"""Who waits for a call hears how it ended, whatever that was, and never longer than the time that is set."""

from __future__ import annotations

import threading

import pytest

from troth.gateway.provenance.patience import Patience


class SomethingElse(Exception):
    """What nobody expected of a library."""


@pytest.mark.parametrize("fault", [SomethingElse("x"), KeyError("y"), SystemExit(2)], ids=["own", "key", "exit"])
def test_what_nobody_expected_is_raised_at_once(fault: BaseException) -> None:
    patience = Patience(3600, 1)

    def work() -> bytes:
        raise fault

    for _ in range(3):  # and its room is free again
        with pytest.raises(type(fault)) as raised:
            patience.run(work)
        assert raised.value is fault
    assert patience.run(lambda: b"fine") == b"fine"


def test_the_wait_for_room_counts() -> None:
    """Who waited for room has not the whole time once more; with no time left there is no answer."""
    end, patience = threading.Event(), Patience(0.05, 1)

    def slow() -> bytes:
        end.wait(60)
        return b"late"

    with pytest.raises(TimeoutError):
        patience.run(slow)
    with pytest.raises(TimeoutError):  # no room: the first is still under way
        patience.run(lambda: b"never")
    end.set()


def test_what_could_not_be_begun_holds_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = Patience(3600, 1)

    def none_left(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", none_left)
        with pytest.raises(TimeoutError):
            patience.run(lambda: b"never")
    assert patience._room.acquire(blocking=False)
    patience._room.release()
    assert patience.run(lambda: b"fine") == b"fine"
