"""Which binding belongs to which sentence: by digest and order first, by place among its neighbours then."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from troth.promises.paper.binding import Bound, Paper
from troth.promises.paper.splitting import Sentence

How = Literal["same", "moved", "changed", "none"]
_SHORTEST = 16  # hex digits of a digest that a binding gives at least


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence, its binding, and how it was found: changed means that the binding is of other words there."""

    sentence: Sentence
    bound: Bound | None
    how: How


@dataclass(frozen=True, slots=True)
class Matched:
    """Every sentence once, in order; bindings of sentences that are gone; bindings that stand twice."""

    pairs: tuple[Pair, ...]
    gone: tuple[Bound, ...]
    twice: tuple[Bound, ...]


def matched(paper: Paper) -> Matched:
    """Bindings beside the sentences of a paper. Linear in both."""
    return match(paper.sentences, paper.binding.sentences)


def match(found: Sequence[Sentence], rows: Sequence[Bound]) -> Matched:
    """As `matched`, for sentences and bindings by themselves."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for number, row in enumerate(rows):
        waiting[row.sha256[:_SHORTEST]].append(number)
    numbers = [_taken(one, rows, waiting) for one in found]
    left = {number for queue in waiting.values() for number in queue}
    held = {rows[number].sha256[:_SHORTEST] for number in numbers if number is not None}
    twice = {number for number in left if rows[number].sha256[:_SHORTEST] in held}
    gaps = _gaps(left - twice, {number for number in numbers if number is not None}, len(rows))
    pairs, before = [], -1
    for one, own in zip(found, numbers, strict=True):
        if own is not None:
            before = own
            pairs.append(Pair(one, rows[own], "same" if rows[own].at == one.at else "moved"))
        elif gaps[before]:
            pairs.append(Pair(one, rows[gaps[before].popleft()], "changed"))
        else:
            pairs.append(Pair(one, None, "none"))
    gone = sorted(number for queue in gaps.values() for number in queue)
    return Matched(tuple(pairs), tuple(rows[one] for one in gone), tuple(rows[one] for one in sorted(twice)))


def _taken(one: Sentence, rows: Sequence[Bound], waiting: dict[str, deque[int]]) -> int | None:
    """The next binding of those words; one that gives more digits must agree in all of them."""
    queue = waiting.get(one.sha256[:_SHORTEST])
    if queue and one.sha256.startswith(rows[queue[0]].sha256):
        return queue.popleft()
    return None


def _gaps(left: set[int], used: set[int], size: int) -> dict[int, deque[int]]:
    """Bindings without a sentence, by the nearest binding before them that has one (-1: none)."""
    gaps: dict[int, deque[int]] = defaultdict(deque)
    before = -1
    for number in range(size):
        if number in used:
            before = number
        elif number in left:
            gaps[before].append(number)
    return gaps


def carried(paper: Paper) -> dict[str, tuple[str, ...]]:
    """The promises that each sentence carries, by its place; what is bound to other words counts as nothing."""
    return {
        one.sentence.at: one.bound.carries if one.bound and one.how != "changed" else () for one in matched(paper).pairs
    }
