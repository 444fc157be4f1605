"""Which areas a frame is covered in, when faces are looked for in every few frames only.

What was seen shortly before and what is seen shortly after is covered too, so that a face is hidden before it is first
found and after it was last.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from troth.redact.pictures.geometry import Box, merged
from troth.redact.pictures.wording import Area

HOLD = 12  # frames before and after: half a second
_SAME = 0.1  # overlap of two boxes that are taken for one face that moved


@dataclass(slots=True)
class Seen:
    """What was found in frames, by the number of the frame; what lies further back than anybody asks is forgotten."""

    faces: deque[tuple[int, list[Box]]] = field(default_factory=deque)
    words: deque[tuple[int, list[Area]]] = field(default_factory=deque)

    def boxes(self, frame: int, step: int) -> list[Box]:
        """Faces to cover in `frame`, when every `step`-th was looked at.

        Of the looks right before and after everything, one box around both places of a face that moved; of those
        further off only what these do not show.
        """
        near = merged((b for n, found in self.faces if abs(n - frame) < step for b in found), _SAME)
        far = [b for n, found in self.faces if step <= abs(n - frame) <= HOLD for b in found]
        return near + merged(b for b in far if not any(b.overlap(other) > _SAME for other in near))

    def areas(self, frame: int) -> list[Area]:
        """Words to cover in `frame`: of the last look, and of one that comes within the time that is held."""
        before = [found for n, found in self.words if n <= frame]
        after = [found for n, found in self.words if frame < n <= frame + HOLD]
        left = [found for n, found in self.words if frame - HOLD <= n <= frame][:-1]
        return [area for found in [*left, *before[-1:], *after] for area in found]

    def forget(self, frame: int) -> None:
        """Drop what no frame from `frame` on needs."""
        while self.faces and self.faces[0][0] < frame - HOLD:
            self.faces.popleft()
        while len(self.words) > 1 and self.words[1][0] < frame - HOLD:
            self.words.popleft()
