"""What a detector says: spans of a text, and how overlapping ones are settled."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple, Protocol, runtime_checkable

from troth.redact.detect.kinds import KINDS


class Span(NamedTuple):
    """One find: `text[start:end]` in code points, the kind (a key of `KINDS`), a score of 0 to 1, and who found it.

    `entity`: the value that all mentions of one person of the text share (`Ann Lee` for `Ms Lee`, `Ann`, `A. Lee`);
    pseudonyms and surrogates are made of it. Empty: the span's own words.
    """

    start: int
    end: int
    kind: str
    score: float
    detector: str
    entity: str = ""


class Detector(Protocol):
    """Finds personal data and secrets in a text."""

    @property
    def version(self) -> str:
        """Digest of everything that decides what is found; it stands in the manifest of a data set."""

    def detect(self, text: str) -> list[Span]:
        """Spans sorted by start, none overlapping. Never raises on any str."""


@runtime_checkable
class Many(Protocol):
    """A detector that reads short texts faster together."""

    def detect_many(self, texts: Iterable[str]) -> Iterator[list[Span]]:
        """As `Detector.detect`, of each text in order."""


def resolve(found: Iterable[Span], *, cover: bool = False) -> list[Span]:
    """Keep the best span wherever several overlap: higher score first, then the longer, then the earlier; of two of
    one kind, one within the other, the wider.

    What a loser of a container kind (address, URL, connection string) covers beyond the winners stays covered, so
    that settling an overlap never uncovers the rest of an address; two readings of one container are settled like the
    others. `cover`: what any loser covers stays covered, for finds of two views of one text.
    """
    ordered = sorted(found, key=itemgetter(0))
    if all(a.end <= b.start for a, b in pairwise(ordered)):
        return ordered
    return [span for group in _groups(ordered) for span in (_settled(group, cover) if len(group) > 1 else group)]


def _groups(ordered: list[Span]) -> list[list[Span]]:
    """Runs of spans that hang together by overlaps: a long text has many finds and few that concern each other."""
    groups: list[list[Span]] = []
    end = -1
    for span in ordered:
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    return groups


def _settled(found: list[Span], cover: bool) -> list[Span]:
    widest = set(_widest(found))
    ordered = sorted(widest, key=_rank)
    starts: list[int] = []
    kept: list[Span] = []
    for span in ordered:
        pieces = _uncovered(span, starts, kept)
        if pieces == [(span.start, span.end)]:
            _insert(span, starts, kept)
        elif cover or KINDS[span.kind].container:
            for start, end in pieces if cover or _winners_differ(span, kept) else ():
                _insert(Span(start, end, span.kind, span.score, span.detector), starts, kept)
    # One within a wider of its kind that lost to a third, with which it shares nothing.
    for span in sorted(set(found) - widest, key=_rank):
        if _uncovered(span, starts, kept) == [(span.start, span.end)]:
            _insert(span, starts, kept)
    return kept


def _rank(span: Span) -> tuple[float, int, int, str]:
    """Who goes first: the surer, then the longer, then the earlier."""
    return -span.score, span.start - span.end, span.start, span.kind


def _widest(found: list[Span]) -> Iterator[Span]:
    """Without those that stand within another of their kind: `115 496 0024` is no number beside `+44 115 496 0024`."""
    ends: dict[str, int] = {}
    for span in sorted(found, key=lambda s: (s.start, -s.end, -s.score)):
        if span.end > ends.get(span.kind, -1):
            ends[span.kind] = span.end
            yield span


def _winners_differ(span: Span, kept: list[Span]) -> bool:
    """Whether what stands in the span's way is of other kinds; two readings of one address are one address."""
    return all(k.kind != span.kind for k in kept if k.start < span.end and span.start < k.end)


def _insert(span: Span, starts: list[int], kept: list[Span]) -> None:
    at = bisect_left(starts, span.start)
    starts.insert(at, span.start)
    kept.insert(at, span)


def _uncovered(span: Span, starts: list[int], kept: list[Span]) -> list[tuple[int, int]]:
    """The parts of `span` that no kept span covers."""
    at = max(0, bisect_left(starts, span.start) - 1)
    position, pieces = span.start, []
    for other in kept[at:]:
        if other.start >= span.end:
            break
        if other.end <= position:
            continue
        if other.start > position:
            pieces.append((position, other.start))
        position = other.end
    if position < span.end:
        pieces.append((position, span.end))
    return pieces
