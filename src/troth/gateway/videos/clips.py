"""From a vendor's video to what is kept: looked through, rebuilt without metadata, marked, with two pictures of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

from troth.gateway.pictures import Marker
from troth.gateway.videos.stills import Still, encoded, spritesheet, thumbnail
from troth.kernel.errors import Unavailable, UnsupportedMedia, VendorFailed

MAX_BYTES: Final = 64 << 20
MAX_SECONDS: Final = 61
MAX_PIXELS: Final = 2048 * 2048
_MAX_RATE: Final = 61  # frames a second
_LOOKS: Final = 64  # frames that moderation sees at most: one a second of the longest, eight a second of the shortest
_EACH_SECOND: Final = 8
_CODECS: Final = frozenset({"h264", "hevc", "av1", "vp9", "mpeg4"})


@dataclass(frozen=True, slots=True)
class Clip:
    """A whole video (MP4) of `width` x `height`, and frames from its whole length as JPEG for moderation."""

    content: bytes
    width: int
    height: int
    seconds: float
    views: tuple[bytes, ...]
    thumbnail: Still
    spritesheet: Still
    film_marked: bool

    @property
    def marked(self) -> bool:
        """Whether the film and both pictures of it carry the mark."""
        return self.film_marked and self.thumbnail.marked and self.spritesheet.marked


def clip(content: bytes, marker: Marker | None) -> Clip:
    """Every frame decoded once; a new container, so that no title, place or comment of the vendor comes along.

    Raises `VendorFailed` (vendor-bad-video) for what is no MP4 that we accept, `Unavailable` (vision-missing).
    """
    av = _av()
    if not 0 < len(content) <= MAX_BYTES:
        raise _bad()
    try:
        count, rate, looks = _looked(av, content)
        made = _marked(av, content, round(rate), marker) if marker else None
        whole = made or _copied(av, content)
    except (av.error.FFmpegError, OSError, ValueError, ArithmeticError, MemoryError, IndexError) as error:
        raise _bad() from error
    with Image.open(io.BytesIO(looks[0])) as opened:
        width, height = opened.size
    return Clip(
        content=whole,
        width=width,
        height=height,
        seconds=count / rate,
        views=tuple(looks),
        thumbnail=thumbnail(looks, marker),
        spritesheet=spritesheet(looks, marker),
        film_marked=made is not None,
    )


def _looked(av: Any, content: bytes) -> tuple[int, float, list[bytes]]:
    """Every frame decoded: how many, how many a second, and some of them. Raises ValueError beyond a limit.

    The file's own word for how many frames it has is not asked: each time there are too many looks, every other one
    goes, and from there on half as many frames are looked at.
    """
    looks: list[bytes] = []
    with av.open(io.BytesIO(content), format="mp4") as container:
        stream, rate = _pictures_of(container)
        step, count = max(1, round(rate) // _EACH_SECOND), 0
        for frame in container.decode(stream):
            if frame.width * frame.height > MAX_PIXELS or count > MAX_SECONDS * rate:
                raise ValueError
            if count % step == 0:
                looks.append(encoded(frame.to_image(), "JPEG"))
            if len(looks) > _LOOKS:
                looks, step = looks[::2], step * 2
            count += 1
    if not looks:
        raise ValueError
    return count, rate, looks


def _pictures_of(container: Any) -> tuple[Any, float]:
    """The one stream of pictures and its frames a second, before a frame is decoded. Raises ValueError."""
    video, sound = container.streams.video, container.streams.audio
    if len(video) != 1 or len(sound) > 1 or len(container.streams) != len(video) + len(sound):
        raise ValueError
    if not all(one.codec_context for one in container.streams):  # a codec that nobody here knows
        raise ValueError
    rate, pixels = float(video[0].average_rate or 0), video[0].width * video[0].height
    if video[0].codec_context.name not in _CODECS or not 1 <= rate <= _MAX_RATE or not 0 < pixels <= MAX_PIXELS:
        raise ValueError
    return video[0], rate


def _marked(av: Any, content: bytes, rate: int, marker: Marker) -> bytes | None:
    """The video with the mark in every frame, its sound as it was; None when it cannot carry one."""
    out = io.BytesIO()
    try:
        with av.open(io.BytesIO(content), format="mp4") as source, av.open(out, "w", format="mp4") as container:
            stream = container.add_stream("libx264", rate=rate)
            width, height = source.streams.video[0].width, source.streams.video[0].height
            stream.width, stream.height, stream.pix_fmt = width & ~1, height & ~1, "yuv420p"
            stream.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
            sound = [container.add_stream_from_template(one) for one in source.streams.audio]
            for image in marker.mark_frames(frame.to_image() for frame in source.decode(video=0)):
                container.mux(stream.encode(av.VideoFrame.from_image(image)))
            container.mux(stream.encode())
            if sound:
                source.seek(0)
                for packet in source.demux(audio=0):
                    if packet.dts is not None:
                        packet.stream = sound[0]
                        container.mux(packet)
    except UnsupportedMedia:
        return None  # too small, or nothing in it: its credentials say what it is
    return out.getvalue()


def _copied(av: Any, content: bytes) -> bytes:
    """The same pictures and sound in a new container."""
    out = io.BytesIO()
    with av.open(io.BytesIO(content), format="mp4") as source, av.open(out, "w", format="mp4") as container:
        made = {one.index: container.add_stream_from_template(one) for one in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = made[packet.stream.index]
                container.mux(packet)
    return out.getvalue()


def _av() -> Any:
    try:
        import av  # noqa: PLC0415  heavy: only who handles videos loads it
        import av.error  # noqa: PLC0415
    except ImportError as error:
        raise Unavailable(
            "Videos need an extra: pip install 'troth[vision]', then start the server again.", code="vision-missing"
        ) from error
    return av


def _bad() -> VendorFailed:
    return VendorFailed("The vendor's video is broken or too large; try again.", code="vendor-bad-video")
