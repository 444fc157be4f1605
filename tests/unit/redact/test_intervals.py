"""Exact bounds, against values of R's binom.test and closed forms."""

from __future__ import annotations

import pytest

from troth.redact.intervals import lower, upper


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),  # two-sided 95 %: binom.test(k, n)$conf.int
    [
        (0, 10, 0.0, 0.3084971),
        (5, 10, 0.1870860, 0.8129140),
        (10, 10, 0.6915029, 1.0),
        (50, 100, 0.3983211, 0.6016789),
        (99, 100, 0.9455406, 0.9997468),
        (1, 1000, 0.0000253, 0.0055589),
    ],
)
def test_known_intervals(successes: int, trials: int, low: float, high: float) -> None:
    assert lower(successes, trials, 0.975) == pytest.approx(low, abs=1e-6)
    assert upper(successes, trials, 0.975) == pytest.approx(high, abs=1e-6)


@pytest.mark.parametrize(("k", "n", "least"), [(100, 100, 0.9705), (99, 100, 0.9534), (50, 100, 0.4136), (0, 10, 0.0)])
def test_one_sided(k: int, n: int, least: float) -> None:
    assert lower(k, n, 0.95) == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize("trials", [1, 7, 300, 200_000])
@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
def test_closed_forms(trials: int, confidence: float) -> None:
    assert lower(trials, trials, confidence) == pytest.approx((1 - confidence) ** (1 / trials), abs=1e-9)
    assert upper(0, trials, confidence) == pytest.approx(1 - (1 - confidence) ** (1 / trials), abs=1e-9)


def test_large_and_empty() -> None:
    assert lower(180_000, 200_000, 0.95) == pytest.approx(0.9 - 1.645 * (0.09 / 200_000) ** 0.5, abs=2e-5)
    assert (lower(0, 0, 0.95), upper(0, 0, 0.95)) == (0.0, 1.0)
