"""People: found by address in any spelling, one account per address, passwords changed, shut out with everything."""

from __future__ import annotations

import pytest

from troth.identity.keys import NewKey
from troth.identity.store import users
from troth.identity.users import NewUser
from troth.kernel.errors import Conflict, Denied, Gone, Invalid, NotFound, Unauthenticated
from unit.identity.world import World


def test_a_person_is_shown_as_made(world: World) -> None:
    tenant = world.tenant().id
    ada = world.person(tenant, "member", email="Ada@Example.ORG")
    shown = world.users.get(ada.id)
    assert (shown.email, shown.display_name, shown.active) == ("ada@example.org", "Ada Lovelace", True)
    assert world.users.list(tenant) == [shown]
    assert [grant.role for grant in world.roles.of(ada.id)] == ["member"]


def test_without_roles_a_person_has_none(world: World) -> None:
    assert world.roles.of(world.person(world.tenant().id).id) == []


@pytest.mark.parametrize("spelling", ["ada@example.org", " ADA@example.org ", "\uff41da@example.org"])
def test_one_address_is_one_account_in_every_spelling_and_tenant(world: World, spelling: str) -> None:
    ada = world.person(world.tenant().id, email="ada@example.org")
    with pytest.raises(Conflict) as refusal:
        world.person(world.tenant().id, email=spelling)
    assert refusal.value.code == "email-taken"
    account = world.users.account(world.users.email_index("ada@example.org"))
    assert account is not None
    assert account.id == ada.id


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@example.org", "a b@example.org", "ada@example.org\n<x>", "a@@b"]
)
def test_what_is_no_address_is_refused(world: World, email: str) -> None:
    with pytest.raises(Invalid):
        world.users.create(NewUser(world.tenant().id, email, "Ada", frozenset(), "usr_x"))


def test_a_race_for_one_address_has_one_winner(world: World) -> None:
    tenant = world.tenant().id
    known = world.users.account
    world.users.account = lambda index: None  # type: ignore[method-assign]  # both looked before either wrote
    world.person(tenant, email="ada@example.org")
    with pytest.raises(Conflict):
        world.person(tenant, email="ada@example.org")
    world.users.account = known  # type: ignore[method-assign]
    assert len(world.users.list(tenant)) == 1


def test_a_founding_that_fails_leaves_no_tenant(world: World) -> None:
    world.person(world.tenant().id, email="ada@example.org")
    founding = world.tenants.fresh("New", "us")
    new = NewUser(founding.id, "ada@example.org", "Ada", frozenset({"owner"}), "usr_x")
    world.users.account = lambda index: None  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.users.create(new, founding=founding)
    with pytest.raises(NotFound):
        world.tenants.get(founding.id)


def test_nobody_is_not_found(world: World) -> None:
    with pytest.raises(NotFound):
        world.users.get("usr_none")


def test_a_password_is_changed_by_who_knows_it(world: World) -> None:
    ada = world.settled(world.tenant("Harbour Works").id, email="lovelace@example.org")
    with pytest.raises(Unauthenticated):
        world.users.change_password(ada.id, "not the password", "a fine new passphrase")
    world.users.change_password(ada.id, ada.password, "a fine new passphrase")
    with pytest.raises(Unauthenticated):
        world.sign_in(ada)
    assert world.sign_in(ada, password="a fine new passphrase").proof.assurance == 2


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("short", "password-too-short"),
        ("qwerty123456", "password-blocked"),
        ("Lovelace-26", "password-context"),
        ("harbour.works.1", "password-context"),
        ("troth-troth-1", "password-context"),
    ],
)
def test_weak_new_passwords_are_refused_and_nothing_changes(world: World, new: str, code: str) -> None:
    ada = world.settled(world.tenant("Harbour Works").id, email="lovelace@example.org")
    with pytest.raises(Invalid) as refusal:
        world.users.change_password(ada.id, ada.password, new)
    assert refusal.value.code == code
    world.sign_in(ada)


