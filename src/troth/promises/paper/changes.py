"""What a new version of a paper changes, promise by promise: who relied on the old one must be told (GOV-25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import re2

from troth.promises.paper.binding import Paper
from troth.promises.paper.claims import claims
from troth.promises.paper.matching import carried
from troth.promises.paper.own_changes import loosened, redefined
from troth.promises.paper.parameters import Parameter, Value
from troth.promises.paper.splitting import Sentence

Kind = Literal["dropped", "weakened", "added", "strengthened", "reworded"]
_ORDER: tuple[Kind, ...] = ("dropped", "weakened", "added", "strengthened", "reworded")
_HEDGES = re2.compile(
    r"(?i)\b(aims? to|strives? to|seeks? to|tr(?:y|ies) to|endeavou?rs? to|intends? to|plans? to|may|might|should|"
    r"where (?:possible|appropriate|feasible|practical)|when possible|as far as possible|reasonabl[ey]|generally|"
    r"normally|usually|typically|most|mostly|often|some|certain|commercially|best efforts?)\b"
)
_ABSOLUTES = re2.compile(r"(?i)\b(all|every|each|always|never|only|any|must|no|both|before any)\b")
_NEGATIONS = re2.compile(
    r"(?i)\b(not|never|no|none|nobody|nothing|neither|nor|without|cannot|(?:ca|wo|do|does|did|is|are|was|were|has|have|"
    r"would|should|could|must)n['\x{2019}]t|stops?|stopped|ceases?|ceased|refuses? to|fails? to)\b"
)
_WORDS = re2.compile(r"[\p{L}\p{N}]+")
_MOST_PAIRS = 10_000  # of sentences of one promise
_ALIKE = 0.5  # share of words in common from which on two sentences say something about the same


@dataclass(frozen=True, slots=True)
class Change:
    """One promise, what became of it, why that is said, and the sentences that carried it before and carry it now."""

    promise: str
    kind: Kind
    says: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def takes(self) -> bool:
        """True when the promise was dropped or weakened."""
        return self.kind in ("dropped", "weakened")


def changed(old: Paper, new: Paper, parameters: Mapping[str, Parameter]) -> tuple[Change, ...]:
    """What changed, the worst first: dropped and weakened promises are those that readers must be told of.

    Sentences are compared, and what stands behind them: the paper's own promises and its own parameters.
    """
    before, after = _by_promise(old), _by_promise(new)
    found: list[Change] = []
    for promise in sorted(before | after):
        was, now = before.get(promise, ()), after.get(promise, ())
        found += _of(promise, was, now, parameters)
        if was and now:
            found += [Change(promise, *one) for one in redefined(promise, old, new)]
            said = [one.says for one in found if one.promise == promise]
            for name, less in loosened(promise, old, new, parameters):
                if not any(one.startswith(f"{name}: ") for one in said):
                    found.append(Change(promise, "weakened", less, _texts(was), _texts(now)))
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.kind), one.promise)))


def weakens(changes: Sequence[Change]) -> bool:
    """True when a promise was dropped or weakened."""
    return any(one.takes for one in changes)


def _by_promise(paper: Paper) -> dict[str, tuple[Sentence, ...]]:
    promises = carried(paper)
    found: dict[str, tuple[Sentence, ...]] = {}
    for sentence in paper.sentences:
        for promise in promises[sentence.at]:
            found[promise] = (*found.get(promise, ()), sentence)
    return found


def _of(
    promise: str, was: tuple[Sentence, ...], now: tuple[Sentence, ...], parameters: Mapping[str, Parameter]
) -> Iterator[Change]:
    before, after = _texts(was), _texts(now)
    if not was:
        yield Change(promise, "added", "No sentence carried it before.", before, after)
        return
    if not now:
        yield Change(promise, "dropped", "No sentence carries it any more.", before, after)
        return
    compared = list(_compared(promise, was, now, parameters))
    for kind, says in compared:
        yield Change(promise, kind, says, before, after)
    if not compared and before != after:
        yield Change(promise, "reworded", "Other words, with no claim that can be compared.", before, after)


def _texts(sentences: Sequence[Sentence]) -> tuple[str, ...]:
    return tuple(one.text for one in sentences)


def _compared(
    promise: str, was: Sequence[Sentence], now: Sequence[Sentence], parameters: Mapping[str, Parameter]
) -> Iterator[tuple[Kind, str]]:
    for name, one in parameters.items():
        if promise in one.promises:
            yield from _claim(one, _strictest(one, was), _strictest(one, now), name)
    before, after = _wording(was), _wording(now)
    hedges = sorted(after[0] - before[0])
    lost = sorted(before[1] - after[1])
    if hedges:
        yield "weakened", f'It now says "{", ".join(hedges)}".'
    if lost:
        yield "weakened", f'It no longer says "{", ".join(lost)}".'
    yield from _turned(was, now)


def _turned(was: Sequence[Sentence], now: Sequence[Sentence]) -> Iterator[tuple[Kind, str]]:
    """Sentences that say nearly the same with one negation more or less: whatever it means, somebody must read it."""
    kept = {one.words for one in was} & {one.words for one in now}
    gone = [one.words for one in was if one.words not in kept]
    fresh = [one.words for one in now if one.words not in kept]
    if len(gone) * len(fresh) > _MOST_PAIRS:
        yield "weakened", "So many of its sentences changed that they were not compared; read them."
        return
    for sentence in fresh:
        nearest = max(gone, key=lambda one: _alike(one, sentence), default=None)
        if nearest is None or _alike(nearest, sentence) < _ALIKE:
            continue
        before, after = _negations(nearest), _negations(sentence)
        if len(before) % 2 != len(after) % 2:
            turned = sorted(set(after) - set(before)) or sorted(set(before) - set(after)) or sorted(set(after))
            sign = "now says" if len(after) > len(before) else "no longer says"
            yield "weakened", f'The meaning may have turned: it {sign} "{", ".join(turned)}".'


def _negations(words: str) -> list[str]:
    return [one.lower() for one in _NEGATIONS.findall(words)]


def _alike(one: str, other: str) -> float:
    """The share of the words of both that stand in both, negations left aside."""
    first, second = (set(_WORDS.findall(_NEGATIONS.sub(" ", text).lower())) for text in (one, other))
    return len(first & second) / max(1, len(first | second))


def _strictest(one: Parameter, sentences: Sequence[Sentence]) -> tuple[Value, bool] | None:
    """What those sentences claim of a parameter together, and whether they exclude all else."""
    found = [claim for sentence in sentences for claim in claims(sentence) if claim.parameter == one.name]
    if not found:
        return None
    only = one.rule == "among" and any(claim.only for claim in found)
    sets = [claim.value for claim in found if isinstance(claim.value, frozenset)]
    if sets:
        return frozenset[str]().union(*sets), only
    return reduce(one.stricter, [claim.value for claim in found]), only


def _claim(
    one: Parameter, old: tuple[Value, bool] | None, new: tuple[Value, bool] | None, name: str
) -> Iterator[tuple[Kind, str]]:
    if old == new:
        return
    if new is None and old is not None:
        yield "weakened", f"{name}: it claimed {one.spelt(old[0])} ({one.unit}), and claims nothing of it now."
    elif old is None and new is not None:
        yield "strengthened", f"{name}: it claims {one.spelt(new[0])} ({one.unit}), of which it said nothing."
    elif old is not None and new is not None:
        steps = f"{name}: {_spelt(one, old)} became {_spelt(one, new)} ({one.unit})."
        yield ("weakened" if _is_less(one, old, new) else "strengthened"), steps


def _is_less(one: Parameter, old: tuple[Value, bool], new: tuple[Value, bool]) -> bool:
    """True when the new claim leaves out something that the old one gave."""
    (was, was_only), (now, now_only) = old, new
    if isinstance(was, frozenset) and isinstance(now, frozenset):
        if one.rule == "all-of":
            return bool(was - now)
        return bool(now - was) or (was_only and not now_only)
    return one.stricter(was, now) == was != now


def _spelt(one: Parameter, claim: tuple[Value, bool]) -> str:
    return f"{'only ' if claim[1] and one.rule == 'among' else ''}{one.spelt(claim[0])}"


def _wording(sentences: Sequence[Sentence]) -> tuple[set[str], set[str]]:
    words = " ".join(sentence.words for sentence in sentences)
    return {one.lower() for one in _HEDGES.findall(words)}, {one.lower() for one in _ABSOLUTES.findall(words)}
