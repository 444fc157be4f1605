"""Custom roles: an owner makes them, they count at once, they stay in their tenant, and duties stay apart."""

from __future__ import annotations

import pytest

from troth.identity.governing.custom_roles import MOST
from troth.identity.keys import NewKey
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from unit.identity.governing.office import Office
from unit.identity.world import TLS

OWN = {"may:own-data", "may:own-rights", "may:own-erasure"}


def test_a_custom_role_counts_from_the_next_request_on(office: Office) -> None:
    owner, bob = office.as_(office.owner), office.world.person(office.tenant)
    made = office.custom.create(owner, "log-reader", ["audit"])
    office.world.roles.assign(owner, bob.id, made.id)
    assert office.roles(bob) == OWN | {"may:audit"}
    office.custom.change(owner, made.id, ["generate", "own-keys"])
    assert office.roles(bob) == OWN | {"may:generate", "may:own-keys"}
    assert [one.holders for one in office.custom.all_of(office.tenant)] == [1]
    assert office.custom.delete(owner, made.id) == 1
    assert office.roles(bob) == set()
    assert office.world.roles.of(bob.id) == []


def test_a_key_has_what_its_owner_has(office: Office) -> None:

    owner, bob = office.as_(office.owner), office.world.person(office.tenant)
    made = office.custom.create(owner, "maker", ["generate", "own-keys"])
    office.world.roles.assign(owner, bob.id, made.id)
    token = office.world.keys.create(NewKey(office.tenant, bob.id, "k", frozenset({"generate"}))).token
    assert "may:generate" in office.world.keys.authenticate(token, TLS).roles
    office.custom.change(owner, made.id, ["own-keys"])
    assert "may:generate" not in office.world.keys.authenticate(token, TLS).roles


@pytest.mark.parametrize("role", ["admin", "member", "security-analyst"])
def test_only_an_owner_makes_changes_and_gives_them(office: Office, role: str) -> None:
    made = office.custom.create(office.as_(office.owner), "log-reader", ["audit"])
    other = office.as_(office.world.person(office.tenant, role))
    for act in (
        lambda: office.custom.create(other, "mine", ["audit"]),
        lambda: office.custom.change(other, made.id, ["generate"]),
        lambda: office.custom.delete(other, made.id),
        lambda: office.world.roles.assign(other, office.ada.id, made.id),
    ):
        with pytest.raises(Denied) as refusal:
            act()
        assert refusal.value.code in ("owner-only", "role-not-yours")
    assert [one.groups for one in office.custom.all_of(office.tenant)] == [made.groups]


@pytest.mark.parametrize("groups", [[], ["operate"], ["sign-in"], ["provision"], ["audit", "root"]])
def test_groups_that_nobody_gives(office: Office, groups: list[str]) -> None:
    with pytest.raises(Invalid):
        office.custom.create(office.as_(office.owner), "too-much", groups)


def test_duties_stay_apart_within_a_role_and_within_a_person(office: Office) -> None:
    owner, roles = office.as_(office.owner), office.world.roles
    with pytest.raises(Conflict) as refusal:
        office.custom.create(owner, "all-of-it", ["administer", "review"])
    assert refusal.value.code == "duties-apart"
    reviewer = office.custom.create(owner, "reviewer", ["review"])
    admin = office.world.person(office.tenant, "admin")
    with pytest.raises(Conflict):
        roles.assign(owner, admin.id, reviewer.id)
    roles.assign(owner, office.ada.id, reviewer.id)
    with pytest.raises(Conflict):
        roles.assign(owner, office.ada.id, "admin")
    helper = office.custom.create(owner, "helper", ["audit"])
    roles.assign(owner, admin.id, helper.id)
    with pytest.raises(Conflict):
        office.custom.change(owner, helper.id, ["audit", "privacy"])
    assert office.roles(admin) == {"admin", "may:audit"} | OWN


def test_a_role_of_another_tenant_is_none_here(office: Office) -> None:
    stranger = office.world.person(office.world.tenant().id, "owner")
    theirs = office.custom.create(office.as_(stranger), "theirs", ["audit"])
    owner = office.as_(office.owner)
    for act in (
        lambda: office.world.roles.assign(owner, office.ada.id, theirs.id),
        lambda: office.custom.change(owner, theirs.id, ["generate"]),
        lambda: office.custom.delete(owner, theirs.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert office.custom.all_of(office.tenant) == []
    with office.world.database.write() as connection:  # even where a grant names it
        office.world.roles.grant(connection, office.ada.id, theirs.id, "usr_x")
    assert office.roles(office.ada) == {"member"}


def test_a_name_is_taken_once_and_there_is_an_end(office: Office) -> None:
    owner = office.as_(office.owner)
    office.custom.create(owner, "reader", ["audit"])
    with pytest.raises(Conflict) as refusal:
        office.custom.create(owner, "reader", ["generate"])
    assert refusal.value.code == "role-name-taken"
    for number in range(MOST - 1):
        office.custom.create(owner, f"role-{number}", ["audit"])
    with pytest.raises(Conflict) as refusal:
        office.custom.create(owner, "one-too-many", ["audit"])
    assert refusal.value.code == "too-many-roles"
