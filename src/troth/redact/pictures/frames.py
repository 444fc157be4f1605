"""Pictures as pixels and back: JPEG, PNG, WebP, GIF, animated PNG and TIFF, every frame and page, nothing else kept.

What is written is a fresh file: no EXIF but the orientation, no XMP, IPTC, GPS, thumbnail, second picture, comment,
colour profile or content credentials of the old one.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from troth.kernel.errors import Invalid, TooLarge, UnsupportedMedia
from troth.redact.pictures.libraries import missing

MEDIA_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
}
SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".gif": "GIF",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_ORIENTATION = 0x0112
_FAINT = 32  # of 255: less opaque, letters pass unseen; letters at half of it were still read here
_SAVED: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92},
    "WEBP": {"quality": 92, "method": 4},
    "TIFF": {"compression": "tiff_deflate"},
}
# What Pillow's decoders raise on hostile bytes (found by fuzzing the gateway's intake).
_FAULTS = (OSError, SyntaxError, ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError, MemoryError,
           struct.error, zlib.error)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may be. `pixels`: of all frames; `seconds`: of looking at all of it."""

    bytes: int = 25 << 20
    pixels: int = 50_000_000
    frames: int = 60
    seconds: float = 120.0


@dataclass(slots=True)
class Frame:
    """One frame. `pixels`: RGB, uint8, upright; `alpha`: as high and wide, or None; `duration`: milliseconds."""

    pixels: Any
    alpha: Any = None
    duration: float = 0


@dataclass(slots=True)
class Picture:
    """A picture that was read. `orientation`: EXIF's, 1 to 8; `profile`: whether it brought a colour profile."""

    format: str
    frames: list[Frame]
    orientation: int = 1
    loop: int | None = None
    profile: bool = False
    removed: tuple[str, ...] = field(default=())

    @property
    def media_type(self) -> str:
        """Of what is written."""
        return MEDIA_TYPES[self.format]


def _pillow() -> Any:
    try:
        from PIL import Image  # noqa: PLC0415  an extra
    except ImportError as error:
        raise missing() from error
    return Image


def read(content: bytes, limits: Limits | None = None) -> Picture:
    """A picture by its bytes, whatever it is called.

    Raises UnsupportedMedia (`picture-type-unknown`), TooLarge (`content-too-large`, `too-many-pixels`,
    `too-many-frames`), Invalid (`broken-image`); Unavailable (`extra-missing`).
    """
    limits = limits or Limits()
    if len(content) > limits.bytes:
        raise TooLarge(f"A picture may have at most {limits.bytes >> 20} MiB; make it smaller.",
                       code="content-too-large")  # fmt: skip
    image = _pillow()
    if not _signed(content):
        raise UnsupportedMedia("Pictures are read as JPEG, PNG, WebP, GIF or TIFF; save it as one of them.",
                               code="picture-type-unknown")  # fmt: skip
    try:
        with image.open(io.BytesIO(content), formats=tuple(MEDIA_TYPES)) as opened:
            _measure(opened, limits)
            return _read(opened)
    except (image.DecompressionBombError, image.DecompressionBombWarning) as error:
        raise _too_many_pixels(limits) from error
    except _FAULTS as error:
        raise Invalid("The picture is damaged or incomplete; open it in a picture program, save it again and give that "
                      "copy.", code="broken-image") from error  # fmt: skip


def _signed(content: bytes) -> bool:
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
    return content.startswith(starts) or (content.startswith(b"RIFF") and content[8:12] == b"WEBP")


def _measure(opened: Any, limits: Limits) -> None:
    frames = getattr(opened, "n_frames", 1)
    if frames > limits.frames:
        raise TooLarge(f"A picture may have at most {limits.frames} frames or pages; give it as a video, or in parts.",
                       code="too-many-frames")  # fmt: skip
    if opened.width * opened.height * frames > limits.pixels:
        raise _too_many_pixels(limits)


def _too_many_pixels(limits: Limits) -> TooLarge:
    return TooLarge(f"The picture has more than {limits.pixels // 1_000_000} million pixels, all frames together; "
                    "scale it down first.", code="too-many-pixels")  # fmt: skip


def _read(opened: Any) -> Picture:
    turned = opened.getexif().get(_ORIENTATION, 1)
    orientation = turned if isinstance(turned, int) and 1 <= turned <= 8 else 1
    profile = opened.info.get("icc_profile")
    picture = Picture(opened.format, [], orientation, opened.info.get("loop"), bool(profile), tuple(_told(opened)))
    for number in range(getattr(opened, "n_frames", 1)):
        opened.seek(number)
        if number and opened.format == "TIFF":  # pages differ in size, and were not measured together
            _measure(opened, Limits())
        picture.frames.append(_frame(opened, profile, orientation))
    return picture


def _told(opened: Any) -> Iterator[str]:
    """Names of what the old file said beside its pixels; never what it said."""
    tags = opened.getexif()
    if tags:
        yield "exif"
    if tags and tags.get_ifd(0x8825):
        yield "gps"
    known = {"xmp": "xmp", "XML:com.adobe.xmp": "xmp", "photoshop": "iptc", "comment": "comment", "icc_profile": "icc"}
    yield from sorted({known[name] for name in opened.info if name in known})
    if getattr(opened, "text", None):
        yield "text"


def _frame(opened: Any, profile: bytes | None, orientation: int) -> Frame:
    import numpy as np  # noqa: PLC0415  an extra

    whole = _in_srgb(opened, profile)
    duration = float(opened.info.get("duration") or 0)
    if "A" in whole.mode or "transparency" in opened.info:
        values = np.asarray(whole.convert("RGBA")).copy()
        values[values[:, :, 3] < _FAINT] = (255, 255, 255, 0)  # what nobody sees is not carried on
        values = _upright(values, orientation)
        return Frame(np.ascontiguousarray(values[:, :, :3]), np.ascontiguousarray(values[:, :, 3]), duration)
    return Frame(np.ascontiguousarray(_upright(np.asarray(whole.convert("RGB")), orientation)).copy(), None, duration)


def _in_srgb(opened: Any, profile: bytes | None) -> Any:
    """The frame in the colours that a file without a profile has; a profile that cannot be read is left out."""
    import numpy as np  # noqa: PLC0415  an extra
    from PIL import Image, ImageCms  # noqa: PLC0415  an extra

    if opened.mode.startswith(("I", "F")):  # 16 and 32 bits: brought to 8 by their own range
        values = np.asarray(opened).astype(np.float64)
        low, high = float(values.min()), float(values.max())
        return Image.fromarray(((values - low) * (255 / max(1e-9, high - low))).astype(np.uint8))
    if not profile or opened.mode not in ("RGB", "RGBA", "L", "CMYK"):
        return opened
    try:
        out = "RGBA" if opened.mode == "RGBA" else "RGB"
        made = ImageCms.profileToProfile(opened, ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                                         ImageCms.createProfile("sRGB"), outputMode=out)  # fmt: skip
        return made if isinstance(made, Image.Image) else opened
    except (ImageCms.PyCMSError, OSError, ValueError):
        return opened


def _upright(values: Any, orientation: int) -> Any:
    """As a person sees it (CIPA DC-008, tag 0x0112)."""
    if orientation >= 5:
        values = values.swapaxes(0, 1)
    across, down = {2: (-1, 1), 3: (-1, -1), 4: (1, -1), 6: (-1, 1), 7: (-1, -1), 8: (1, -1)}.get(orientation, (1, 1))
    return values[::down, ::across]


def _as_stored(values: Any, orientation: int) -> Any:
    """The opposite of `_upright`."""
    across, down = {2: (-1, 1), 3: (-1, -1), 4: (1, -1), 6: (-1, 1), 7: (-1, -1), 8: (1, -1)}.get(orientation, (1, 1))
    values = values[::down, ::across]
    return values.swapaxes(0, 1) if orientation >= 5 else values


def write(picture: Picture) -> bytes:
    """A fresh file of the same type with these frames, turned as the old one was stored."""
    made = [_image(frame, picture.orientation) for frame in picture.frames]
    options: dict[str, Any] = {**_SAVED.get(picture.format, {})}
    if picture.orientation != 1:
        tags = _pillow().Exif()
        tags[_ORIENTATION] = picture.orientation
        options["exif"] = tags.tobytes()
    if len(made) > 1:
        options |= {"save_all": True, "append_images": made[1:]}
        if picture.format != "TIFF":
            options["duration"] = [max(10, round(frame.duration)) for frame in picture.frames]
            options["loop"] = picture.loop or 0
    if picture.format == "GIF" and len(made) > 1:
        options["disposal"] = 2  # each frame is whole: nothing of one shines through another
    out = io.BytesIO()
    made[0].save(out, picture.format, **options)
    return out.getvalue()


def _image(frame: Frame, orientation: int) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    image = _pillow()
    pixels = frame.pixels if frame.alpha is None else np.dstack([frame.pixels, frame.alpha])
    return image.fromarray(np.ascontiguousarray(_as_stored(pixels, orientation)))
