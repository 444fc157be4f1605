"""Columns link as runs do, and read back as what they were."""

from __future__ import annotations

import json

from period_world import PeriodWorld, Ran
from troth.promises.check import Result
from troth.promises.period.columns import Stretch, encoded
from troth.promises.period.reread import chain_of
from troth.promises.runs import Run


def _stretch() -> Stretch:
    def bend(_: str, runs: list[Ran]) -> list[Ran]:
        by_hand = Ran(None, runs[9].at + 7, result="error", clock="back", details='{"a":1,"b":2}')
        return [*runs[:10], by_hand, *runs[10:]]

    return PeriodWorld(checks=1, days=1, bend=bend, before=0).gathered().chains["check-000"][0]


def test_links_are_those_of_the_runs() -> None:
    one = _stretch()
    found, before = one.links(range(1, 100)), one.previous
    for place in range(len(one.at)):
        run = Run(
            one.check,
            one.at[place],
            Result(one.result[place]),
            Result(one.control[place]),
            one.population[place],
            one.tested[place],
            one.code[place],
            sequence=one.first + place,
            slot=one.slot[place],
            previous=before,
            details=json.loads(one.details[place]),
            schedule=one.schedule[place],
            system=one.system[place],
            clock=one.clock[place],
        )
        before = run.link
        assert found[one.first + place] == before


def test_the_verifier_reads_what_was_written() -> None:
    one = _stretch()
    chain = chain_of("runs/check-000.json", encoded(one.check, [one]), one.check, {one.last})
    columns = (range(one.first, one.last + 1), one.slot, one.at, one.result, one.control, one.code, one.clock)
    assert chain.runs == list(zip(*columns, strict=True))
    assert chain.links == one.links({one.last})
