"""Admits one picture: type, size, structure, then a full decode of the cleaned bytes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from threading import BoundedSemaphore
from typing import Final

from PIL import Image

from troth.gateway.intake import jpeg, png, webp
from troth.gateway.intake.admitted import Admitted, Limits
from troth.gateway.intake.cleaning import Cleaning, broken
from troth.gateway.intake.kinds import IMAGES, JPEG, PNG, WEBP, image_type, normal
from troth.gateway.intake.malware import examine
from troth.kernel.errors import Invalid, Malformed, TooLarge, Unavailable, UnsupportedMedia

_FILTERS: Final[Mapping[str, tuple[str, Callable[[bytes, Limits], Cleaning]]]] = {
    JPEG: ("JPEG", jpeg.clean),
    PNG: ("PNG", png.clean),
    WEBP: ("WEBP", webp.clean),
}

_LARGE: Final = 12_000_000  # pixels
_ONE_LARGE: Final = BoundedSemaphore(1)  # of the process
_PLACES: Final = BoundedSemaphore(4)  # one is read and three wait, so that most threads are left for other operations
_PATIENCE: Final = 5.0  # seconds; the largest takes about one

# What Pillow's decoders raise on hostile bytes (found by fuzzing).
_DECODER_ERRORS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


def admit_image(content: bytes, declared_media_type: str, limits: Limits | None = None) -> Admitted:
    """The picture without personal metadata, pixels untouched.

    `declared_media_type` may be empty or application/octet-stream; then the bytes decide. Raises `Invalid`
    (`empty-content`, `broken-image`), `Malformed` (`content-type-mismatch`), `TooLarge` (`content-too-large`,
    `too-many-pixels`), `UnsupportedMedia` (`unsupported-image`), and what `malware.examine` raises.
    """
    limits = limits or Limits()
    check_size(content, limits)
    media_type = _media_type(content, declared_media_type)
    examine(content, picture=True)  # as it came: also what the filter would take out
    decoder, filter_ = _FILTERS[media_type]
    cleaning = filter_(content, limits)
    cleaned = bytes(cleaning.out)
    _decode(cleaned, decoder, (cleaning.width, cleaning.height), one_pass=cleaning.one_pass)
    removed, kept = tuple(sorted(cleaning.removed)), tuple(sorted(cleaning.kept))
    return Admitted(cleaned, media_type, cleaning.width, cleaning.height, removed, kept)


def check_size(content: bytes, limits: Limits) -> None:
    """Raises `Invalid` (`empty-content`), `TooLarge` (`content-too-large`)."""
    if not content:
        raise Invalid("The file is empty: choose a file with content.", code="empty-content")
    if len(content) > limits.max_bytes:
        raise TooLarge(f"The file is larger than {limits.max_bytes // 1024} KiB.", code="content-too-large")


def _media_type(content: bytes, declared: str) -> str:
    found, claimed = image_type(content), normal(declared)
    if claimed is not None and claimed not in IMAGES:
        raise UnsupportedMedia(
            "Pictures are accepted as PNG, JPEG or WebP: convert it first.", code="unsupported-image"
        )
    if found is None and claimed is None:
        raise UnsupportedMedia("This is not a PNG, JPEG or WebP picture: convert it first.", code="unsupported-image")
    if found is None or (claimed is not None and found != claimed):
        raise Malformed(
            "The bytes are not of the declared type: send the content type that the file really has.",
            code="content-type-mismatch",
        )
    return found


def _decode(content: bytes, decoder: str, size: tuple[int, int], *, one_pass: bool) -> None:
    """Reads every pixel once. Raises `Invalid` when a decoder cannot, or sees another size than the filter did.

    Large ones wait for each other, since a decoder needs 4 bytes a pixel, that of JPEG in several passes 6 and that of
    WebP 16. Raises `Unavailable` (`pictures-busy`) after some seconds, and at once when three wait already.
    """
    with _alone() if size[0] * size[1] > _LARGE and not one_pass else nullcontext():
        _read(content, decoder, size)


@contextmanager
def _alone() -> Iterator[None]:
    with _held(_PLACES, 0), _held(_ONE_LARGE, _PATIENCE):
        yield


@contextmanager
def _held(room: BoundedSemaphore, seconds: float) -> Iterator[None]:
    if not room.acquire(timeout=seconds):
        raise Unavailable("Too many large pictures are being read now; try again in a minute.", code="pictures-busy")
    try:
        yield
    finally:
        room.release()


def _read(content: bytes, decoder: str, size: tuple[int, int]) -> None:
    try:
        with Image.open(io.BytesIO(content), formats=(decoder,)) as image:
            if image.size != size:
                raise broken()
            # A JPEG decoded at an eighth still reads all its data, for a third of the time, and in one pass for a 64th
            # of the memory.
            image.draft("RGB", (max(1, size[0] // 8), max(1, size[1] // 8)))
            for frame in range(getattr(image, "n_frames", 1)):
                image.seek(frame)
                image.load()
    except _DECODER_ERRORS as error:
        raise broken() from error
