"""Videos as frames and back, by PyAV (FFmpeg): MP4, QuickTime, Matroska, WebM and AVI in, a fresh MP4 with H.264 out.

The new file has one video stream, and a sound stream where sound is kept: no title, place, comment, date, chapters,
subtitles, cover picture, data or other streams of the old one. A file can name no other file to be opened: the reader
is chosen by the first bytes, and it reads from memory or an open file only.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import IO, Any

from troth.kernel.errors import Invalid, TooLarge, UnsupportedMedia
from troth.redact.pictures.libraries import missing

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi"})
MEDIA_TYPE = "video/mp4"
_HEAD = 16
_OPTIONS = {"preset": "superfast", "crf": "21"}
_RATE = 48_000  # of sound that is kept


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What a video may be. `pixels`: of one frame; `seconds`: of work."""

    frames: int = 500_000
    pixels: int = 4096 * 2304
    seconds: float = 24 * 3600.0


def library() -> Any:
    """PyAV. Raises Unavailable (`extra-missing`)."""
    try:
        import av  # noqa: PLC0415  an extra
    except ImportError as error:
        raise missing() from error
    av.logging.set_level(None)  # FFmpeg's own words may quote a file's titles
    return av


def _reader(head: bytes) -> str:
    """FFmpeg's name of the one reader that may open this. Raises UnsupportedMedia (`video-type-unknown`)."""
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return "mov"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    raise UnsupportedMedia("Videos are read as MP4, MOV, MKV, WebM or AVI; save it as one of them.",
                           code="video-type-unknown")  # fmt: skip


@contextmanager
def faults() -> Iterator[None]:
    """What FFmpeg raises on hostile bytes, as a refusal without its words."""
    av = library()
    try:
        yield
    except (av.error.FFmpegError, ValueError, EOFError, MemoryError, OverflowError) as error:
        raise Invalid("The video is damaged or incomplete; save it again with a video program and give that copy.",
                      code="broken-video") from error  # fmt: skip


class Reading:
    """A video that is read. Frames come upright, as RGB."""

    def __init__(self, source: IO[bytes], limits: VideoLimits) -> None:
        """Raises UnsupportedMedia (`video-type-unknown`), Invalid (`broken-video`), TooLarge (`too-many-pixels`)."""
        head = source.read(_HEAD)
        source.seek(0)
        name, self._limits = _reader(head), limits
        with faults():
            self._container = library().open(source, format=name, metadata_errors="ignore")
            moving = [one for one in self._container.streams.video if not _is_cover(one)]
            if not moving or not moving[0].codec_context:
                raise ValueError
            self._stream = moving[0]
            self._stream.codec_context.thread_count = 1
        if self._stream.codec_context.width * self._stream.codec_context.height > limits.pixels:
            raise TooLarge("The frames of the video are too large; scale it down first.", code="too-many-pixels")
        self.sounds = len(self._container.streams.audio)
        self.left_out = tuple(sorted(_left_out(self._container)))
        self.total = int(self._stream.frames or 0)
        self.rate = Fraction(self._stream.average_rate or 25)
        self.time_base = Fraction(self._stream.time_base or Fraction(1, 90_000))

    def frames(self) -> Iterator[tuple[Any, int]]:
        """(RGB pixels, upright, writable; presentation time in `time_base`). Raises Invalid, TooLarge."""
        last = -1
        with faults():
            for number, frame in enumerate(self._container.decode(self._stream)):
                if number >= self._limits.frames:
                    raise TooLarge(f"The video has more than {self._limits.frames} frames; give it in parts.",
                                   code="too-many-frames")  # fmt: skip
                if frame.width * frame.height > self._limits.pixels:
                    raise TooLarge("The frames of the video are too large; scale it down first.",
                                   code="too-many-pixels")  # fmt: skip
                last = max(last + 1, int(frame.pts) if frame.pts is not None else last + 1)
                yield _upright(frame), last

    def sound(self) -> Iterator[Any]:
        """Decoded sound of the first track, from the beginning."""
        with faults():
            self._container.seek(0)
            yield from self._container.decode(self._container.streams.audio[0])

    def close(self) -> None:
        """Let go of the file."""
        self._container.close()


def _is_cover(stream: Any) -> bool:
    return "attached_pic" in str(stream.disposition).lower()


def _left_out(container: Any) -> Iterator[str]:
    """Names of what the old file has beside the pictures; never what it says."""
    if container.metadata or any(stream.metadata for stream in container.streams):
        yield "metadata"
    for name in ("subtitles", "data", "attachments"):
        if getattr(container.streams, name, ()):
            yield name
    if container.chapters():
        yield "chapters"
    if any(_is_cover(one) for one in container.streams.video):
        yield "cover"


def _upright(frame: Any) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    pixels = frame.to_ndarray(format="rgb24")
    quarters = round((getattr(frame, "rotation", 0) or 0) / 90) % 4  # counter-clockwise, as the file asks for
    pixels = np.rot90(pixels, quarters) if quarters else pixels
    return np.ascontiguousarray(
        pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2]
    )  # H.264 wants even sides


class Writing:
    """A fresh MP4. Close it, or nothing can be read."""

    def __init__(self, out: IO[bytes], reading: Reading) -> None:
        self._av, self._reading = library(), reading
        self._container = self._av.open(out, "w", format="mp4")
        self._stream: Any = None
        self._sound: Any = None

    def begin(self, width: int, height: int, *, sound: bool) -> None:
        """All streams are named before the first frame."""
        self._stream = self._container.add_stream("libx264", rate=self._reading.rate, options=_OPTIONS)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = self._reading.time_base
        self._stream.codec_context.thread_count = 1
        if sound:
            self._sound = self._container.add_stream("aac", rate=_RATE)

    def frame(self, pixels: Any, time: int) -> None:
        """One frame; raises Invalid when its size is another than that of the first."""
        if self._stream is None or (pixels.shape[1], pixels.shape[0]) != (self._stream.width, self._stream.height):
            raise Invalid("The frames of the video differ in size; save it again with a video program.",
                          code="broken-video")  # fmt: skip
        made = self._av.VideoFrame.from_ndarray(pixels, format="rgb24")
        made.pts, made.time_base = time, self._reading.time_base
        self._container.mux(self._stream.encode(made))

    def finish(self) -> None:
        """What the encoders still hold, and sound that is kept."""
        self._container.mux(self._stream.encode(None))
        if self._sound is not None:
            resampler = self._av.AudioResampler(format="fltp", layout="stereo", rate=_RATE)
            for heard in self._reading.sound():
                for part in resampler.resample(heard):
                    self._container.mux(self._sound.encode(part))
            self._container.mux(self._sound.encode(None))

    def close(self) -> None:
        """Write the end. Raises Invalid (`broken-video`) when nothing was begun."""
        with faults():
            self._container.close()
