"""SVG that does nothing: rebuilt from shapes, gradients and plain text; nothing runs and nothing is fetched.

What is not on the list is left out, with all that is in it: scripts, event attributes, styles, links, foreign content,
animation, `use` and patterns (a few of those draw for ever). SVG 2 and the "static" profile of SVG Integration.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from troth.kernel.errors import VendorFailed

MAX_BYTES: Final = 8 << 20
_MAX_DEPTH, _MAX_ELEMENTS, _MAX_SIDE = 64, 200_000, 4096
_SVG: Final = "http://www.w3.org/2000/svg"
_ELEMENTS: Final = frozenset(
    """svg g defs path rect circle ellipse line polyline polygon linearGradient radialGradient stop clipPath title desc
    text tspan""".split()
)
_TEXTS: Final = frozenset({"title", "desc", "text", "tspan"})
_ATTRIBUTES: Final = frozenset(
    """id width height viewBox preserveAspectRatio d x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy points transform
    gradientTransform gradientUnits spreadMethod offset clipPathUnits fill fill-opacity fill-rule clip-path clip-rule
    stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-dasharray stroke-miterlimit opacity
    stop-color stop-opacity font-family font-size font-weight font-style text-anchor letter-spacing version""".split()
)
_OUTSIDE: Final = re.compile(r"(?i)url\s*\((?!\s*#[\w.-]{1,64}\s*\))|\\|javascript:|data:|expression\s*\(|@import")
_LENGTH: Final = re.compile(r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)(?:px)?\s*\Z")


class _Rebuilding:
    """Reads one document and writes what may stay."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.texts: list[str] = []
        self.size: tuple[int, int] | None = None
        self._open: list[str] = []  # kept elements; "" for one that is left out
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self._count += 1
        if self._count > _MAX_ELEMENTS or len(self._open) >= _MAX_DEPTH:
            raise ValueError
        inside = not self._open or bool(self._open[-1])
        kept = local if inside and space == _SVG and local in _ELEMENTS else ""
        if not self._open:
            if local != "svg" or not kept:
                raise ValueError
            self.size = _size(attributes)
        self._open.append(kept)
        if kept:
            named = {key: value for key, value in attributes.items() if key in _ATTRIBUTES and _harmless(value)}
            given = "".join(f" {key}={quoteattr(value)}" for key, value in named.items())
            root = f' xmlns="{_SVG}"' if len(self._open) == 1 else ""
            self.parts.append(f"<{kept}{root}{given}>")

    def end(self, _name: str) -> None:
        kept = self._open.pop()
        if kept:
            self.parts.append(f"</{kept}>")

    def text(self, text: str) -> None:
        if self._open and self._open[-1] in _TEXTS:
            self.texts.append(text)
            self.parts.append(escape(text))

    def refuse(self, *_: object) -> None:
        raise ValueError


def inert(content: bytes) -> tuple[bytes, tuple[int, int], str]:
    """The document that may be delivered, its width and height in pixels, and the text in it.

    Raises `VendorFailed` (`vendor-bad-picture`) for what is no SVG, has a document type, or is too large or too deep.
    """
    reading = _Rebuilding()
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.CharacterDataHandler, parser.buffer_text = reading.text, True
    parser.StartDoctypeDeclHandler = reading.refuse  # no entities, so nothing unfolds
    try:
        if len(content) > MAX_BYTES:
            raise ValueError
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, RecursionError) as error:
        raise VendorFailed("The vendor's drawing is broken or too large; try again.",
                           code="vendor-bad-picture") from error  # fmt: skip
    assert reading.size is not None
    pieces = [piece for piece in reading.texts if piece.strip()]
    both = [" ".join(pieces), "".join(pieces)]  # a word cut in two by elements is still the word
    return "".join(reading.parts).encode(), reading.size, " ".join(both if len(pieces) > 1 else both[:1])


def _harmless(value: str) -> bool:
    return not _OUTSIDE.search(value)


def _size(attributes: dict[str, str]) -> tuple[int, int]:
    """Pixels, of the root's sides or else of its view box. Raises ValueError for none, or too many."""
    sides = [_LENGTH.match(attributes.get(name, "")) for name in ("width", "height")]
    numbers = [float(side.group(1)) for side in sides if side]
    if len(numbers) < 2:
        box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip())
        numbers = [float(value) for value in box[2:]] if len(box) == 4 else []
    if len(numbers) != 2 or not all(1 <= number <= _MAX_SIDE for number in numbers):
        raise ValueError
    return round(numbers[0]), round(numbers[1])
