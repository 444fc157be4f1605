"""One picture in, the same picture without what a policy takes out, and how much of what that was."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from troth.redact.pictures.frames import Frame, Limits, Picture, read, write
from troth.redact.pictures.looking import Deadline, Eye

_BACKGROUNDS = (255, 0)  # what shines through: letters of either colour stand out on one of them


@dataclass(frozen=True, slots=True)
class CleanPicture:
    """What came of a picture. `counts`: areas that were covered, by label, no content; `removed`: names of metadata.

    `changed`: False when nothing in the pixels, nothing hidden behind them and no colour profile made a difference;
    then a lossless cleaner's own copy may be used instead of `content`, which was written anew. `frames`: how many
    there were; `seconds`: of looking.
    """

    content: bytes = field(repr=False)
    media_type: str
    counts: dict[str, int]
    removed: tuple[str, ...]
    changed: bool
    frames: int
    width: int
    height: int
    seconds: float
    version: str


def clean_picture(content: bytes, eye: Eye, limits: Limits | None = None) -> CleanPicture:
    """`content` without faces, personal words, codes and metadata, as the rules of `eye` say.

    Raises UnsupportedMedia (`picture-type-unknown`), TooLarge, Invalid (`broken-image`, `picture-not-clean`),
    Unavailable (`extra-missing`, `detector-down`).
    """
    limits, began = limits or Limits(), time.monotonic()
    deadline, counts = Deadline.after(limits.seconds), Counter[str]()
    picture = read(content, limits)
    seen: dict[bytes, Frame] = {}
    for number, frame in enumerate(picture.frames):
        deadline.check()
        key = frame.pixels.tobytes() + (b"" if frame.alpha is None else frame.alpha.tobytes())
        known = seen.get(key) if len(picture.frames) > 1 else None  # animations repeat themselves
        if known is not None:
            picture.frames[number] = Frame(known.pixels, known.alpha, frame.duration)
            continue
        counts += _cleaned(frame, eye, deadline)
        if len(picture.frames) > 1:
            seen[key] = frame
    return _result(picture, counts, eye, time.monotonic() - began)


def _cleaned(frame: Frame, eye: Eye, deadline: Deadline) -> Counter[str]:
    """Cover one frame in place; of a transparent one, what is seen on white and what is seen on black."""
    if frame.alpha is None:
        return eye.clean(frame.pixels, deadline.check)
    counts: Counter[str] = Counter()
    for background in _BACKGROUNDS:
        flat = _flat(frame, background)
        before = flat.copy()
        counts |= eye.clean(flat, deadline.check)
        touched = (flat != before).any(axis=2)
        frame.pixels[touched] = flat[touched]
        frame.alpha[touched] = 255
    return counts


def _flat(frame: Frame, background: int) -> Any:
    import numpy as np  # noqa: PLC0415  an extra

    share = frame.alpha[:, :, None].astype(np.float32) / 255
    return (frame.pixels * share + background * (1 - share)).round().astype(np.uint8)


def _result(picture: Picture, counts: Counter[str], eye: Eye, seconds: float) -> CleanPicture:
    first = picture.frames[0]
    height, width = first.pixels.shape[:2]
    if picture.orientation >= 5:
        height, width = width, height
    changed = bool(counts) or picture.profile or any(frame.alpha is not None for frame in picture.frames)
    return CleanPicture(write(picture), picture.media_type, dict(sorted(counts.items())), picture.removed, changed,
                        len(picture.frames), width, height, seconds, eye.version)  # fmt: skip
