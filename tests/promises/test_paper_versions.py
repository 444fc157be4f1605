"""What changes in a published paper is listed and announced; a version that slips in unannounced is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from promise_world import shown
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome
from troth.promises.check import Check, Result
from troth.promises.checks import paper_versions
from troth.promises.paper import publishing, store
from troth.promises.paper.changes import Change
from troth.promises.paper.publishing import Papers
from troth.promises.paper.store import paper_version
from troth.promises.status import Run
from troth.promises.system import System

(VERSIONS,) = paper_versions.CHECKS
NOTICE = timedelta(days=30)


@pytest.fixture(autouse=True)
def _unpublished(system: System) -> Iterator[None]:
    yield
    with system.base.database.write() as connection:
        connection.execute(delete(paper_version))


def publish(system: System, notice: timedelta) -> None:
    """Two versions on the installation, the second of which takes promises back."""
    with paper_versions._papers(system, notice) as (made_up, _):
        papers = Papers(
            system.base.database, system.base.clock, system.base.signer, notice=notice, known=made_up._known
        )
        for version, lines in (("1", paper_versions._MORE), ("2", paper_versions._LESS)):
            files = paper_versions._files(version, lines, ["one"])
            papers.approve(papers.publish(files, "usr_one").number, "usr_two")
    trust: Any = system.dispatcher.registry["trust.changes"].run.__self__
    trust._kept.feed = None


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(VERSIONS)
    assert (run.result, run.control, run.tested) == (Result.PASS, Result.FAIL, 7)


def test_what_was_published_here_is_looked_at(system: System) -> None:
    publish(system, NOTICE)
    facts = VERSIONS.observe(system)
    assert (facts.tested, facts.broken) == (9, 0)


def test_a_version_that_weakened_at_once_is_seen(system: System) -> None:
    publish(system, timedelta(0))
    assert VERSIONS.observe(system).broken == 1


def test_a_day_that_was_edited_is_seen(system: System) -> None:
    publish(system, NOTICE)
    with system.base.database.write() as connection:
        connection.execute(update(paper_version).where(paper_version.c.number == 2).values(effective_at=1))
    assert VERSIONS.observe(system).broken >= 1


@pytest.mark.parametrize("blind", ["changed", "standing"])
def test_a_comparison_that_sees_nothing_is_seen(system: System, monkeypatch: pytest.MonkeyPatch, blind: str) -> None:
    found: tuple[Change, ...] = ()
    monkeypatch.setattr(publishing, blind, lambda *_: found)
    assert shown(VERSIONS, system) is Result.FAIL


def test_a_feed_without_papers_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paper_versions, "papers_told", lambda *_: [])
    assert shown(VERSIONS, system) is Result.FAIL


def test_an_edited_row_that_is_opened_all_the_same_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Papers, "_verify", lambda *_: None)
    assert shown(VERSIONS, system) is Result.FAIL


@pytest.mark.parametrize("by", ["blanked", "deleted"])
def test_the_newest_version_is_not_taken_back_in_the_database(system: System, by: str) -> None:
    publish(system, NOTICE)
    with system.base.database.read() as connection:
        newest = store.heads(connection)[-1]
    entry = Entry(
        log="operator", operation="paper.approve", phase="closed", outcome=Outcome.DONE, request=new_id("req"),
        actor="usr_two", tenant=None, time=1, facts={"object": f"paper-{newest.number}", "digest": newest.digest},
    )  # fmt: skip
    system.base.outbox.record(entry)
    system.base.sequencer.flush("operator")
    assert VERSIONS.observe(system).broken == 0
    mine = paper_version.c.number == newest.number
    blank = {"approved_by": None, "approved_at": None, "effective_at": None, "signer": None, "signature": None}
    with system.base.database.write() as connection:
        connection.execute(update(paper_version).where(mine).values(blank) if by == "blanked" else
                           delete(paper_version).where(mine))  # fmt: skip
    assert VERSIONS.observe(system).broken == 1
    replaced = replace(entry, request=new_id("req"), facts={"object": "paper-1", "digest": _digest(system)})
    system.base.outbox.record(replaced)  # as after a restore that lost it: the next approval counts
    system.base.sequencer.flush("operator")
    assert VERSIONS.observe(system).broken == 0


def _digest(system: System) -> str:
    with system.base.database.read() as connection:
        return store.heads(connection)[0].digest
