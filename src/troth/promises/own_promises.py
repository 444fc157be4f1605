"""How the promises of a paper's own stand, which no catalogue has: by the checks that its file names, every one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from troth.kernel.errors import IntegrityError
from troth.promises.catalogue import Promise, catalogue
from troth.promises.history import History, days, first_day, in_months
from troth.promises.own_rule import OwnRule
from troth.promises.paper.binding import OwnPromise, Paper
from troth.promises.paper.publishing import Papers, in_force
from troth.promises.paper.store import Head
from troth.promises.past import Past
from troth.promises.runner import Runner
from troth.promises.status import Period, Standing, State, status, worst

NAMED_TWICE = "the paper has a promise of its own under this id, so nobody can say which one is meant; rename its own"


def named_twice(paper: Paper | None) -> frozenset[str]:
    """The ids of its own that the catalogue has too: Troth was upgraded after the paper was published."""
    return frozenset(one.id for one in paper.own) & catalogue().keys() if paper else frozenset()


def standings(
    rows: Sequence[tuple[Promise, Standing]], paper: Paper | None, runner: Runner, now: int
) -> list[tuple[Promise, Standing]]:
    """The rows of the catalogue and those of the paper's own promises. One that is named twice is unknown: neither may
    stand for the other."""
    twice = named_twice(paper)
    found = [(one, Standing(State.UNKNOWN, (), NAMED_TWICE) if one.id in twice else stood) for one, stood in rows]
    own = [one for one in paper.own if one.id not in twice] if paper else []
    if paper is None or not own:
        return found
    declared, evidence = runner.declared(), runner.evidence
    runs, moment = evidence.reading.now(), Period(now, now)
    for one in own:
        stood = status(one.id, _rule(one).declared(declared), runs, waivers=evidence.waivers(), period=moment, now=now)
        found.append((one.promise(paper.name), stood))
    return found


def histories(paper: Paper | None, heads: Sequence[Head], papers: Papers, past: Past, now: int) -> dict[str, History]:
    """The bars of the paper's own promises: on each day by the checks that the paper of that day named.

    A day on which no paper had it, or not the whole day, is unknown. Raises as `Past.days_of`.
    """
    wanted = {one.id for one in paper.own} - named_twice(paper) if paper else set()
    if not wanted:
        return {}
    rules = [(start, end, _rules(papers, head, wanted)) for start, end, head in _reigns(heads, now)]
    said = past.days_of([*{rule: None for _, _, mine in rules for rule in mine.values()}])

    def state(promise: str, day: Period) -> State:
        mine = [found.get(promise) for start, end, found in rules if start < day.end and end > day.start]
        return worst(said[one].get(day.start, State.UNKNOWN) if one else State.UNKNOWN for one in mine)

    return {
        one: in_months(one, [(day, state(one, day)) for day in days(first_day(now), now)]) for one in sorted(wanted)
    }


def _reigns(heads: Sequence[Head], now: int) -> Iterator[tuple[int, int, Head | None]]:
    """From when until when which version was in force, or none."""
    begins = sorted({one.effective_at for one in heads if one.effective_at is not None and one.effective_at <= now})
    for start, end in pairwise([0, *begins, now + 1]):
        yield start, end, in_force(heads, start)


def _rules(papers: Papers, head: Head | None, wanted: Collection[str]) -> dict[str, OwnRule]:
    """How a version defines them; nothing where it is not what was approved."""
    try:
        own = papers.opened(head)[1].own if head else ()
    except IntegrityError:
        return {}
    return {one.id: _rule(one) for one in own if one.id in wanted}


def _rule(own: OwnPromise) -> OwnRule:
    return OwnRule(own.id, frozenset(own.checks))
