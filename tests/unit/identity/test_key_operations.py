"""The operations on API keys: from the door's request to the answer and the facts of the record."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from troth.identity.api_keys import messages as k
from troth.identity.key_operations import ApiKeyOperations
from troth.identity.messages import Nothing
from troth.kernel.operation import Call, Group, declarations
from troth.kernel.record import checked_facts
from unit.identity.world import TLS, Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.settled(world.tenant().id, "member")


@pytest.fixture
def operations(world: World) -> ApiKeyOperations:
    return ApiKeyOperations(world.keys)


def call(world: World, person: Person) -> Call:
    return Call(world.caller(person), "req_1", world.clock.now())


def test_the_operations_and_their_groups() -> None:
    assert {one.name: one.group for _, one in declarations(ApiKeyOperations)} == {
        "key.create": Group.OWN_KEYS,
        "key.rotate": Group.OWN_KEYS,
        "key.list": Group.OWN_KEYS,
        "key.revoke": Group.OWN_KEYS,
    }


def test_keys_are_made_listed_and_revoked(world: World, operations: ApiKeyOperations, ada: Person) -> None:
    running = call(world, ada)
    made = operations.create_key(running, k.KeyCreate(name="laptop", scopes=frozenset({"generate", "own-data"})))
    none = {"networks": 0, "models": 0}
    assert checked_facts(running.facts) == {"key": made.id, "expires": made.expires_at, "kinds": none}
    assert world.keys.authenticate(made.token, TLS).scopes == {"generate", "own-data"}
    listed = operations.list_keys(running, Nothing()).keys
    assert [(one.id, one.name, one.scopes) for one in listed] == [(made.id, "laptop", ("generate", "own-data"))]
    assert (listed[0].networks, listed[0].models) == (None, None)
    operations.revoke_key(running, k.KeyRevoke(key_id=made.id))
    assert operations.list_keys(running, Nothing()).keys == ()


def test_limits_are_kept_and_no_record_names_them(world: World, operations: ApiKeyOperations, ada: Person) -> None:
    running = call(world, ada)
    limits = {"networks": ("203.0.113.0/24", "10.0.0.1"), "models": frozenset({"troth-studio"})}
    wish = k.KeyCreate(name="n", scopes=frozenset({"generate"}), **limits)  # type: ignore[arg-type]
    operations.create_key(running, wish)
    assert running.facts["kinds"] == {"networks": 2, "models": 1}
    (shown,) = operations.list_keys(running, Nothing()).keys
    assert (shown.networks, shown.models) == (("10.0.0.1/32", "203.0.113.0/24"), ("troth-studio",))


def test_a_replacement_is_shown_once_and_recorded(world: World, operations: ApiKeyOperations, ada: Person) -> None:
    running = call(world, ada)
    old = operations.create_key(running, k.KeyCreate(name="n", scopes=frozenset({"generate"})))
    running = call(world, ada)
    made = operations.rotate_key(running, k.KeyRotate(key_id=old.id, overlap_hours=2))
    facts = {"key": old.id, "replacement": made.id, "until": made.replaced_until, "expires": made.expires_at}
    assert checked_facts(running.facts) == facts
    assert (made.replaced, made.token != old.token) == (old.id, True)


@pytest.mark.parametrize(
    "change",
    [
        {"networks": ()},
        {"models": ()},
        {"models": ("two words",)},
        {"models": tuple(f"m{n}" for n in range(21))},
        {"networks": tuple(f"10.0.{n}.0/24" for n in range(17))},
        {"days": 0},
        {"days": 366},
        {"scopes": ()},
        {"scopes": ("administer",)},
    ],
)
def test_wishes_that_are_refused(change: dict[str, object]) -> None:
    good = {"name": "n", "scopes": ("generate",)}
    k.KeyCreate.model_validate(good)
    with pytest.raises(ValidationError):
        k.KeyCreate.model_validate({**good, **change})


@pytest.mark.parametrize("hours", [-1, 25])
def test_the_overlap_is_at_most_a_day(hours: int) -> None:
    with pytest.raises(ValidationError):
        k.KeyRotate(key_id="key_a", overlap_hours=hours)
