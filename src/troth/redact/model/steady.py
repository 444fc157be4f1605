"""A word that a text has several times is read alike: what is sure of it in one place helps where it is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from troth.redact.model.lookup import Array

_SHORTEST = 3  # letters of a word that is looked at
_SHARE = 0.7  # of the mean over all its places that an unsure place takes over at most
_DOUBT = 2.0  # a place whose best tag has a chance of 1 - 1 / _DOUBT or less takes that share; a sure one takes none
_NONE = 0.98  # with so much chance that it is no name in all its places together, a word is left alone


def steady(words: Sequence[str], chances: Array) -> Array:
    """Chances of tags [words, tags] of a whole text, unsure places of words with a capital moved towards their mean.

    Words that the text has in small letters too are left as they are. `chances` is not changed.
    """
    places: dict[str, list[int]] = {}
    for i, word in enumerate(words):
        if len(word) >= _SHORTEST and word[0].isupper():
            places.setdefault(word.lower(), []).append(i)
    again = {word: at for word, at in places.items() if len(at) > 1}
    if not again:
        return chances
    again = {word: again[word] for word in again.keys() - set(words)}
    moved = chances.copy()
    for at in again.values():
        part = chances[at]
        mean = part.mean(axis=0)
        if mean[0] <= _NONE:
            moved[at] = _moved(part, mean)
    return moved


def _moved(part: Array, mean: Array) -> Array:
    """Chances of one word's places [places, tags]. Whether a name begins in a place stays what it was there."""
    share = (_SHARE * np.minimum(1.0, (1.0 - part.max(axis=1)) * _DOUBT))[:, None].astype(np.float32)
    labels = (1 - share) * (part[:, 1::2] + part[:, 2::2]) + share * (mean[1::2] + mean[2::2])
    begins = part[:, 1::2] + share * mean[1::2]
    first = begins / np.maximum(begins + part[:, 2::2] + share * mean[2::2], 1e-12)
    found: Array = np.empty_like(part)
    found[:, 0] = (1 - share[:, 0]) * part[:, 0] + share[:, 0] * mean[0]
    found[:, 1::2] = labels * first
    found[:, 2::2] = labels * (1 - first)
    return found
