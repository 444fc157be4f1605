"""A step of the clock shows, and is forgiven after ten minutes."""

from __future__ import annotations

from troth.telemetry.clock_drift import Drift


class Hands:
    """Two clocks that a test moves."""

    def __init__(self) -> None:
        self.wall, self.steady = 1000.0, 10.0

    def drift(self) -> Drift:
        return Drift(lambda: self.wall, lambda: self.steady)


def test_an_even_pace_is_bearable() -> None:
    hands = Hands()
    drift = hands.drift()
    hands.wall, hands.steady = hands.wall + 500, hands.steady + 500
    assert (drift.seconds(), drift.bearable()) == (0.0, True)


def test_a_step_shows_and_is_forgiven() -> None:
    hands = Hands()
    drift = hands.drift()
    hands.wall -= 3600
    assert (drift.seconds(), drift.bearable()) == (-3600.0, False)
    hands.wall, hands.steady = hands.wall + 601, hands.steady + 601
    assert not drift.bearable()  # seen a last time
    assert drift.bearable()
