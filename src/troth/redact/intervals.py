"""Exact bounds of a share that was counted (Clopper and Pearson, Biometrika 26, 1934), from the binomial tail."""

from __future__ import annotations

import math

_HALVINGS = 60  # of the interval; more than a double can tell apart
_NOTHING = 1e-18  # beside the sum so far: terms below add nothing


def lower(successes: int, trials: int, confidence: float) -> float:
    """The share that the true one is at least, one-sided; 0 when nothing was tried.

    `confidence` of 0.5 to 1. For a two-sided interval of 95 % ask both bounds for 0.975.
    """
    if not 0 < successes <= trials:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _tail(successes, trials, middle) > 1 - confidence:
            high = middle
        else:
            low = middle
    return low


def upper(successes: int, trials: int, confidence: float) -> float:
    """The share that the true one is at most, one-sided; 1 when nothing was tried."""
    return 1.0 - lower(trials - successes, trials, confidence)


def _tail(successes: int, trials: int, p: float) -> float:
    """P(X >= successes) for X ~ Binomial(trials, p); 1 where it is above a half anyway."""
    if p * trials >= successes:  # at or below the median
        return 1.0
    if p <= 0.0:
        return 0.0
    log_p, log_q, lead = math.log(p), math.log1p(-p), math.lgamma(trials + 1)
    total = 0.0
    for k in range(successes, trials + 1):  # past the mode: each term is smaller than the one before
        term = math.exp(lead - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * log_p + (trials - k) * log_q)
        total += term
        if term < total * _NOTHING:
            break
    return total
