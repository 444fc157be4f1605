"""The cascade asks the large tagger where the small one is unsure, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from troth.redact import tiers
from troth.redact.model.cascade import Cascade, _unsure
from troth.redact.model.tagger import Piece, Tagger

TEXT = "Dear Ms Okonkwo, Richard Tremaine of Bergmann Logistics moved from Lyon to Qwxzy on 12 March 2021.\n"


class Counted(Tagger):
    """A tagger that remembers how many words it was asked for."""

    def __init__(self, like: Tagger) -> None:
        self.__dict__.update(like.__dict__)
        self.asked = 0

    def chances(self, pieces: Iterable[Piece]) -> Iterator[np.ndarray]:
        asked = list(pieces)
        self.asked += sum(piece.end - piece.begin for piece in asked)
        return super().chances(asked)


def test_two_taggers_of_the_same_weights_say_what_one_says() -> None:
    tagger = tiers._tagger("fast")
    (found,), alone = Cascade(tagger, tagger).tag_many([TEXT * 200]), tagger.tag(TEXT * 200)
    assert found.cut.words == alone.cut.words
    assert [s[:3] for s in found.spans] == [s[:3] for s in alone.spans]


def test_the_large_one_reads_a_part_only() -> None:
    large = Counted(tiers._tagger("fast"))
    plain = "The meeting was moved to half past ten because the room was not free in the morning. " * 30
    words = len(Cascade(tiers._tagger("fast"), large).tag_many([plain + TEXT])[0].cut.words)
    assert 0 < large.asked < words / 4


def test_unsure_places_that_lie_near_are_one_run() -> None:
    chances = np.full((200, 3), 0.0, dtype=np.float32)
    chances[:, 0] = 1.0
    chances[[10, 20, 150]] = [0.5, 0.3, 0.2]
    assert _unsure(chances) == [(7, 24), (147, 154)]
    assert _unsure(chances[30:140]) == []
