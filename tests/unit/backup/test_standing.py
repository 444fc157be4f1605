"""Settings that say what may leave: those of today, and where today is lost, nothing more than today's may leave."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, text

from backup_world import World, restore, started, world
from troth.identity.governing.store import break_glass
from troth.identity.users import NewUser
from troth.kernel.errors import TrothError
from troth.kernel.record import Entry, Outcome
from troth.kernel.scope import SYSTEM, within
from troth.redact.policy import vendor_policy
from troth.redact.tenant_policies import TenantPolicies
from troth.storage.database import Database
from troth.vault.fences import fence_tenant
from troth.wiring import Troth

_PIN = text("insert into tenant_departure values (:t, 'there', :key, 'usr_a', 1, 'usr_b', 2)")
_JOB = text(
    "insert into key_replacement (id, jurisdiction, tenant, subject, reason, state, actor, people, units, done, moved,"
    " asked_at) values ('krp_1', 'eu', :t, 'usr_x', 'exposed', 'waiting', 'usr_a', 2, 0, 0, 0, 1)"
)
_TAKEN_BACK = (
    text("delete from tenant_departure"),
    text("update key_replacement set state = 'called-off', subject = null, ended_at = 5"),
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home") as made:
        yield made


def _policies(troth: Troth) -> TenantPolicies:
    base = troth.system.base
    floor, place = vendor_policy(), (base.database, base.fields, base.outbox, base.clock)
    return TenantPolicies(*place, floor=floor, fence=fence_tenant)


def _words(version: int) -> str:
    shipped = resources.files("troth.redact").joinpath("policies/vendor.yaml").read_text()
    return shipped.replace("version: 2", f"version: {version}", 1)


def _lose(home: World) -> None:
    home.close()
    for path in home.settings.data.folder.glob("troth.db*"):
        path.unlink()


def _jobs(connection: Connection) -> list[object]:
    return list(connection.execute(text("select state, subject, ended_at from key_replacement")).all())


@pytest.mark.parametrize("lost", [False, True], ids=["living", "lost"])
def test_what_was_taken_back_is_not_agreed_and_does_not_wait(home: World, tmp_path: Path, *, lost: bool) -> None:
    tenant = home.tenant("One")
    home.someone(tenant)
    with home.base.database.write(SYSTEM) as connection:
        connection.execute(_PIN, {"t": tenant, "key": "ab" * 32})
        connection.execute(_JOB, {"t": tenant})
    home.backups.run()
    with home.base.database.write(SYSTEM) as connection:
        for one in _TAKEN_BACK:
            connection.execute(one)
    if lost:
        _lose(home)
    restore(home.settings, tmp_path / "restored")
    restored = Database(f"sqlite:///{tmp_path / 'restored' / 'troth.db'}")
    with restored.read(SYSTEM) as connection:
        agreed = connection.execute(text("select agreed_by, agreed_at from tenant_departure")).all()
        jobs = _jobs(connection)
    restored.close()
    assert agreed == ([(None, None)] if lost else [])
    assert [one[:2] for one in jobs] == [("called-off", None)]  # type: ignore[index]
    assert all(one[2] for one in jobs)  # type: ignore[index]


@pytest.mark.parametrize("lost", [False, True], ids=["living", "lost"])
def test_no_tenant_has_a_policy_that_was_replaced(home: World, tmp_path: Path, *, lost: bool) -> None:
    """When the database is lost, the log says whether the backup's policy is the one in force."""
    same, changed, cleared, late = (home.tenant(name) for name in ("Same", "Changed", "Cleared", "Late"))
    home.someone(same)
    policies = _policies(home.troth)
    for tenant in (same, changed, cleared):
        policies.set(tenant, _words(7), actor="usr_o", request="req_1")
    home.backups.run()
    policies.set(changed, _words(8), actor="usr_o", request="req_2")
    policies.clear(cleared, actor="usr_o", request="req_3")
    policies.set(late, _words(9), actor="usr_o", request="req_4")
    _lose(home) if lost else home.close()
    restore(home.settings, tmp_path / "restored")
    with started(home.settings, tmp_path / "restored") as troth, within(SYSTEM):
        policies = _policies(troth)
        assert policies.of(same).version == 7
        assert policies.of(cleared) == vendor_policy()
        if not lost:
            assert policies.of(changed).version == 8
        for tenant in (changed, late) if lost else ():
            with pytest.raises(TrothError):
                policies.of(tenant)  # so nothing is sent
        for tenant in (changed, late):
            assert policies.set(tenant, _words(10), actor="usr_o", request="req_5").in_force.version == 10


@pytest.mark.parametrize("lost", [False, True], ids=["living", "lost"])
def test_emergency_access_is_as_today_or_designated_anew(home: World, tmp_path: Path, *, lost: bool) -> None:
    """When the database is lost, the backup does not know who was taken off since."""
    tenant = home.tenant("One")
    with within(SYSTEM):
        new = NewUser(tenant, "ada@example.org", "Ada", frozenset({"member"}), "usr_g")
        user = home.troth.system.identity.users.create(new).id
    with home.base.database.write(SYSTEM) as connection:
        far = 4_000_000_000_000
        values = {"user": user, "tenant": tenant, "role": "owner", "designated_by": "usr_g", "designated_at": 1}
        connection.execute(insert(break_glass), values | {"expires_at": far})
    home.backups.run()
    if lost:
        _lose(home)
    restore(home.settings, tmp_path / "restored")
    restored = Database(f"sqlite:///{tmp_path / 'restored' / 'troth.db'}")
    with restored.read(SYSTEM) as connection:
        found = connection.execute(text("select user from break_glass")).scalars().all()
    restored.close()
    assert found == ([] if lost else [user])


def _named(home: World, operation: str, tenant: str, **facts: str) -> None:
    entry = Entry(
        log="operator", operation=operation, phase="closed", outcome=Outcome.DONE, request="req_1", actor="usr_a",
        tenant=None, time=1, facts={"tenant": tenant, **facts},
    )  # fmt: skip
    home.base.outbox.record(entry)


@pytest.mark.parametrize("lost", [False, True], ids=["living", "lost"])
def test_the_house_is_the_one_of_today(home: World, tmp_path: Path, *, lost: bool) -> None:
    """A second operator agreed to it, which a restore of the day before cannot undo; what waited, waits or is asked."""
    first, second = home.tenant("First"), home.tenant("Second")
    house = home.troth.system.governance.house
    house.name(first, "usr_a")
    _named(home, "house.name", first)
    home.backups.run()
    house.name(second, "usr_a")
    _named(home, "house.name", second, previous=first)
    house.approve(second, "usr_b")
    _named(home, "house.approve", second, previous=first)
    house.name(first, "usr_a")
    _named(home, "house.name", first, previous=second)
    now = house.named()
    assert now is not None
    assert now.since is not None
    _lose(home) if lost else home.close()
    restore(home.settings, tmp_path / "restored")
    with started(home.settings, tmp_path / "restored") as troth, within(SYSTEM):
        after, waits = troth.system.governance.house.named(), troth.system.governance.house.proposed()
    assert after is not None
    assert after.since is not None
    assert after.tenant == second
    assert after.since >= now.since if lost else after == now
    assert (waits.tenant if waits else None) == (None if lost else first)
