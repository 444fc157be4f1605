"""Being checkable: sentences, certificates, data sets, logs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import named, shown
from troth.promises.check import Check, Result
from troth.promises.checks import all_checks, papers
from troth.promises.paper.binding import paper_of
from troth.promises.paper.shipped import shipped, shipped_file
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", papers.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_data_set_verifier_that_believes_everything_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "verify_manifest", lambda *_: None)
    assert shown(named(papers.CHECKS, "evidence-offline"), system) is Result.FAIL


def test_a_sentence_bound_to_nothing_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    binding = shipped_file("dzine.paper.yaml").replace(b"[MON-10, INC-01]", b"[XYZ-99]")
    changed = paper_of(shipped_file("dzine.txt"), binding)
    monkeypatch.setattr(papers, "shipped", lambda name: changed if name == "dzine" else shipped(name))
    assert shown(named(papers.CHECKS, "sentences-bound"), system) is Result.FAIL


def test_checks_that_the_third_paper_names_exist() -> None:
    named = {check for one in shipped("harbour").own for check in one.checks}
    assert named
    assert named <= {check.id for check in all_checks()}
