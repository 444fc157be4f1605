"""The 134 promises and the sentences that carry them."""

from __future__ import annotations

from troth.promises.catalogue import catalogue
from troth.promises.paper.shipped import SOURCES, shipped


def test_there_are_134_promises_of_three_kinds() -> None:
    kinds = [promise.kind for promise in catalogue().values()]
    assert len(kinds) == 134
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"enforced": 73, "evidenced": 34, "recorded": 27}


def test_every_stated_promise_is_reached_by_a_sentence() -> None:
    reached = {promise for name in SOURCES for row in shipped(name).binding.sentences for promise in row.carries}
    assert reached == set(catalogue())
