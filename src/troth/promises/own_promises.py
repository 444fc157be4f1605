"""How the promises of a paper's own stand, which no catalogue has: by the checks that its file names, every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from troth.promises.catalogue import Promise, catalogue
from troth.promises.paper.binding import OwnPromise, Paper
from troth.promises.runner import Runner
from troth.promises.status import Declared, Period, Standing, State, status

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
        stood = status(one.id, _declared(one, declared), runs, waivers=evidence.waivers(), period=moment, now=now)
        found.append((one.promise(paper.name), stood))
    return found


def _declared(own: OwnPromise, declared: Sequence[Declared]) -> list[Declared]:
    mine = [replace(one, promises=(own.id,)) for one in declared if one.check in own.checks]
    return mine if {one.check for one in mine} == set(own.checks) else []
