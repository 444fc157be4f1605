"""Which parts of the text in a picture are personal: the same detectors and the same policy as for any other text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from troth.redact.detect import Span
from troth.redact.pictures.geometry import box_of
from troth.redact.pictures.lines import Line

UNREAD = "UNREAD"  # text that stands there and could not be read: nobody knows what it says, so it goes
_SURE = 0.8  # below, letters may stand elsewhere than thought: the whole line goes
_READ = 0.5
_FEWEST_UNREAD = 4  # letters and digits; textures look like one or two of them
_BESIDE, _ABOVE = 0.3, 0.15  # of a line's height, around what is covered


class Finds(Protocol):
    """What `redact.finding.Finder` does."""

    def find(self, text: str) -> list[Span]:
        """Spans of `text` to take out."""
        ...


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a picture to cover. `quad`: corners (float32, 4 x 2); `label`: what it is, in words of the policy."""

    quad: Any
    label: str
    sure: bool = True


def personal(lines: Sequence[Line], finder: Finds, label: Any) -> list[Area]:
    """What is personal in these lines. `label`: of a kind, `Policy.label`. Raises as the finder.

    The lines are read together, since a name may go on in the next, and each alone, since neighbours may mislead.
    """
    read = [line for line in lines if line.score >= _READ and line.text.strip()]
    marks: dict[tuple[int, int, int], str] = {}
    text, starts = _joined(read)
    for span in finder.find(text) if text else []:
        for number, (start, line) in enumerate(zip(starts, read, strict=True)):
            first, last = max(span.start, start), min(span.end, start + len(line.text))
            if first < last and line.text[first - start : last - start].strip():
                marks[number, first - start, last - start] = label(span.kind)
    for number, line in enumerate(read):
        for span in finder.find(line.text):
            marks.setdefault((number, span.start, span.end), label(span.kind))
    return [_area(read[n], start, end, kind) for (n, start, end), kind in _outer(marks)] + list(_unread(lines))


def _joined(lines: Sequence[Line]) -> tuple[str, list[int]]:
    """One text, lines of one row side by side, and where each line begins in it."""
    text, starts = "", list[int]()
    for number, line in enumerate(lines):
        if number:
            text += " " if _beside(lines[number - 1], line) else "\n"
        starts.append(len(text))
        text += line.text
    return text, starts


def _beside(one: Line, other: Line) -> bool:
    a, b = box_of(one.quad), box_of(other.quad)
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    return shared > 0.6 * min(a.bottom - a.top, b.bottom - b.top)


def _outer(marks: dict[tuple[int, int, int], str]) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Without those that lie in another of the same line: one value counts once."""
    for (line, start, end), kind in marks.items():
        inside = any(n == line and a <= start and end <= b and (a, b) != (start, end) for n, a, b in marks)
        if not inside:
            yield (line, start, end), kind


def _area(line: Line, start: int, end: int, kind: str) -> Area:
    located = line.score >= _SURE and len(line.places) == len(line.text) + 1
    return Area(grown(line.part(start, end) if located else line.quad), kind, located)


def _unread(lines: Sequence[Line]) -> Iterator[Area]:
    for line in lines:
        if line.score < _READ and sum(map(str.isalnum, line.text)) >= _FEWEST_UNREAD:
            yield Area(grown(line.quad), UNREAD, sure=False)


def grown(quad: Any) -> Any:
    """Corners a little further out, along the line and across it: letters have edges that no box holds exactly."""
    import numpy as np  # noqa: PLC0415  an extra

    along, across = quad[1] - quad[0], quad[3] - quad[0]
    height = float(np.linalg.norm(across))
    along = along / max(1e-6, float(np.linalg.norm(along))) * (height * _BESIDE)
    across = across * _ABOVE
    return np.array([quad[0] - along - across, quad[1] + along - across, quad[2] + along + across,
                     quad[3] - along + across], np.float32)  # fmt: skip
