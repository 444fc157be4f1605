"""Nothing happens beside the log unseen: counters agree with entries, triggers stand on privileged tables."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from promise_world import named, shown
from troth.kernel.scope import SYSTEM
from troth.promises.check import Check, Result
from troth.promises.checks import completeness
from troth.promises.probe import probe
from troth.promises.reconciling import Reconciliation
from troth.promises.status import Run
from troth.promises.system import System
from troth.storage.watching import watch
from troth.vault.messages import ObjectNamed
from troth.wiring import Troth


@pytest.mark.parametrize("check", completeness.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run], installation: Troth) -> None:
    installation.system.base.sequencer.flush()  # nothing that begins a comparison anew waits any more
    comparison(installation.system).run()  # the first of an installation only begins
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def comparison(system: System) -> Reconciliation:
    return Reconciliation(system.base.database, system.base.outbox, system.base.clock)


def test_the_first_comparison_claims_nothing(system: System) -> None:
    with system.base.database.write(SYSTEM) as connection:
        connection.execute(text("DELETE FROM reconciliation"))
    check = named(completeness.CHECKS, "reconciled")
    assert [shown(check, system), shown(check, system)] == [Result.NOT_CONFIGURED, Result.PASS]


def test_what_is_opened_on_the_road_agrees_and_what_is_opened_beside_it_does_not(installation: Troth) -> None:
    system = installation.system
    compare = comparison(system)
    compare.run()
    with probe(system) as person:
        kept = person.keep()
        person.run("object.open", ObjectNamed(object_id=kept.id))
        agreed = compare.run()
        assert (agreed.counted["object-read"], agreed.differences) == (1, {})
        person.open(kept.id)  # no call, no entry
        assert compare.run().differences == {"object-read": 1}
        system.base.sequencer.flush()
        assert compare.run().differences == {}  # told once
    with system.base.database.write(SYSTEM) as connection:
        connection.execute(text("DELETE FROM reconciliation"))  # for the checks that share this installation


def test_a_trigger_that_is_gone_is_seen(system: System) -> None:
    with system.base.database.write(SYSTEM) as connection:
        connection.execute(text("DROP TRIGGER troth_watch_role_grants_insert"))
    assert shown(named(completeness.CHECKS, "database-watched"), system) is Result.FAIL
    with system.base.database.write(SYSTEM) as connection:
        watch(connection)
    assert shown(named(completeness.CHECKS, "database-watched"), system) is Result.PASS
