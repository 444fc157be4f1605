"""Two people change one vendor, or one routing policy, at the same moment, on PostgreSQL: neither undoes the other.

The first is held after it read and before it wrote. The second then either waits for the first's lock, or, where
nothing locks, is through before the first writes; either way the test goes on without a clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from database_world import DATABASES, administrator, opened
from gateway_world import XorSealed, due_diligence
from troth.gateway.routing_policies import RoutingPolicies
from troth.gateway.vendors.record import Probe, State
from troth.gateway.vendors.registry import Vendors
from troth.gateway.vendors.routing import RoutingPolicy
from troth.kernel.clock import epoch_ms
from troth.storage.database import Database
from troth.vault.fences import fence_tenant
from worlds import MovableClock

pytestmark = pytest.mark.postgres
ONE, TWO, TENANT = "usr_one", "usr_two", "ten_one"
_WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")


@pytest.fixture(params=[kind for kind in DATABASES if kind != "sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with opened(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def vendors(database: Database, clock: MovableClock) -> Vendors:
    registry = Vendors(database, XorSealed(), clock, [])
    registry.add("acme", due_diligence(epoch_ms(clock.now())), None, ONE)
    registry.approve("acme", TWO)
    return registry


@contextmanager
def once_read(database: Database, table: str, work: Callable[[], Any]) -> Iterator[None]:
    """While the first read of `table` by this thread is answered, `work` runs in another until it ends or waits."""
    mine, left = threading.get_ident(), [work]

    def seen(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if threading.get_ident() != mine or not left or not statement.startswith("SELECT") or table not in statement:
            return
        other = pool.submit(left.pop())
        with administrator() as connection:
            while not (other.done() or connection.execute(_WAITS).scalar()):
                time.sleep(0.01)
        futures.append(other)

    futures: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        event.listen(database.engine, "after_cursor_execute", seen)
        try:
            yield
        finally:
            event.remove(database.engine, "after_cursor_execute", seen)
    assert len(futures) == 1
    futures[0].result()


def test_a_note_does_not_undo_a_suspension(database: Database, vendors: Vendors, clock: MovableClock) -> None:
    probe = Probe(at=epoch_ms(clock.now()), version="TLSv1.3")
    with once_read(database, "vendors", lambda: vendors.suspend("acme", TWO)):
        vendors.probed("acme", probe, ONE)
    assert (vendors.get("acme").state, vendors.get("acme").observed.probe) == (State.SUSPENDED, probe)


def test_what_was_amended_meanwhile_is_not_approved(database: Database, vendors: Vendors, clock: MovableClock) -> None:
    changed = due_diligence(epoch_ms(clock.now()), "https://elsewhere.test/v1")
    vendors.amend("acme", due_diligence(epoch_ms(clock.now())), None, ONE)
    with once_read(database, "vendors", lambda: vendors.amend("acme", changed, None, ONE)):
        vendors.approve("acme", TWO)
    found = vendors.get("acme")
    assert (found.facts.base_url, found.state) == ("https://elsewhere.test/v1", State.DRAFT)


def test_two_that_narrow_do_not_loosen_each_other(database: Database, clock: MovableClock) -> None:
    policies = RoutingPolicies(database, clock, fence_tenant)
    policies.set(TENANT, RoutingPolicy(allow=("acme", "bravo")), ONE)
    with once_read(database, "routing_policy", lambda: policies.set(TENANT, RoutingPolicy(allow=("bravo",)), ONE)):
        policies.set(TENANT, RoutingPolicy(allow=("acme",)), ONE)
    standing = policies.standing(TENANT)
    assert (standing.policy.allow, standing.wished) == (("acme",), RoutingPolicy(allow=("bravo",)))


def test_the_first_policy_is_set_by_two_at_once(database: Database, clock: MovableClock) -> None:
    policies = RoutingPolicies(database, clock, fence_tenant)
    with database.write() as connection:
        fence_tenant(connection, TENANT)  # its row is there in every tenant that did anything
    with once_read(database, "routing_policy", lambda: policies.set(TENANT, RoutingPolicy(allow=("bravo",)), ONE)):
        policies.set(TENANT, RoutingPolicy(allow=("acme",)), ONE)
    standing = policies.standing(TENANT)
    assert (standing.policy.allow, standing.wished) == (("acme",), RoutingPolicy(allow=("bravo",)))


def test_a_wish_is_decided_once(database: Database, clock: MovableClock) -> None:
    policies = RoutingPolicies(database, clock, fence_tenant)
    policies.set(TENANT, RoutingPolicy(allow=("acme",)), ONE)
    policies.set(TENANT, RoutingPolicy(), ONE)
    narrower = RoutingPolicy(allow=("acme",), fallback=False)
    with once_read(database, "routing_policy", lambda: policies.set(TENANT, narrower, TWO)):
        policies.decide(TENANT, TWO, approved=True)
    assert policies.standing(TENANT).policy == narrower
