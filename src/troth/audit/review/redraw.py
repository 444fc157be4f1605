"""Checks a review against a copy of the log: the range, the root it was read under, the seed, and what was drawn.

Nothing of a server is asked. What `troth review show --json` prints is compared with what the entries say: so a hidden
act, a seed chosen afterwards, or an act left out of the draw is seen by whoever has the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from troth.audit.checkpoint import Checkpoint
from troth.audit.leaf import read_leaf
from troth.audit.merkle import Frontier, leaf_hash
from troth.audit.note import parse_note
from troth.audit.reaudit import Resource
from troth.audit.review.messages import ReviewOpened
from troth.audit.review.sampling import draw
from troth.audit.review.weights import act_of, digest
from troth.audit.tiles import CHECKPOINT, WIDTH, Tile, unbundle
from troth.kernel.errors import IntegrityError, NotFound

_NAMED = ("first", "last", "root", "seed")


def redraw(read: Resource, shown: ReviewOpened) -> int:
    """How many acts were drawn again, all as shown. `read` gives the resources of the log.

    Raises `IntegrityError`: review-differs (range, root, weights or draw), review-unrecorded (no entry of its opening).
    """
    review = shown.review
    if digest(shown.weights) != review.weights:
        raise _differs("the table of weights is not the one that its record names")
    frontier, acts, told = Frontier(), [], None
    for index, leaf in enumerate(_entries(read)):
        if index < review.size:
            frontier.append(leaf_hash(leaf))
        members = read_leaf(leaf)
        if review.first <= index <= review.last and (act := act_of(index, members, shown.weights)):
            acts.append(act)
        if members.get("op") == "review.opened" and members.get("request") == review.id:
            told = members.get("facts", {})
    _require_recorded(told, shown)
    if frontier.size != review.size or frontier.root().hex() != review.root:
        raise _differs("its root is not that of the log at that size")
    drawn = [one.act.index for one in draw(acts, bytes.fromhex(review.seed), review.sample)]
    if len(acts) != review.acts or drawn != [one.index for one in shown.drawn]:
        raise _differs("other acts are drawn by its seed")
    return len(drawn)


def _require_recorded(told: dict[str, Any] | None, shown: ReviewOpened) -> None:
    if told is None:
        raise IntegrityError(
            "The log does not tell of this review's opening; take a newer copy of the log, or ask who made it up.",
            code="review-unrecorded",
        )
    if any(told.get(name) != getattr(shown.review, name) for name in _NAMED):
        raise _differs("the log names another range, root or seed")


def _entries(read: Resource) -> Iterator[bytes]:
    """Every entry under the copy's checkpoint, in order."""
    size = Checkpoint.parse(parse_note(read(CHECKPOINT)).text).size
    for number in range(-(-size // WIDTH)):
        width = min(WIDTH, size - number * WIDTH)
        yield from unbundle(_bundle(read, number, width))[:width]


def _bundle(read: Resource, number: int, width: int) -> bytes:
    for tile in _candidates(number, width):
        try:
            return read(tile.path)
        except NotFound:
            continue
    raise IntegrityError("A bundle of entries is missing from the copy; fetch the log again.", code="missing")


def _candidates(number: int, width: int) -> Iterable[Tile]:
    return (Tile(None, number, width), Tile(None, number))


def _differs(what: str) -> IntegrityError:
    return IntegrityError(
        f"This review does not fit the log: {what}. Ask for its JSON again, and then who changed it.",
        code="review-differs",
    )
