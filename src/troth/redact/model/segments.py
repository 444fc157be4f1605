"""A long text is read in segments, each with what stands around it: the same ones however the text arrives.

This is the definition of what is found in a text longer than one segment, whole or as a stream:

- The first segment begins at 0, the next where one ended. A rest of at most `size + BEHIND` characters is one segment.
- Otherwise a segment ends at its last blank line, else line end, else sentence, else white space within its last
  quarter, else after `size` characters; a find that reaches over this end moves it to its own end.
- It is read with the `BEFORE` characters before it and the `BEHIND` characters behind it. Of what is found, the segment
  has what begins in it, and the rest of what begins before and reaches into it.
- A find that goes on to the end of what is read may be longer: the next segment is read with the beginning of that find
  before it, so that the rest of a long key is one too.
- Persons found in earlier segments are persons in later ones (`People`), never the other way round.

Where a segment ends depends on no more than what is read with it. Memory and delay are bounded by `size`, time is
linear.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from troth.kernel.errors import Invalid
from troth.redact.detect import Span
from troth.redact.model.people import People

SIZE = 16_384  # characters of a segment
SMALLEST = 1_024
BEFORE, BEHIND = 1_024, 4_096  # characters around a segment that are read with it
_HEAD = 128  # characters of an unfinished find that are read before its rest
_MARKS = 32  # combining marks in a row that stay with their letter
_ENDS = ("\n\n", "\n", ". ", " ")

Detect = Callable[[str], list[Span]]  # spans of a text, sorted, none overlapping
Sift = Callable[[str, list[Span]], list[Span]]  # of those, what is wanted


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a text that is done: where it begins, its characters, and its spans at offsets within it."""

    start: int
    text: str
    spans: list[Span]


@dataclass(slots=True)
class Segments:
    """The segments of one text, which may come in pieces. Holds at most `size + BEFORE + BEHIND` characters and what
    the last `feed` brought, and the names of the persons so far."""

    detect: Detect
    sift: Sift = lambda _, spans: spans
    size: int = SIZE
    _people: People = field(default_factory=People)
    _before: str = ""  # what is read before the segment
    _rest: str = ""  # what is not done
    _start: int = 0  # of the rest

    def __post_init__(self) -> None:
        """Raises Invalid (`out-of-range`) for segments that are too small to be read."""
        if self.size < SMALLEST:
            raise Invalid(f"A segment has at least {SMALLEST} characters.", code="out-of-range", field="size")

    def feed(self, piece: str) -> Iterator[Segment]:
        """The segments that `piece` completes. To be run to its end before the next call."""
        at = 0
        while True:
            wanted = self.size + BEHIND + 1 - len(self._rest)
            self._rest += piece[at : at + wanted]
            at += wanted
            if len(self._rest) <= self.size + BEHIND:
                return
            yield self._next(_end(self._rest, self.size))

    def close(self) -> Iterator[Segment]:
        """The last segment, when the text has ended."""
        if self._rest:
            yield self._next(len(self._rest))

    def _next(self, end: int) -> Segment:
        window, before = self._before + self._rest, len(self._before)
        window = window[: before + end + BEHIND]
        found = self.sift(window, self._people.complete(window, self.detect(window), self._start - before))
        found = [s for s in found if s.end > before and s.start < before + end]
        last = max(end, found[-1].end - before) if found else end
        spans = [s._replace(start=max(s.start - before, 0), end=s.end - before) for s in found]
        segment = Segment(self._start, self._rest[:last], spans)
        if found and found[-1].end == len(window) and last < len(self._rest):
            self._before = window[found[-1].start :][:_HEAD]
        else:
            self._before = (self._before + segment.text)[-BEFORE:]
        self._rest, self._start = self._rest[last:], self._start + last
        return segment


def read(detect: Detect, text: str) -> list[Span]:
    """The spans of a whole text, at its offsets."""
    segments = Segments(detect)
    return [
        span._replace(start=span.start + segment.start, end=span.end + segment.start)
        for part in (segments.feed(text), segments.close())
        for segment in part
        for span in segment.spans
    ]


def _end(text: str, size: int) -> int:
    """Where the segment that begins at 0 ends."""
    low = size - size // 4
    for sign in _ENDS:
        at = text.rfind(sign, low, size)
        if at >= 0:
            return at + len(sign)
    end = size
    while end > size - _MARKS and unicodedata.combining(text[end]):
        end -= 1
    return end