def test_the_present_password_is_no_new_one(world: World) -> None:
    ada = world.settled(world.tenant().id)
    with pytest.raises(Invalid) as refusal:
        world.users.change_password(ada.id, ada.password, ada.password)
    assert refusal.value.code == "password-unchanged"


def test_an_issued_password_lapses_after_a_week(world: World) -> None:
    ada = world.person(world.tenant().id, "member")
    world.clock.forward(days=6, hours=23)
    world.sign_in(ada)
    world.clock.forward(hours=1)
    with pytest.raises(Unauthenticated):
        world.sign_in(ada)


def test_disabling_ends_sessions_and_keys_and_can_be_said_twice(world: World) -> None:
    tenant = world.tenant().id
    owner, ada = world.caller(world.settled(tenant, "owner")), world.settled(tenant, "member")
    world.sign_in(ada)
    world.keys.create(NewKey(tenant, ada.id, "n", frozenset({"generate"})))
    world.users.disable(owner, ada.id)
    world.users.disable(owner, ada.id)
    assert world.sessions.list(ada.id) == []
    assert world.keys.list(tenant, ada.id) == []
    assert world.users.get(ada.id).active is False


def test_who_may_disable_whom(world: World) -> None:
    tenant = world.tenant().id
    owner, admin = world.settled(tenant, "owner"), world.settled(tenant, "admin")
    foreign = world.settled(world.tenant().id, "owner")
    with pytest.raises(Denied):
        world.users.disable(world.caller(admin), owner.id)
    with pytest.raises(Denied):
        world.users.disable(world.caller(owner), owner.id)
    with pytest.raises(NotFound):
        world.users.disable(world.caller(owner), foreign.id)
    assert world.users.get(foreign.id).active
    world.clock.forward(minutes=2)
    world.users.disable(world.caller(owner), admin.id)
    assert not world.users.get(admin.id).active


def test_the_last_owner_cannot_be_disabled(world: World) -> None:
    tenant = world.tenant().id
    one, two = world.settled(tenant, "owner"), world.settled(tenant, "owner")
    first, second = world.caller(one), world.caller(two)
    world.users.disable(first, two.id)
    with pytest.raises(Conflict) as refusal:
        world.users.disable(second, one.id)  # a session that was judged before the other change
    assert refusal.value.code == "last-owner"


def test_an_erased_person_does_not_open(world: World) -> None:
    ada = world.person(world.tenant().id)
    world.fields.destroy(ada.tenant, ada.id)
    with pytest.raises(Gone):
        world.users.get(ada.id)


def test_the_password_hash_stands_nowhere_in_clear(world: World) -> None:
    ada = world.settled(world.tenant().id)
    phc = world.users.password(world.users.account(world.users.email_index(ada.email)))
    assert phc is not None
    assert phc.startswith("$argon2id$")
    with world.database.read() as connection:
        rows = connection.execute(users.select()).all()
    assert not [value for row in rows for value in row if b"argon2" in (value if isinstance(value, bytes) else b"")]


def test_an_old_row_of_an_erased_person_signs_nobody_in(world: World) -> None:
    """A restored row: the hash in it opens no more, and a stranger cannot tell."""
    ada = world.settled(world.tenant().id)
    world.fields.destroy(ada.tenant, ada.id)
    account = world.users.account(world.users.email_index(ada.email))
    assert account is not None
    assert world.users.password(account) is None
    with pytest.raises(Unauthenticated) as refusal:
        world.sign_in(ada)
    assert refusal.value.code == "sign-in-failed"


def test_nobody_costs_an_opening_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    real = world.fields.open
    monkeypatch.setattr(world.fields, "open", lambda *asked: opened.append(asked[2]) or real(*asked))
    assert [world.users.password(None) for _ in range(2)] == [None, None]
    assert opened == ["password"] * 2
