"""Vectors of texts by feature hashing (Weinberger et al. 2009): words and their trigrams, no model, no training.

The same text gives the same vector, texts that share words are near each other; meaning beyond words is not seen.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

DIMENSIONS: Final = 256
_WORD: Final = re.compile(r"\w+")
_TRIGRAM_WEIGHT: Final = 0.25  # of a word


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """Unit length; all zero but the first place for a text without words."""
    found = [0.0] * dimensions
    for (feature, weight), times in Counter(_features(text)).items():
        drawn = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        found[(drawn >> 1) % dimensions] += (1 if drawn & 1 else -1) * weight * (1 + math.log(times))
    length = math.sqrt(sum(one * one for one in found))
    if not length:
        return [1.0] + [0.0] * (dimensions - 1)
    return [one / length for one in found]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in _WORD.findall(text.casefold()):
        yield word, 1.0
        framed = f"^{word}$"
        for at in range(len(framed) - 2):
            yield framed[at : at + 3], _TRIGRAM_WEIGHT
