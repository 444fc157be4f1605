"""Devices as rows: whose they are, who sees them, who answers for them, and that a revocation is final."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from troth.identity.certificates.devices import MANAGED_MS, MOST_DEVICES, Enrolment, forget
from troth.identity.certificates.store import device_sessions, devices
from troth.identity.governing.leaving import ENDS
from troth.kernel.errors import TrothError
from unit.identity.certificates.fleet import Fleet
from unit.identity.passkey_world import refused
from unit.identity.world import TLS, Person


def _add(fleet: Fleet, person: Person, key: bytes = b"k" * 32, name: str = "laptop") -> str:
    return fleet.devices.add(Enrolment(person.tenant, person.id, name, key))


def test_a_device_is_listed_to_its_person_and_its_tenant(fleet: Fleet) -> None:
    ada, bob = fleet.person(), fleet.person()
    device = _add(fleet, ada, name="Ada's laptop")
    (mine,) = fleet.devices.of_person(ada.tenant, ada.id)
    assert (mine.id, mine.name, mine.posture, mine.user) == (device, "Ada's laptop", "unknown", ada.id)
    assert fleet.devices.of_person(bob.tenant, bob.id) == []
    assert [one.id for one in fleet.devices.of_tenant(ada.tenant)] == [device]
    assert fleet.devices.of_tenant(fleet.world.tenant("Other").id) == []


def test_the_name_is_sealed_and_gone_with_its_person(fleet: Fleet) -> None:
    ada = fleet.person()
    _add(fleet, ada, name="Ada's laptop")
    with fleet.world.database.read() as sql:
        assert b"Ada" not in sql.execute(select(devices.c.name)).scalar_one()
    fleet.world.fields.destroy(ada.tenant, ada.id)
    assert [one.name for one in fleet.devices.of_tenant(ada.tenant)] == [""]


def test_a_key_is_enrolled_once_also_after_its_revocation(fleet: Fleet) -> None:
    ada = fleet.person()
    device = _add(fleet, ada)
    refused("device-known", lambda: _add(fleet, fleet.person()))
    fleet.devices.revoke(ada.tenant, device)
    refused("device-known", lambda: _add(fleet, ada))


def test_one_person_has_so_many_devices_and_revoked_ones_do_not_count(fleet: Fleet) -> None:
    ada = fleet.person()
    made = [_add(fleet, ada, bytes([number]) * 32) for number in range(MOST_DEVICES)]
    refused("too-many-devices", lambda: _add(fleet, ada, b"x" * 32))
    fleet.devices.revoke(ada.tenant, made[0])
    assert _add(fleet, ada, b"x" * 32)


def test_an_administrator_answers_for_others_devices_for_half_a_year(fleet: Fleet) -> None:
    ada, admin = fleet.person(), fleet.person("admin")
    device = _add(fleet, ada)
    assert not fleet.devices.standing(device).managed
    assert fleet.devices.confirm(ada.tenant, admin.id, device) == ada.id
    assert fleet.devices.standing(device).managed
    assert [one.posture for one in fleet.devices.of_tenant(ada.tenant)] == ["managed"]
    fleet.world.clock.forward(milliseconds=MANAGED_MS)
    assert not fleet.devices.standing(device).managed


def test_nobody_answers_for_their_own(fleet: Fleet) -> None:
    admin = fleet.person("admin")
    device = _add(fleet, admin)
    refused("own-device", lambda: fleet.devices.confirm(admin.tenant, admin.id, device))
    assert not fleet.devices.standing(device).managed


def test_another_tenant_and_another_person_reach_nothing(fleet: Fleet) -> None:
    ada, bob = fleet.person(), fleet.person()
    device, elsewhere = _add(fleet, ada), fleet.world.tenant("Other").id
    refused("device-not-found", lambda: fleet.devices.confirm(elsewhere, bob.id, device))
    refused("device-not-found", lambda: fleet.devices.revoke(elsewhere, device))
    refused("device-not-found", lambda: fleet.devices.revoke(ada.tenant, device, user=bob.id))
    assert fleet.devices.standing(device).user == ada.id


def test_a_revocation_ends_the_sessions_of_that_device_alone(fleet: Fleet) -> None:
    ada = fleet.person()
    lost, kept = fleet.enrolled(ada), fleet.enrolled(ada)
    there, here = fleet.token(ada), fleet.token(ada)
    fleet.caller(there, lost.certificate)
    fleet.caller(here, kept.certificate)
    owner, ended = fleet.devices.revoke(ada.tenant, lost.holder, user=ada.id)
    assert (owner, ended) == (ada.id, 1)
    refused("session-unknown", lambda: fleet.world.sessions.authenticate(there, TLS))
    assert fleet.caller(here, kept.certificate).subject == ada.id
    refused("device-not-found", lambda: fleet.devices.revoke(ada.tenant, lost.holder))
    assert [one.revoked_at is None for one in fleet.devices.of_person(ada.tenant, ada.id)].count(False) == 1


def test_a_device_stands_no_more_when_it_or_its_person_is_out(fleet: Fleet) -> None:
    ada, bob = fleet.person(), fleet.person()
    admin = fleet.world.caller(fleet.person("admin"))
    hers, his = _add(fleet, ada), _add(fleet, bob, b"b" * 32)
    fleet.devices.revoke(ada.tenant, hers)
    refused("device-revoked", lambda: fleet.devices.standing(hers))
    fleet.world.users.disable(admin, bob.id)
    refused("device-revoked", lambda: fleet.devices.standing(his))
    refused("device-unknown", lambda: fleet.devices.standing("dev_" + "a" * 26))
    with pytest.raises(TrothError), fleet.world.database.write() as sql:
        fleet.devices.renewed(sql, hers)


def test_the_devices_of_a_leaver_are_out_for_good(fleet: Fleet) -> None:
    ada, bob = fleet.person(), fleet.person()
    hers, his = _add(fleet, ada), _add(fleet, bob, b"b" * 32)
    with fleet.world.database.write() as sql:
        assert ENDS["certified-devices"](sql, ada.id) == 1
        assert ENDS["certified-devices"](sql, ada.id) == 0
    refused("device-revoked", lambda: fleet.devices.standing(hers))
    refused("device-known", lambda: _add(fleet, ada))
    assert fleet.devices.standing(his).user == bob.id


def test_bindings_of_sessions_that_are_over_are_swept(fleet: Fleet) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    for _ in range(2):
        caller = fleet.caller(fleet.token(ada), held.certificate)
    fleet.world.sessions.revoke_others(ada.id, caller.authentication.credential)
    assert fleet.devices.sweep() == 1
    assert fleet.devices.sweep() == 0


def test_a_person_is_forgotten_with_everything(fleet: Fleet) -> None:
    ada, bob = fleet.person(), fleet.person()
    hers, his = fleet.enrolled(ada), fleet.enrolled(bob)
    fleet.caller(fleet.token(ada), hers.certificate)
    with fleet.world.database.write() as sql:
        assert forget(sql, ada.id) == [hers.holder]
        assert forget(sql, ada.id) == []
        assert sql.execute(select(devices.c.id)).scalars().all() == [his.holder]
        assert sql.execute(select(device_sessions)).first() is None
