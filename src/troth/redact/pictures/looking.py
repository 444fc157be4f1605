"""A look at pixels: everything that the rules want covered, as areas. And a second look, which must find nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from troth.kernel.errors import Invalid, TooLarge
from troth.redact.detect import Detector
from troth.redact.finding import Finder
from troth.redact.picture_rules import Covering, PictureRules
from troth.redact.pictures import faces, lines
from troth.redact.pictures.codes import CODE, codes
from troth.redact.pictures.covering import cover
from troth.redact.pictures.geometry import Box, corners
from troth.redact.pictures.regions import SIDE
from troth.redact.pictures.wording import UNREAD, Area, grown, personal
from troth.redact.policy import Policy

FACE = "FACE"
VERSION = f"{faces.VERSION}/{lines.VERSION}"
_ROUNDS = 3  # of covering what the second look still sees
_ROOM = 0.2  # of a face's size, around it: hair and ears tell people apart too


@dataclass(frozen=True, slots=True)
class Deadline:
    """When reading a picture has taken too long. `at`: seconds of the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """From now on."""
        return cls(time.monotonic() + seconds)

    def check(self) -> None:
        """Raises TooLarge (`picture-too-slow`)."""
        if time.monotonic() > self.at:
            raise TooLarge("Reading this picture takes too long; send a smaller one, or fewer frames.",
                           code="picture-too-slow")  # fmt: skip


class Eye:
    """Looks at pixels under one policy. Safe to share between threads.

    `words`: False leaves text and codes out, for whoever looks for them less often than for faces.
    """

    def __init__(self, detector: Detector, policy: Policy, rules: PictureRules | None = None) -> None:
        """Raises as `Finder`; Unavailable (`extra-missing`, `model-weights`) before the first picture, not after it."""
        self._finder, self._label = Finder(detector, policy), policy.label
        self.rules = rules or policy.pictures
        self._faces, self._lines, self._codes = faces.faces(), lines.lines(), codes()
        self.policy = policy.name
        self.version = f"{VERSION}/{detector.version}/{policy.name}-{policy.version}"

    def faces(self, pixels: Any) -> list[Box]:
        """Faces in a frame of a video, at one size."""
        return self._faces.find(pixels, faces.FAST, turned=False)

    def faces_again(self, pixels: Any) -> list[Box]:
        """The second look at a frame of a video, at another size, and less sure."""
        return self._faces.find(pixels, faces.FAST_AGAIN, turned=False, score=faces.DOUBTFUL)

    def areas(self, pixels: Any) -> list[Area]:
        """All there is to cover in a picture, faces first. Raises Unavailable (`detector-down`)."""
        found = list(self._of_faces(pixels, faces.SIZES, turned=True))
        return found + self.words(pixels)

    def words(self, pixels: Any, side: int = SIDE, *, small_codes: bool = True) -> list[Area]:
        """Personal words and codes. Raises Unavailable (`detector-down`)."""
        found = personal(self._lines.find(pixels, side), self._finder, self._label)
        return found + self._codes.find(pixels, self._finder, small=small_codes)

    def left(self, pixels: Any) -> list[Area]:
        """What a second look, at more sizes, still sees. Text that nobody can read is no find here."""
        found = list(self._of_faces(pixels, faces.VERIFIED_AT, turned=True))
        return found + [one for one in self.words(pixels, lines.VERIFIED_AT) if one.label != UNREAD]

    def _of_faces(self, pixels: Any, sizes: tuple[int, ...], *, turned: bool) -> Iterator[Area]:
        if self.rules.faces == "keep":
            return
        height, width = pixels.shape[:2]
        for box in self._faces.find(pixels, sizes, turned=turned):
            yield Area(corners(box.grown(_ROOM, width, height)), FACE)

    def how(self, label: str) -> Covering:
        """How an area is covered."""
        if label == FACE and self.rules.faces != "keep":
            return self.rules.faces
        return self.rules.codes if label == CODE else self.rules.words

    def clean(self, pixels: Any, check: Callable[[], None] = lambda: None) -> Counter[str]:
        """Cover in place what is to be covered, look again, and cover what is left in one colour; counts by label.

        `check` is called between the steps and may raise. Raises Invalid (`picture-not-clean`) when a third look still
        finds something, Unavailable (`detector-down`).
        """
        counts: Counter[str] = Counter()
        for area in self.areas(pixels):
            counts[area.label] += 1
            cover(pixels, area.quad, self.how(area.label))
        for _ in range(_ROUNDS):
            check()
            left = self.left(pixels)
            if not left:
                return counts
            for area in left:
                counts[area.label] += not counts[area.label]  # what is found again is mostly what was found before
                cover(pixels, grown(area.quad), "fill")
        raise Invalid("Something personal can still be seen in the picture, so it was not let through; cut or cover it "
                      "yourself.", code="picture-not-clean")  # fmt: skip
