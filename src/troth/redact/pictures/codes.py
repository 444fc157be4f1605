"""QR codes and bar codes (EAN, UPC): what they say is read like any text; what cannot be read is covered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from threading import Lock
from typing import Any

from troth.kernel.errors import Unavailable
from troth.redact.pictures.geometry import box_of
from troth.redact.pictures.libraries import opencv
from troth.redact.pictures.wording import Area, Finds

CODE = "CODE"
# Contact cards, keys of networks and of second factors, tickets: personal or secret by what they are.
_ALWAYS = re.compile(
    r"\s*(BEGIN:V(CARD|EVENT)|MECARD:|BIZCARD:|WIFI:|otpauth|mailto:|MATMSG:|tel:|smsto:|geo:|HC1:|M1)", re.I
)
_ROOM = 0.06  # of a code's size, around it
_ENLARGED_BELOW = 1600  # pixels of the longer side: small codes are read when they are enlarged


class Codes:
    """Finds and reads codes. Safe to share between threads; one picture is read at a time."""

    def __init__(self) -> None:
        """Raises Unavailable (`extra-missing`)."""
        self._cv, self._lock = opencv(), Lock()
        self._qr, self._bars = self._cv.QRCodeDetectorAruco(), self._cv.barcode.BarcodeDetector()

    def find(self, pixels: Any, finder: Finds, *, small: bool = True) -> list[Area]:
        """Codes to cover: those whose content is personal, and those that cannot be read.

        `small`: look for small ones too. Raises Unavailable (`detector-down`), and as the finder.
        """
        try:
            with self._lock:
                found = self._read(pixels, small=small)
        except self._cv.error as error:
            raise Unavailable("The reader of codes does not work, so the picture was not let through.",
                              code="detector-down") from error  # fmt: skip
        return [Area(quad, CODE) for text, quad in found if not text or _ALWAYS.match(text) or finder.find(text)]

    def _read(self, pixels: Any, *, small: bool) -> list[tuple[str, Any]]:
        """(content, corners) of each code, in whichever size it could be read; content is empty where in none."""
        found: list[tuple[str, Any]] = []
        for factor in (1, 2) if small and max(pixels.shape[:2]) < _ENLARGED_BELOW else (1,):
            seen = pixels if factor == 1 else self._cv.resize(pixels, None, fx=factor, fy=factor)
            # The detector of bars sees them in textures as well; only what it could read is one.
            bars = [one for one in _pairs(self._bars.detectAndDecodeMulti(seen)) if one[0]]
            for text, quad in [*_pairs(self._qr.detectAndDecodeMulti(seen)), *bars]:
                _put(found, text, quad / factor)
        return found


def _pairs(answer: Any) -> Iterator[tuple[str, Any]]:
    texts, quads = answer[1], answer[2]
    for number, quad in enumerate([] if quads is None else quads):
        middle = quad.mean(axis=0)
        yield texts[number] if number < len(texts) else "", middle + (quad - middle) * (1 + 2 * _ROOM)


def _put(found: list[tuple[str, Any]], text: str, quad: Any) -> None:
    """One entry for each code: what could be read of it counts, and the corners of the first."""
    for number, (known, at) in enumerate(found):
        if box_of(at).overlap(box_of(quad)) > 0.3:
            found[number] = (known or text, at)
            return
    found.append((text, quad.astype("float32")))


@lru_cache(maxsize=1)
def codes() -> Codes:
    """The one of this process. Raises Unavailable (`extra-missing`)."""
    return Codes()
