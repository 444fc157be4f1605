"""From a stranger's file to pictures that a mark can be looked for in. Sizes, formats and frames are limited."""

from __future__ import annotations

import io
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final

from PIL import Image, ImageOps

from troth.gateway.provenance.kinds import GIF, MP4, PDF
from troth.gateway.provenance.watermark import EVERY
from troth.kernel.errors import Malformed, TooLarge, Unavailable

MAX_PIXELS: Final = 40_000_000
_MOVING_PIXELS: Final = MAX_PIXELS // 4  # of a frame of an animation or a film
_FRAMES: Final = 2 * EVERY  # of a film; a marked one is among them
_DECODERS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP", GIF: "GIF"}
_BROKEN: Final = (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, MemoryError, ArithmeticError)


def pictures(content: bytes, media_type: str) -> Generator[Image.Image, None, None]:
    """The pictures in which to look: one, or some frames of a film; the first of a document; none of a drawing.

    They come one by one, so that memory holds one at a time.
    Raises `TooLarge` (`too-many-pixels`), `Malformed` (`broken-picture`), `Unavailable` (`extra-missing`).
    """
    if media_type == PDF:
        content, media_type = _inside(content), "image/jpeg"
    if not content or media_type not in {*_DECODERS, MP4}:
        return
    try:
        yield from _film(content) if media_type == MP4 else _stills(content, _DECODERS[media_type])
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except _BROKEN as error:
        raise Malformed("The picture is broken; send it as it was saved.", code="broken-picture") from error


def _inside(document: bytes) -> bytes:
    """The first JPEG of a PDF (ISO 32000-2, 7.4.8), such as the page of those that are made here; nothing without."""
    start = document.find(b"\xff\xd8\xff", max(document.find(b"/DCTDecode"), 0))
    end = document.find(b"endstream", start)
    return document[start:end] if b"/DCTDecode" in document and 0 <= start < end else b""


def _stills(content: bytes, decoder: str) -> Iterator[Image.Image]:
    with _judged_here():
        opened = Image.open(io.BytesIO(content), formats=(decoder,))
    with opened:
        _require_size(opened.width, opened.height, MAX_PIXELS)
        frames = min(getattr(opened, "n_frames", 1), _FRAMES)
        if frames == 1:
            yield ImageOps.exif_transpose(opened)
            return
        for number in range(frames):
            yield _frame(opened, number)


def _frame(opened: Image.Image, number: int) -> Image.Image:
    with _judged_here():
        opened.seek(number)
    _require_size(opened.width, opened.height, _MOVING_PIXELS)  # a later frame of a GIF may be larger than the first
    return opened.convert("RGB")


def _film(content: bytes) -> Iterator[Image.Image]:
    av = _av()
    try:
        with av.open(io.BytesIO(content), format="mp4") as container:
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise ValueError("a codec that nobody here knows")
            _require_size(stream.width, stream.height, _MOVING_PIXELS)
            for frame in islice(container.decode(stream), _FRAMES):
                _require_size(frame.width, frame.height, _MOVING_PIXELS)
                yield frame.to_image()
    except av.error.FFmpegError as error:
        raise ValueError from error


@contextmanager
def _judged_here() -> Iterator[None]:
    """Sizes are judged by us, so that the decoder need not warn of them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        yield


def _require_size(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise _too_large()


def _av() -> Any:
    try:
        import av  # noqa: PLC0415  a heavy library that only films need
    except ImportError as error:
        raise Unavailable(
            "Looking at films needs an extra: pip install 'troth[vision]', then start the server again.",
            code="extra-missing",
        ) from error
    return av


def _too_large() -> TooLarge:
    return TooLarge("The picture has too many pixels; send a smaller copy, the mark survives that.",
                    code="too-many-pixels")  # fmt: skip
