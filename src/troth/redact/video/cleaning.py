"""One video in, a fresh one without faces, personal words and voices out.

Frames wait half a second before they leave: a face that is found in one of them is covered in those before it too. Each
frame is looked at once more when it is covered, at another size; what is still seen is filled, and a video in which
that does not help is refused. Words are read in the first frame, at each new scene, where a part of the frame changed,
and every other second.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any, Literal

from troth.kernel.errors import Invalid, TrothError
from troth.redact.pictures.covering import cover
from troth.redact.pictures.geometry import corners
from troth.redact.pictures.libraries import opencv
from troth.redact.pictures.looking import FACE, Deadline, Eye
from troth.redact.video.following import HOLD, Seen
from troth.redact.video.streams import Reading, VideoLimits, Writing

STEP = 3  # faces are looked for in every third frame
_ROOM = 0.25  # of a face's size, around it
_SIDE = 736  # pixels that a frame is brought to for reading words
_WORDS_APART = 24  # frames between two readings of words, but at a cut
_WORDS_AT_LEAST = 48
_CHANGED, _CUT = 28, 24  # of 255: in the part of a frame that changed most; of the whole of it
_PARTS = (24, 16)
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class CleanVideo:
    """What came of a video. `counts`: the most areas that were covered in one frame, by label; `covered`: frames with
    any; `refilled`: frames in which the second look still saw a face, which was then filled; `removed`: names of what
    the file had beside its pictures; `seconds`: of work; `version`: of what looked and what decided.
    """

    counts: dict[str, int]
    frames: int
    covered: int
    refilled: int
    removed: tuple[str, ...]
    width: int
    height: int
    seconds: float
    version: str


Told = Callable[[int, int], object]
"""Progress: frames that are done, frames in all (0 when the file does not say)."""


def clean_video(
    source: IO[bytes],
    out: IO[bytes],
    eye: Eye,
    *,
    sound: Literal["drop", "keep"] = "drop",
    limits: VideoLimits | None = None,
    told: Told = lambda _done, _total: None,
) -> CleanVideo:
    """Write `source` to `out` as the rules of `eye` say. Both are open files that can be moved in.

    Raises UnsupportedMedia (`video-type-unknown`), TooLarge, Invalid (`broken-video`, `picture-not-clean`), Unavailable
    (`extra-missing`, `detector-down`); what was written until then is no video.
    """
    limits = limits or VideoLimits()
    reading = Reading(source, limits)
    try:
        writing = Writing(out, reading)
        try:
            done = _Cleaning(reading, writing, eye, keeps_sound=sound == "keep").run(limits.seconds, told)
        except TrothError:
            with suppress(TrothError):  # the end of what is no video
                writing.close()
            raise
        writing.close()
        return done
    finally:
        reading.close()


class _Cleaning:
    """The state of one run."""

    def __init__(self, reading: Reading, writing: Writing, eye: Eye, *, keeps_sound: bool) -> None:
        self._reading, self._writing, self._eye = reading, writing, eye
        self._sound = keeps_sound and bool(reading.sounds)
        self._seen, self._waiting = Seen(), deque[tuple[int, Any, int]]()
        self._most: Counter[str] = Counter()
        self._covered = self._refilled = 0
        self._size = (0, 0)
        self._glance: Any = None
        self._words_at = -_WORDS_AT_LEAST

    def run(self, seconds: float, told: Told) -> CleanVideo:
        began, deadline, number = time.monotonic(), Deadline.after(seconds), -1
        for number, (pixels, shown_at) in enumerate(self._reading.frames()):
            deadline.check()
            if number == 0:
                self._size = pixels.shape[1], pixels.shape[0]
                self._writing.begin(*self._size, sound=self._sound)
            self._look(number, pixels)
            self._waiting.append((number, pixels, shown_at))
            if len(self._waiting) > HOLD:
                self._leave()
            told(number + 1, self._reading.total)
        if number < 0:
            raise Invalid("The video has no frames.", code="broken-video")
        while self._waiting:
            self._leave()
        self._writing.finish()
        removed = (*self._reading.left_out, *(["sound"] if self._reading.sounds and not self._sound else []))
        return CleanVideo(dict(sorted(self._most.items())), number + 1, self._covered, self._refilled, removed,
                          *self._size, time.monotonic() - began, self._eye.version)  # fmt: skip

    def _look(self, number: int, pixels: Any) -> None:
        if number % STEP == 0 and self._eye.rules.faces != "keep":
            height, width = pixels.shape[:2]
            found = [box.grown(_ROOM, width, height) for box in self._eye.faces(pixels)]
            self._seen.faces.append((number, found))
        if self._is_new(number, pixels):
            self._words_at = number
            self._seen.words.append((number, self._eye.words(pixels, _SIDE, small_codes=False)))

    def _is_new(self, number: int, pixels: Any) -> bool:
        """Whether words are to be read in this frame: others may stand there than at the last reading."""
        glance = opencv().resize(pixels, _PARTS, interpolation=opencv().INTER_AREA).astype("int16")
        before, self._glance = self._glance, glance if self._glance is None else self._glance
        since = number - self._words_at
        if before is None or since >= _WORDS_AT_LEAST:
            self._glance = glance
            return True
        change = abs(glance - before).mean(axis=2)
        if change.mean() > _CUT or (since >= _WORDS_APART and change.max() > _CHANGED):
            self._glance = glance
            return True
        return False

    def _leave(self) -> None:
        """Cover the frame that waited longest, look at it once more, and write it."""
        number, pixels, shown_at = self._waiting.popleft()
        rules, counts = self._eye.rules, Counter[str]()
        for area in self._seen.areas(number):
            counts[area.label] += 1
            cover(pixels, area.quad, self._eye.how(area.label))
        if rules.faces != "keep":
            for box in self._seen.boxes(number, STEP):
                counts[FACE] += 1
                cover(pixels, corners(box), rules.faces)
            self._look_again(pixels, counts)
        self._most |= counts
        self._covered += bool(counts)
        self._writing.frame(pixels, shown_at)
        self._seen.forget(number)

    def _look_again(self, pixels: Any, counts: Counter[str]) -> None:
        height, width = pixels.shape[:2]
        for again in range(_ROUNDS):
            left = self._eye.faces_again(pixels)
            if not left:
                return
            self._refilled += again == 0
            counts[FACE] = counts[FACE] or len(left)
            for box in left:
                cover(pixels, corners(box.grown(_ROOM * (again + 1), width, height)), "fill")
        raise Invalid("A face can still be seen in a frame of the video, so it was not let through; cut it out.",
                      code="picture-not-clean")  # fmt: skip
