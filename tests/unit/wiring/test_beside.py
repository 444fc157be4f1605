"""Commands on the machine itself: an entry before, one after, and nothing without."""

from __future__ import annotations

from pathlib import Path

import pytest

from house import house_settings
from troth.audit.leaf import read_leaf
from troth.audit.review.weights import BESIDE, act_of, weights_of
from troth.cli.installation import install, operator
from troth.kernel.errors import Conflict, Unavailable
from troth.kernel.record import Outcome
from troth.wiring.beside import recorded
from worlds import ListRecorder, MovableClock


def test_an_act_is_begun_and_done() -> None:
    recorder = ListRecorder()
    with recorded(recorder, MovableClock(), "installation.adopted", jurisdiction="eu") as noted:
        noted["count"] = 2
    first, last = recorder.entries
    assert (first.phase, first.outcome, first.facts) == ("opened", Outcome.PENDING, {"jurisdiction": "eu"})
    assert (last.phase, last.outcome, last.facts) == ("closed", Outcome.DONE, {"jurisdiction": "eu", "count": 2})
    assert first.request == last.request
    assert {first.log, last.log} == {"operator"}


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [(Conflict("no", code="taken"), Outcome.REFUSED, "taken"), (ValueError("x"), Outcome.FAILED, None)],
)
def test_how_it_ended_is_told(error: Exception, outcome: Outcome, code: str | None) -> None:
    recorder = ListRecorder()
    with pytest.raises(type(error)), recorded(recorder, MovableClock(), "tenant.invited"):
        raise error
    assert (recorder.entries[-1].outcome, recorder.entries[-1].code) == (outcome, code)


def test_without_an_entry_nothing_happens() -> None:
    ran = []
    with pytest.raises(Unavailable), recorded(ListRecorder(broken=True), MovableClock(), "tenant.invited"):
        ran.append(1)
    assert ran == []


def test_it_is_an_act_for_reviewers() -> None:
    recorder = ListRecorder()
    with recorded(recorder, MovableClock(), "installation.adopted"):
        pass
    acts = [act_of(at, one.as_json(), weights_of(())) for at, one in enumerate(recorder.entries)]
    assert [act is not None for act in acts] == [True, False]
    assert {"operator.founded", "tenant.invited", "installation.adopted"} <= BESIDE


def test_the_first_operator_is_in_the_log(tmp_path: Path) -> None:
    installation = install(house_settings(tmp_path), checks=False)
    base = installation.troth.system.base
    installation.troth.start()
    try:
        made = operator(installation, "op@example.org")
        assert made is not None
        assert operator(installation, "other@example.org") is None
        base.sequencer.flush()
        leaves = [read_leaf(one.leaf) for one in base.reader.entries("operator", 0, 100)]
    finally:
        installation.troth.stop()
    told = [one for one in leaves if one["op"] == "operator.founded"]
    assert [one["phase"] for one in told] == ["opened", "closed"]
    assert told[1]["facts"] == {"user": made.user}
