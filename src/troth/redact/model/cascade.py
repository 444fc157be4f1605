"""The cascade: the small tagger reads everything, the large one again where the small one is unsure."""

from __future__ import annotations

from collections.abc import Sequence

from troth.redact.model.cut import cut
from troth.redact.model.lookup import Array
from troth.redact.model.tagger import Decoder, Piece, Reading, Tagger, blocks

_SURE = 0.9  # of one tag; below it a word is read again
_AROUND = 3  # words beside an unsure one that are read again with it
_GAP = 24  # words between two unsure places that are cheaper to read than to leave out


class Cascade:
    """Two taggers with the same labels as one."""

    def __init__(self, small: Tagger, large: Tagger) -> None:
        self._small, self._large = small, large

    def tag_many(self, texts: Sequence[str]) -> list[Reading]:
        """As `Tagger.tag_many`."""
        cuts = [cut(text) for text in texts]
        pieces = [piece for words in cuts for piece in blocks(words)]
        chances = list(self._small.chances(pieces))
        again = [
            (part, Piece(piece.cut, piece.begin + first, piece.begin + last))
            for piece, all_of in zip(pieces, chances, strict=True)
            for first, last in _unsure(all_of)
            for part in [all_of[first:last]]
        ]
        for better, (part, _) in zip(self._large.chances(piece for _, piece in again), again, strict=True):
            part[:] = better
        decoders = {id(words): Decoder(words, self._large.labels, self._large.bias) for words in cuts}
        for piece, all_of in zip(pieces, chances, strict=True):
            decoders[id(piece.cut)].add(all_of)
        return [Reading(words, decoders[id(words)].close()) for words in cuts]


def _unsure(chances: Array) -> list[tuple[int, int]]:
    """Runs of words that are read again, apart by more than `_GAP`."""
    runs: list[tuple[int, int]] = []
    for i in (chances.max(axis=1) < _SURE).nonzero()[0].tolist():
        first, last = max(0, i - _AROUND), min(len(chances), i + _AROUND + 1)
        if runs and first <= runs[-1][1] + _GAP:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs
