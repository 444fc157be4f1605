"""From what a vendor made to what the caller asked for: checked, in the right format, marked, with credentials last."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from PIL import Image, ImageSequence

from troth.gateway import vector
from troth.gateway.intake import admit_image
from troth.gateway.intake.admitted import MAX_BYTES, MAX_PIXELS
from troth.gateway.provenance import Credentials, SourceType
from troth.gateway.provenance.fingerprints import Fingerprints
from troth.gateway.studio.compose import render
from troth.kernel.errors import Invalid, Malformed, TooLarge, UnsupportedMedia, VendorFailed

MEDIA_TYPES: Final = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}
_DEFAULT_QUALITY = 90  # of JPEG and WEBP; the original's 100 doubles the size for no visible gain
_MAX_FRAMES = 64
_POSTER_INCHES = 11.69  # the longer side of a PDF page: that of A4
_NO_MARK = frozenset({"watermark-too-small", "watermark-no-hold"})
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, MemoryError, Image.DecompressionBombError, IndexError, TypeError)


class Marker(Protocol):
    """An imperceptible mark in pixels. `provenance.watermark.Watermark` is one."""

    def mark(self, image: Image.Image) -> Image.Image:
        """The same picture, marked. Raises `UnsupportedMedia` for one that cannot carry a mark."""
        ...

    def mark_frames(self, frames: Iterable[Image.Image], every: int = 12) -> Iterator[Image.Image]:
        """Frames of one film, all marked."""
        ...


@dataclass(frozen=True, slots=True)
class Origin:
    """What may truthfully be said: how it was made, and of which picture. `also`: further pictures that it shows."""

    source: SourceType
    parent: bytes | None = None
    also: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Opened:
    """A vendor's picture that is whole. `views`: for moderation; `text`: what stands in a drawing."""

    content: bytes
    media_type: str
    width: int
    height: int
    views: tuple[bytes, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """What is delivered. `marked`: whether it carries the mark in its pixels, beside its credentials.

    `stamped`: whether these have a time stamp; `fingerprints`: of how it looks, to be kept beside it.
    """

    content: bytes
    media_type: str
    width: int
    height: int
    transparent: bool
    marked: bool
    stamped: bool = False
    fingerprints: tuple[bytes, ...] = ()


def marks_of(*made: Finished) -> dict[str, int]:
    """How many of these carry which mark, in the words of receipts."""
    return {
        "content-credentials": len(made),
        "time-stamp": sum(one.stamped for one in made),
        "watermark": sum(one.marked for one in made),
        "fingerprint": sum(bool(one.fingerprints) for one in made),
    }


@dataclass(frozen=True, slots=True)
class Finisher:
    """Opens what vendors made and finishes it: mark, format, credentials last. `marker` None: nothing is marked."""

    credentials: Credentials
    marker: Marker | None = None
    must_mark: bool = False  # withhold what cannot carry the mark
    fingerprints: Fingerprints | None = None  # None: none are kept

    def open(self, content: bytes, wanted: str) -> Opened:
        """The picture, whole. Raises `VendorFailed` (vendor-bad-picture) for what is no picture that we accept."""
        if wanted == "svg":
            drawing, size, text = vector.inert(content)
            return Opened(drawing, MEDIA_TYPES["svg"], *size, views=(_drawn(drawing),), text=text)
        if wanted == "gif" and content.startswith((b"GIF87a", b"GIF89a")):
            return _opened_gif(content)
        try:
            admitted = admit_image(content, "")
        except (Invalid, Malformed, TooLarge, UnsupportedMedia) as error:
            raise _bad_picture() from error
        if _moves(admitted.content):  # nobody asked for it, and only its first frame would be marked
            raise _bad_picture()
        return Opened(admitted.content, admitted.media_type, admitted.width, admitted.height, views=(admitted.content,))

    def finish(self, opened: Opened, wanted: str, compression: int | None, origin: Origin) -> Finished:
        """The picture in the format `wanted`, marked and signed. Raises `Unavailable` when it cannot be signed."""
        made = self._made(opened, wanted, compression)
        if self.must_mark and not made.marked:
            raise UnsupportedMedia(
                "This output cannot carry a watermark, which this service requires: ask for a larger or fuller "
                "picture, as PNG, JPEG or WebP.",
                code="watermark-required",
            )
        known = self._fingerprints(opened, origin)
        if made.content is not opened.content and origin.parent is None and self._has_credentials(opened):
            origin = replace(origin, parent=opened.content)  # a vendor's mark is carried on, never lost
        signed = self.credentials.signed(made.content, made.media_type, source=origin.source, parent=origin.parent)
        return replace(made, content=signed.content, stamped=signed.stamped, fingerprints=known)

    def stage(self, content: bytes, wanted: str, origin: Origin) -> tuple[Opened, Finished]:
        """A stage of a picture: signed, and not marked, for it is looked at for a moment only.

        Where nothing leaves without a mark it is marked too: it may be nearly the picture itself. Raises
        `UnsupportedMedia` (watermark-required) then for one that cannot carry it.
        """
        opened = self.open(content, wanted)
        finisher = replace(self, fingerprints=None) if self.must_mark else Finisher(self.credentials)
        return opened, finisher.finish(opened, wanted, None, origin)

    def _fingerprints(self, opened: Opened, origin: Origin) -> tuple[bytes, ...]:
        if self.fingerprints is None:
            return ()
        sources = (*origin.also, *([] if origin.parent is None else [origin.parent]))
        return self.fingerprints.of(opened.views, sources)

    def _has_credentials(self, opened: Opened) -> bool:
        return self.credentials.read(opened.content, opened.media_type).state != "none"

    def _made(self, opened: Opened, wanted: str, compression: int | None) -> Finished:
        media_type, size = MEDIA_TYPES[wanted], (opened.width, opened.height)
        if wanted == "svg":
            return Finished(opened.content, media_type, *size, transparent=False, marked=False)
        if opened.media_type == "image/gif":
            return self._film(opened)
        with Image.open(io.BytesIO(opened.content)) as picture:
            transparent = wanted not in ("jpeg", "pdf") and _transparent(picture)
            marked = self._marked(picture)
            as_it_is = opened.media_type == media_type and (compression is None or wanted == "png")
            if marked is None and as_it_is:
                return Finished(opened.content, media_type, *size, transparent=transparent, marked=False)
            content = _encoded(marked or picture, wanted, compression)
        return Finished(content, media_type, *size, transparent=transparent, marked=marked is not None)

    def _marked(self, picture: Image.Image) -> Image.Image | None:
        if self.marker is None:
            return None
        try:
            return self.marker.mark(picture)
        except UnsupportedMedia as error:
            if error.code in _NO_MARK:
                return None  # too small or too plain to carry one; its credentials say what it is
            raise

    def _film(self, opened: Opened) -> Finished:
        with Image.open(io.BytesIO(opened.content)) as film:
            length = film.info.get("duration", 100)
            length, marked = length if isinstance(length, int) else 100, self.marker is not None
            try:
                frames = _frames(film)
                content = _looped(frames if self.marker is None else self.marker.mark_frames(frames), length)
            except UnsupportedMedia:
                content, marked = _looped(_frames(film), length), False
        return Finished(content, MEDIA_TYPES["gif"], *film.size, transparent=False, marked=marked)


def _opened_gif(content: bytes) -> Opened:
    """A loop of at most 64 frames. Raises `VendorFailed`."""
    if len(content) > MAX_BYTES:
        raise _bad_picture()
    try:
        with Image.open(io.BytesIO(content), formats=("GIF",)) as film:
            count = getattr(film, "n_frames", 1)
            if count > _MAX_FRAMES or film.width * film.height * count > MAX_PIXELS:
                raise _bad_picture()
            for number in range(count):
                film.seek(number)
                film.load()
            return Opened(content, MEDIA_TYPES["gif"], film.width, film.height, views=(content,))
    except _BROKEN as error:
        raise _bad_picture() from error


def _moves(content: bytes) -> bool:
    with Image.open(io.BytesIO(content)) as picture:
        return getattr(picture, "n_frames", 1) > 1


def _drawn(drawing: bytes) -> bytes:
    try:
        return render(drawing.decode())
    except ValueError as error:
        raise _bad_picture() from error


def _encoded(picture: Image.Image, wanted: str, compression: int | None) -> bytes:
    out = io.BytesIO()
    if wanted in ("jpeg", "pdf") and picture.mode != "RGB":
        flat = Image.new("RGB", picture.size, "white")  # neither knows transparency
        flat.paste(picture.convert("RGBA"), mask=picture.convert("RGBA").getchannel("A"))
        picture = flat
    quality = _DEFAULT_QUALITY if compression is None else max(1, compression)
    options: dict[str, Any] = {"quality": quality}
    if wanted == "pdf":
        options["resolution"] = max(picture.size) / _POSTER_INCHES
    picture.save(out, wanted.upper(), **options)
    return out.getvalue()


def _frames(film: Image.Image) -> Iterator[Image.Image]:
    """One after the other: in full colour memory holds one."""
    return (frame.convert("RGB") for frame in ImageSequence.Iterator(film))


def _looped(frames: Iterable[Image.Image], milliseconds: int) -> bytes:
    out = io.BytesIO()
    plain = [frame.quantize(256) for frame in frames]
    plain[0].save(out, "GIF", save_all=True, append_images=plain[1:], duration=milliseconds, loop=0)
    return out.getvalue()


def _transparent(picture: Image.Image) -> bool:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return False
    return picture.convert("RGBA").getchannel("A").getextrema()[0] != 255


def _bad_picture() -> VendorFailed:
    return VendorFailed("The vendor's picture is broken or too large; try again.", code="vendor-bad-picture")
