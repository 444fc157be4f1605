"""The cascade: the small tagger reads everything, the large one again where the small one is unsure."""

from __future__ import annotations

import numpy as np

from troth.redact.model.tagger import BLOCK, Array, Decoder, Tagger
from troth.redact.model.words import Reading, split

_SURE = 0.97  # of one tag; below it a word is read again
_AROUND = 3  # words beside an unsure one that are read again with it
_GAP = 24  # words between two unsure places that are cheaper to read than to leave out


class Cascade:
    """Two taggers with the same labels as one."""

    def __init__(self, small: Tagger, large: Tagger) -> None:
        self._small, self._large = small, large

    def tag(self, text: str) -> Reading:
        """As `Tagger.tag`."""
        places = split(text)
        words = [text[a:b] for a, b in places]
        decoder = Decoder(self._large.labels, self._large.bias)
        for begin in range(0, len(words), BLOCK):
            end = min(begin + BLOCK, len(words))
            chances = self._small.chances(places, words, begin, end)
            for first, last in _unsure(chances):
                chances[first:last] = self._large.chances(places, words, begin + first, begin + last)
            decoder.add(places[begin:end], chances)
        return Reading(places, words, decoder.found)


def _unsure(chances: Array) -> list[tuple[int, int]]:
    """Runs of words that are read again, apart by more than `_GAP`."""
    runs: list[tuple[int, int]] = []
    for i in np.flatnonzero(chances.max(axis=1) < _SURE).tolist():
        first, last = max(0, i - _AROUND), min(len(chances), i + _AROUND + 1)
        if runs and first <= runs[-1][1] + _GAP:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs
