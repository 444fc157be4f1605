"""What people are told is plain and true, and the record of processing is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, update

from promise_world import shown
from troth.governance.statement.store import digest_of, statement_version
from troth.kernel.errors import IntegrityError
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome
from troth.promises.check import Check, Result
from troth.promises.checks import statement
from troth.promises.status import Run
from troth.promises.system import System

READABLE, TRUE, RECORDED = statement.CHECKS


@pytest.fixture(autouse=True)
def _unpublished(system: System) -> Iterator[None]:
    yield
    with system.base.database.write() as connection:
        connection.execute(delete(statement_version))


def publish(system: System) -> None:
    statements = system.governance.statements
    head = statements.publish("usr_one", [one.id for one in statements.draft().hard])
    statements.approve(head.number, "usr_two")


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(RECORDED)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)


@pytest.mark.parametrize("check", [READABLE, TRUE], ids=lambda check: check.id)
def test_nothing_published_is_not_configured_and_never_green(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert run.result is not Result.PASS
    assert run.control is Result.FAIL


@pytest.mark.parametrize("check", [READABLE, TRUE], ids=lambda check: check.id)
def test_a_published_statement_passes(check: Check, system: System) -> None:
    publish(system)
    assert shown(check, system) is Result.PASS


def test_a_section_above_the_grade_that_nobody_accepted_is_seen(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(system)
    monkeypatch.setattr(statement, "LIMIT", -10.0)
    assert shown(READABLE, system) is Result.FAIL


def test_a_vendor_that_came_after_the_approval_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(system)
    statements = system.governance.statements
    later = statement.replace(statements.current(), suppliers=(statement._STRANGER,))
    monkeypatch.setattr(type(statements), "current", lambda _: later, raising=False)
    monkeypatch.setattr(statements, "current", lambda: later)
    assert shown(TRUE, system) is Result.FAIL


def test_words_that_are_not_those_of_the_map_today_are_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fact is new and none is gone: only a word is explained otherwise."""
    publish(system)
    statements = system.governance.statements
    current = statements.current()
    purposes = {**current.words["purpose"], "accounts": "to sell you an account"}
    later = replace(current, words={**current.words, "purpose": purposes})
    monkeypatch.setattr(statements, "current", lambda: later)
    apart = statements.apart(statements.opened(statements.heads()[0]))
    assert (apart.unsaid, apart.untrue, apart.reworded) == (frozenset(), frozenset(), ("accounts",))
    assert shown(TRUE, system) is Result.FAIL


def test_a_control_that_no_longer_sees_other_words_is_no_control(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement, "reworded", lambda *_: ())
    assert TRUE.sabotage(system).broken == 0


@pytest.mark.parametrize(
    "change",
    [
        {"content": "[]"},
        {"content": "[]", "digest": digest_of("[]")},
        {"accepted": "accounts"},
        {"approved_by": "usr_three"},
        {"approved_at": 1},
        {"signature": None},
        {"approved_by": None, "approved_at": None},
    ],
    ids="-".join,
)
def test_a_version_that_was_changed_in_the_database_is_seen(change: dict[str, Any], system: System) -> None:
    publish(system)
    with system.base.database.write() as connection:
        connection.execute(update(statement_version).values(change))
    for check in (TRUE, READABLE):
        with pytest.raises(IntegrityError):  # an error of the run: unknown, never green
            shown(check, system)


@pytest.mark.parametrize("by", ["blanked", "deleted"])
def test_the_newest_version_is_not_taken_back_in_the_database(system: System, by: str) -> None:
    """Neither is the first: nothing in force is a fault then, not an installation that published nothing."""
    publish(system)
    newest = system.governance.statements.heads()[-1]
    _approved(system, newest.number, newest.digest)
    assert shown(TRUE, system) is Result.PASS
    blank = {"approved_by": None, "approved_at": None, "signer": None, "signature": None}
    with system.base.database.write() as connection:
        connection.execute(update(statement_version).values(blank) if by == "blanked" else delete(statement_version))
    assert shown(TRUE, system) is Result.FAIL
    with system.base.database.write() as connection:
        connection.execute(delete(statement_version))
    publish(system)
    _approved(system, 1, system.governance.statements.heads()[-1].digest)
    assert shown(TRUE, system) is Result.PASS


def _approved(system: System, number: int, digest: str) -> None:
    entry = Entry(
        log="operator", operation="privacy-statement.approve", phase="closed", outcome=Outcome.DONE,
        request=new_id("req"), actor="usr_two", tenant=None, time=1,
        facts={"object": f"statement-{number}", "digest": digest},
    )  # fmt: skip
    system.base.outbox.record(entry)
    system.base.sequencer.flush("operator")
