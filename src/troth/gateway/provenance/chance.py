"""How likely it is that a picture without our mark reads as well as this one does.

The word of a deployment is drawn at random. So for any picture that was not made with it, however the network reads it,
each bit agrees by chance with probability 1/2, independently. Weighted by how sure each bit is, the sum of agreements
is a sum of independent signs, whose distribution is computed here exactly: nothing is fitted to a corpus.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

_LEVELS = 16  # weights are whole numbers up to this


def chance(values: Sequence[float], word: Sequence[int]) -> float:
    """Probability, over all words, of an agreement at least as good as that of `values` (signed reads) with `word`."""
    ceiling = 2 * statistics.median(abs(value) for value in values) or 1.0  # one loud bit must not outvote the others
    weights = [min(round(abs(value) / ceiling * _LEVELS), _LEVELS) for value in values]
    total = sum(weights)
    agreed = sum(
        weight if (value > 0) == bool(bit) else -weight
        for weight, value, bit in zip(weights, values, word, strict=True)
    )
    ways = [0] * (2 * total + 1)  # ways[total + s]: how many of the 2^n words reach the sum s
    ways[total] = 1
    for weight in weights:
        grown = [0] * len(ways)
        for place, count in enumerate(ways):
            if count:
                grown[place + weight] += count
                grown[place - weight] += count
        ways = grown
    return float(sum(ways[total + agreed :])) / float(2 ** len(weights))
