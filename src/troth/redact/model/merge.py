"""Finds of the rules and of the tagger become one list. Pure; time grows with the number of finds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from troth.redact.detect import Span
from troth.redact.model.terms import is_measure, names_nobody

# What rules find by words around it, not by a shape or a checksum: here the tagger may know better.
SOFT = frozenset({"person", "address", "place", "organisation", "postcode", "date"})
_BETWEEN = frozenset("and or und oder et ou y e o".split())  # between two values that were tagged as one
_GROUP = {"address": "place", "postcode": "place"}


def merge(text: str, rules: Iterable[Span], tagged: Iterable[Span]) -> list[Span]:
    """Everything that either found, sorted, none overlapping.

    A find of a rule with a shape stands as it is. Finds by context join with those of the tagger that touch the same
    words: of one kind into the widest span, of two kinds with the surer one in front; nothing that either covered is
    uncovered, except what a shaped find covers itself.
    """
    hard: list[Span] = []
    soft: list[Span] = []
    for span in rules:
        (soft if span.kind in SOFT else hard).append(span)
    joined = _joined(sorted([*soft, *tagged], key=lambda s: (s.start, s.end)))
    return sorted([*hard, *_beside(text, joined, hard)], key=lambda s: s.start)


def _same(a: Span, b: Span) -> bool:
    return _GROUP.get(a.kind, a.kind) == _GROUP.get(b.kind, b.kind)


def _joined(spans: Sequence[Span]) -> list[Span]:
    """Overlaps settled among finds by context; `spans` sorted by start."""
    found: list[Span] = []
    for span in spans:
        while found and found[-1].end > span.start:
            before = found.pop()
            if _same(before, span):
                best = max((before, span), key=lambda s: (s.score, s.end - s.start))
                kind = "address" if "address" in (before.kind, span.kind) else best.kind
                # What the tagger confirms is the tagger's: dates that only rules see are told apart by that.
                finder = span.detector if before.detector == "rules" else before.detector
                span = Span(before.start, max(before.end, span.end), kind, best.score, finder)  # noqa: PLW2901
                continue
            if before.score >= span.score:
                found.append(before)
                span = Span(before.end, span.end, span.kind, span.score, span.detector)  # noqa: PLW2901  its rest
                break
            if before.start < span.start:
                found.append(Span(before.start, span.start, before.kind, before.score, before.detector))
            if before.end > span.end:  # the rest behind the surer one goes with it: it was covered and stays so
                span = Span(span.start, before.end, span.kind, span.score, span.detector)  # noqa: PLW2901
            break
        if span.end > span.start:
            found.append(span)
    return found


def _beside(text: str, soft: Sequence[Span], hard: Sequence[Span]) -> list[Span]:
    """The parts of `soft` that no span of `hard` covers and that hold a letter or a digit."""
    ends = [s.end for s in hard]
    found: list[Span] = []
    for span in soft:
        position = span.start
        at = bisect_right(ends, span.start)
        while at < len(hard) and hard[at].start < span.end:
            if hard[at].start > position:
                found.append(Span(position, hard[at].start, span.kind, span.score, span.detector))
            position = hard[at].end
            at += 1
        if position < span.end:
            found.append(Span(position, span.end, span.kind, span.score, span.detector))
    return [trimmed for s in found if (trimmed := _trim(text, s)) is not None]


def _trim(text: str, span: Span) -> Span | None:
    """Without white space at its ends; None when it holds no letter or digit, or but a word that tells of nobody."""
    part = text[span.start : span.end]
    value = part.strip()
    if not any(map(str.isalnum, value)) or value in _BETWEEN or names_nobody(value, span.kind):
        return None
    start = span.start + len(part) - len(part.lstrip())
    end = span.end - len(part) + len(part.rstrip())
    if span.detector != "rules" and is_measure(value, text[end : end + 8]):
        return None
    return Span(start, end, span.kind, span.score, span.detector)
