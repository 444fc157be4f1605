"""Files of pictures and videos: each is cleaned, written aside and renamed to a number, for names tell of people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from troth.kernel.errors import NotFound, TooLarge
from troth.redact.files import atomic_file, sha256_file, write_atomically
from troth.redact.pictures.cleaning import clean_picture
from troth.redact.pictures.frames import SUFFIXES as PICTURES
from troth.redact.pictures.frames import Limits
from troth.redact.pictures.looking import Eye
from troth.redact.video.cleaning import clean_video
from troth.redact.video.streams import SUFFIXES as VIDEOS

__all__ = ["PICTURES", "VIDEOS", "CleanFile", "image_file", "media_file", "media_of", "modality", "video_file"]

PREFIX = "media-"  # beginning of the name of a picture or video in a data set
Told = Callable[[int, int], object]
_ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/gif": ".gif", "image/tiff": ".tif"}


@dataclass(frozen=True, slots=True)
class CleanFile:
    """A file that was written. `name`: in the output folder; `counts`: areas covered, by label."""

    name: str
    counts: Mapping[str, int]
    frames: int
    removed: tuple[str, ...]


def modality(path: Path) -> Literal["image", "video"] | None:
    """What a file is by the end of its name; its bytes are looked at when it is read."""
    suffix = path.suffix.lower()
    return "image" if suffix in PICTURES else "video" if suffix in VIDEOS else None


def media_file(path: Path, out: Path, number: int, eye: Eye, told: Told = lambda _done, _total: None) -> CleanFile:
    """A picture or a video, as its name says. Raises as `image_file` and `video_file`."""
    return (video_file if modality(path) == "video" else image_file)(path, out, number, eye, told)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The pictures and videos of a data set: (name, SHA-256) in order; what was done, by modality; the sources."""

    files: tuple[tuple[str, str], ...]
    told: Mapping[str, Any]
    inputs: tuple[dict[str, Any], ...]


def media_of(paths: Sequence[Path], out: Path, eye: Eye, told: Told) -> Cleaned:
    """Clean them into `out` as `media-000001.jpg` and so on. Raises as `media_file`."""
    for stale in out.glob(f"{PREFIX}*"):
        stale.unlink()
    files, inputs, sums = [], [], dict[str, dict[str, Any]]()
    for number, path in enumerate(paths, 1):
        done = media_file(path, out, number, eye)
        name = PREFIX + done.name
        (out / done.name).rename(out / name)
        files.append((name, sha256_file(out / name)))
        inputs.append({"sha256": sha256_file(path), "bytes": path.stat().st_size})
        one = sums.setdefault(str(modality(path)), {"files": 0, "frames": 0, "counts": Counter(), "removed": Counter()})
        one["files"] += 1
        one["frames"] += done.frames
        one["counts"].update(done.counts)
        one["removed"].update(done.removed)
        told(number, len(paths))
    plain = {
        name: one | {key: dict(sorted(one[key].items())) for key in ("counts", "removed")} for name, one in sums.items()
    }
    return Cleaned(tuple(files), plain, tuple(inputs))


def image_file(path: Path, out: Path, number: int, eye: Eye, told: Told = lambda _done, _total: None) -> CleanFile:
    """`path` cleaned, as `000001.jpg` in `out`. Raises NotFound, and as `clean_picture`."""
    limits = Limits()
    try:
        if path.stat().st_size > limits.bytes:
            raise TooLarge(f"A picture may have at most {limits.bytes >> 20} MiB; make it smaller.",
                           code="content-too-large")  # fmt: skip
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable() from error
    done = clean_picture(content, eye, limits)
    name = f"{number:06d}{_ENDINGS[done.media_type]}"
    write_atomically(out / name, done.content)
    told(done.frames, done.frames)
    return CleanFile(name, done.counts, done.frames, done.removed)


def video_file(
    path: Path,
    out: Path,
    number: int,
    eye: Eye,
    told: Told = lambda _done, _total: None,
    *,
    sound: Literal["drop", "keep"] = "drop",
) -> CleanFile:
    """`path` cleaned, as `000001.mp4` in `out`. Raises NotFound, and as `clean_video`."""
    name = f"{number:06d}.mp4"
    try:
        source = path.open("rb")
    except OSError as error:
        raise _unreadable() from error
    with source, atomic_file(out / name) as stream:
        done = clean_video(source, stream, eye, sound=sound, told=told)
    return CleanFile(name, done.counts, done.frames, done.removed)


def _unreadable() -> NotFound:
    return NotFound("A file cannot be read; check its name and who may read it.", code="document-not-found")
