"""What a version changes behind its sentences: how its own promises are defined, and its own, stricter parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from troth.promises.paper.binding import OwnPromise, Paper
from troth.promises.paper.parameters import Parameter, Value, taken

_KINDS = ("recorded", "evidenced", "enforced")  # the strongest last
_TEXTS = ("statement", "acceptance", "bound")
_Found = tuple[Literal["weakened", "strengthened", "reworded"], str, tuple[str, ...], tuple[str, ...]]


def redefined(promise: str, old: Paper, new: Paper) -> Iterator[_Found]:
    """What became of a promise that both papers carry: how, why, and what stood and stands there.

    The file of own promises alone says what such a promise means, so any other words in it count as weaker: somebody
    must read them. A promise that was the paper's own in one version alone means something else in the other.
    """
    was, now = _named(promise, old), _named(promise, new)
    if was is None or now is None:
        if was is not now:
            says = "It was the paper's own promise, and is the catalogue's now." if was else (
                "It was the catalogue's promise, and is the paper's own now.")  # fmt: skip
            yield "weakened", says, _statement(was), _statement(now)
        return
    yield from _checks(was.checks, now.checks)
    if was.kind != now.kind:
        less = _KINDS.index(now.kind) < _KINDS.index(was.kind)
        yield (
            "weakened" if less else "strengthened",
            f"It was {was.kind}, and is {now.kind} now.",
            (was.kind,),
            (now.kind,),
        )
    for name in _TEXTS:
        before, after = str(getattr(was, name)), str(getattr(now, name))
        if before.lower().split() != after.lower().split():
            yield "weakened", f"Its {name} has other words, which alone say what it means.", (before,), (after,)
        elif before != after:
            yield "reworded", f"Its {name} has the same words, written otherwise.", (before,), (after,)


def loosened(promise: str, old: Paper, new: Paper, house: Mapping[str, Parameter]) -> Iterator[tuple[str, str]]:
    """The parameters of a promise that the old paper set stricter than the new one does: the name, and why."""
    for name in old.binding.parameters:
        one = house.get(name)
        if one is None or promise not in one.promises:
            continue
        was, now = _own(one, old), _own(one, new)
        if was is not None and was != now and (now is None or one.stricter(was, now) != now):
            after = one.spelt(now) if now is not None else "what the house keeps"
            yield name, f"{name}: the paper's own {one.spelt(was)} became {after} ({one.unit})."


def _named(promise: str, paper: Paper) -> OwnPromise | None:
    return next((one for one in paper.own if one.id == promise), None)


def _statement(own: OwnPromise | None) -> tuple[str, ...]:
    return (own.statement,) if own else ()


def _checks(was: tuple[str, ...], now: tuple[str, ...]) -> Iterator[_Found]:
    gone, fresh = sorted(set(was) - set(now)), sorted(set(now) - set(was))
    if gone:
        yield "weakened", f"Nothing looks at it by {', '.join(gone)} any more.", was, now
    if fresh:
        yield "strengthened", f"It is looked at by {', '.join(fresh)} too.", was, now


def _own(one: Parameter, paper: Paper) -> Value | None:
    return taken(one.rule, one.steps, paper.binding.parameters.get(one.name))
