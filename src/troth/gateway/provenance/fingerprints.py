"""The third layer: fingerprints of what was made here, by which a copy is known whose other marks are gone.

A fingerprint is a PDQ hash (Facebook 2019), 256 bits of how a picture looks. In the database its bits stand in another
order and turned over by the deployment's secret: distances stay as they are, and a stolen table fits no picture.

Likeness proves nothing, so the answer never says "made here" by it alone. Nobody is told whose the picture is.
docs/decisions/0101-fingerprints.md
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Final, Literal

from PIL import Image

from troth.gateway.moderation.hashes import NEAR, of_look
from troth.gateway.moderation.pictures import looks
from troth.kernel.caller import Caller
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.scope import SYSTEM, Scope
from troth.storage.database import Database
from troth.vault import prints

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]

Audience = Literal["anybody", "members", "nobody"]
"""Who is told: anybody, of every tenant's pictures; members, of their own tenant's; nobody, and none are kept."""

BITS: Final = 256
MOST: Final = 16
"""Fingerprints of one picture or film at most; those of a film are from its whole length."""

_APART: Final = 2 * NEAR  # an edit nearer than this to what it was made from would be taken for its original
_STILL: Final = 2  # looks of a picture that does not move: transparent ones have two
_KEPT: Final = ((0.9, 0.5, 0.5), (0.9, 0, 0), (0.9, 1, 0), (0.9, 0, 1), (0.9, 1, 1), (0.8, 0.5, 0.5))
"""Parts of a still that have a fingerprint too, so that cut copies are found: side, and where it lies."""

_EDGE: Final = 512  # pixels
_SHOWN: Final = 64  # hits that are looked at whether they still stand
_SECONDS: Final = 2.0  # of one question; a million fingerprints take some two
_PARTLY: Final = (
    "More fingerprints are kept here than are looked through for one question; among those that were looked at is no "
    "picture like this one, of the others nothing is known."
)


@dataclass(frozen=True, slots=True)
class Likeness:
    """What was found: the distance in bits to the nearest picture made here, at most `NEAR`; None for none.

    `not_looked`: why nobody looked, or not at everything; then None as `distance` says nothing.
    """

    distance: int | None = None
    not_looked: str | None = None


class Fingerprints:
    """Fingerprints of one deployment. `secret`: 32 bytes that order and turn their bits. `steady`: seconds."""

    def __init__(
        self,
        database: Database,
        secret: bytes,
        clock: Clock,
        audience: Audience = "anybody",
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._clock, self.audience, self._steady = database, clock, audience, steady
        self._order, self._mask = _order(secret)

    def of(self, views: Iterable[bytes], sources: Iterable[bytes] = ()) -> tuple[bytes, ...]:
        """Fingerprints to keep of what was made; none without the extra `vision`, of plain pictures, or for nobody.

        `sources` are the pictures that it was made from: what still looks like one of them, or a part like a part, has
        no fingerprint, for it would tell on an original that was not made here. Raises as `moderation.hashes.of_look`,
        `Invalid` as `moderation.pictures.looks`.
        """
        if self.audience == "nobody" or not installed():
            return ()
        shown = [small for view in views for small in _small(view)]
        parts = [part for look in shown for part in (_parts(look) if len(shown) <= _STILL else [look])]
        own = [_number(eight[0]) for part in parts if (eight := of_look(part))]
        foreign = (part for source in sources for look in _small(source) for part in _parts(look))
        for other in (_number(one) for part in foreign for one in of_look(part)):
            if any((one ^ other).bit_count() <= _APART for one in own):
                return ()
        step = -(-len(own) // MOST) or 1
        return tuple(self._keyed(one).tobytes() for one in dict.fromkeys(own[::step]))

    def nearest(self, views: Iterable[Image.Image], caller: Caller) -> Likeness:
        """How near the nearest picture is of which the caller may be told. `views` in any mode.

        It looks for `_SECONDS` at most: when it found nothing until then, it says so.
        """
        if (reason := self._refusal(caller)) is not None:
            return Likeness(not_looked=reason)
        eights = [of_look(view.convert("RGB")) for view in views]
        if not eights:
            return Likeness(
                not_looked="A drawing, or a document without a picture, has no pixels to look at; send a PNG of it."
            )
        asked = [self._keyed(_number(one)) for one in chain.from_iterable(eights)]
        if not asked:
            return Likeness(not_looked="The picture shows too little: all such pictures look alike.")
        tenant = None if self.audience == "anybody" else caller.tenant
        with self._database.read(SYSTEM if tenant is None else Scope(tenant)) as connection:
            found, whole = self._found(prints.pages(connection, tenant), asked)
            now = epoch_ms(self._clock.now())
            standing = (distance for distance, one in found[:_SHOWN] if prints.answers(connection, one, now))
            distance = next(standing, None)
        unseen = distance is None and (not whole or len(found) > _SHOWN)
        return Likeness(distance, _PARTLY if unseen else None)

    def _found(
        self, pages: Generator[Sequence[prints.Print], None, None], asked: list[Bits]
    ) -> tuple[list[tuple[int, str]], bool]:
        """Distances and objects, the nearest first, and whether all pages were looked at."""
        until, found = self._steady() + _SECONDS, list[tuple[int, str]]()
        with closing(pages):
            for page in pages:
                found += _hits(page, asked)
                if self._steady() >= until:
                    break
            else:
                return sorted(found), True
        return sorted(found), False

    def _refusal(self, caller: Caller) -> str | None:
        if self.audience == "nobody":
            return "This service keeps no fingerprints of what it makes."
        if self.audience == "members" and caller.tenant is None:
            return "This service tells of likeness to its members only, each of the pictures of their own tenant."
        if not installed():
            return "Looking for likeness needs the extra `vision`, which is not installed here."
        return None

    def _keyed(self, look: int) -> Bits:
        """32 bytes: the 256 bits in the secret's order, some of them turned over."""
        import numpy as np  # noqa: PLC0415  of the extra `vision`

        bits = np.unpackbits(np.frombuffer(look.to_bytes(BITS // 8, "big"), dtype=np.uint8))
        keyed: Bits = np.packbits(bits[self._order]) ^ np.frombuffer(self._mask, dtype=np.uint8)
        return keyed


def installed() -> bool:
    """Whether the extra is there; nothing is loaded."""
    return find_spec("numpy") is not None


def _order(secret: bytes) -> tuple[list[int], bytes]:
    """A permutation of the bits and a mask, by HMAC-SHA-256 of the secret."""

    def drawn(label: bytes) -> bytes:
        return hmac.new(secret, b"troth fingerprint 1 " + label, hashlib.sha256).digest()

    order = sorted(range(BITS), key=lambda bit: drawn(b"order %d" % bit))
    return order, drawn(b"mask")


def _small(view: bytes) -> Iterator[Image.Image]:
    """The looks, small enough that all frames of a film fit into memory."""
    for look in looks(view):
        look.thumbnail((_EDGE, _EDGE))
        yield look


def _parts(look: Image.Image) -> Iterator[Image.Image]:
    yield look
    for side, x, y in _KEPT:
        wide, high = look.width - round(look.width * side), look.height - round(look.height * side)
        left, top = round(wide * x), round(high * y)
        yield look.crop((left, top, look.width - wide + left, look.height - high + top))


def _number(text: str) -> int:
    return int(text, 16)


def _hits(page: Sequence[prints.Print], asked: list[Bits]) -> Iterator[tuple[int, str]]:
    """Distance and object of every kept fingerprint that is near to one of those asked about."""
    import numpy as np  # noqa: PLC0415  of the extra `vision`

    wanted = np.stack(asked).view(np.uint64)
    kept = np.frombuffer(b"".join(one for _, one in page), dtype=np.uint64).reshape(len(page), -1)
    nearest = np.full(len(page), BITS, dtype=np.int64)
    for one in wanted:
        nearest = np.minimum(nearest, np.bitwise_count(kept ^ one).sum(axis=1, dtype=np.int64))
    for at in np.flatnonzero(nearest <= NEAR):
        yield int(nearest[at]), page[int(at)][0]
