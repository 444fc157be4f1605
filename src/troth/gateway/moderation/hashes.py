"""Perceptual hashes of pictures: PDQ, 256 bits (Facebook 2019, "The TMK+PDQF Video-Hashing Algorithm and the PDQ
Image-Hashing Algorithm"). Two pictures count as one at 31 bits apart or fewer; turned and mirrored ones are found by
the eight hashes of the picture that is asked about. Extra `vision`, loaded late.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from PIL import Image

from troth.gateway.moderation.pictures import looks, missing

NEAR = 31  # bits
LEAST_QUALITY = 50  # of 100, as PDQ judges its own hash: below it, pictures without detail are near to each other
_EDGE = 512  # pixels, as PDQ's own programs make pictures smaller first
_WRITTEN = re.compile(r"[0-9a-f]{64}\Z")


def written(text: str) -> str | None:
    """A hash as it is kept, or None for what is no hash or that of a picture without detail.

    PDQ compares with a median, so about 128 of 256 bits are set in the hash of any picture that shows something.
    """
    plain = text.strip().lower()
    return plain if _WRITTEN.match(plain) and 96 <= int(plain, 16).bit_count() <= 160 else None


def of_picture(content: bytes) -> Iterator[tuple[str, ...]]:
    """The eight hashes of each look, turned and mirrored, the first as it is; none of a look that is too plain.

    Raises `Unavailable`, and `Invalid` as `pictures.looks`.
    """
    yield from map(of_look, looks(content))


def of_look(look: Image.Image) -> tuple[str, ...]:
    """The same of one look in RGB, which is made smaller. Raises `Unavailable`."""
    try:
        import numpy as np  # noqa: PLC0415  of the extra `vision`

        from troth.gateway.moderation.pdq import hashes  # noqa: PLC0415  needs it
    except ImportError as error:
        raise missing() from error
    look.thumbnail((_EDGE, _EDGE))
    found, quality = hashes(np.asarray(look))
    return () if quality < LEAST_QUALITY else tuple(np.packbits(one).tobytes().hex() for one in found)


def nearest(mine: Iterable[str], listed: Iterable[str]) -> str | None:
    """The first listed hash that is near to one of mine."""
    numbers = [int(one, 16) for one in mine]
    for one in listed:
        other = int(one, 16)
        if any((number ^ other).bit_count() <= NEAR for number in numbers):
            return one
    return None
