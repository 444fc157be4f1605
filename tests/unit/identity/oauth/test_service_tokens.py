"""Tokens of services: a quarter of an hour, for one key, while service, owner and end of the account hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import Devices, Scheme, Shown
from troth.identity.devices.spent import SpentProofs
from troth.identity.oauth.service_accounts import OVERLAP_MS, NewServiceAccount, ServiceAccount, ServiceAccounts
from troth.identity.oauth.service_tokens import LIFE_MS, Sender, ServiceTokens
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from unit.identity.world import TLS, Person, World

ORIGIN = "https://troth.example.org"


@dataclass
class Stand:
    world: World
    accounts: ServiceAccounts
    tokens: ServiceTokens
    owner: Person
    key: DeviceKey

    def account(self, **changes: Any) -> ServiceAccount:
        wish = {"tenant": self.owner.tenant, "owner": self.owner.id, "name": "nightly", "days": 30, "jwk": self.key.jwk}
        return self.accounts.create(NewServiceAccount(**{**wish, "scopes": frozenset({"generate"}), **changes}))

    def token(self, service: ServiceAccount) -> str:
        return self.tokens.issue(service, Sender("dpop", self.key.thumbprint), service.scopes).token

    def shown(self, token: str, key: DeviceKey | None = None) -> Shown:
        now = epoch_ms(self.world.clock.now())
        proof = (key or self.key).proof("GET", ORIGIN + "/v1/objects", now=now, token=token)
        return Shown(Scheme.DPOP, proof, "GET", "/v1/objects")

    def code(self, token: str, shown: Shown | None = None) -> str:
        with pytest.raises(Unauthenticated) as caught:
            self.tokens.authenticate(token, TLS, shown or self.shown(token))
        return caught.value.code


@pytest.fixture
def stand(world: World) -> Stand:
    devices = Devices(SpentProofs(world.database, world.clock), world.clock, (ORIGIN,))
    owner = world.person(world.tenant().id, "owner")
    accounts = ServiceAccounts(world.database, world.clock)
    return Stand(world, accounts, ServiceTokens(world.database, devices, world.clock), owner, DeviceKey())


def test_a_token_stands_for_its_service_alone(stand: Stand) -> None:
    service = stand.account()
    token = stand.token(service)
    caller = stand.tokens.authenticate(token, TLS, stand.shown(token))
    assert (caller.kind, caller.actor, caller.subject, caller.tenant) == (
        "service",
        service.id,
        service.id,
        stand.owner.tenant,
    )
    assert (caller.scopes, caller.roles) == (frozenset({"generate"}), frozenset())
    assert (caller.device.bound, caller.device.thumbprint) == ("dpop", stand.key.thumbprint)
    assert stand.code(token, Shown(Scheme.BEARER)) == "token-not-yours"
    assert stand.code(token, stand.shown(token, DeviceKey())) == "proof-invalid"
    assert stand.code("troth_at_" + "a" * 52) == "token-unknown"


def test_it_ends_after_a_quarter_of_an_hour_or_with_the_account(stand: Stand) -> None:
    service = stand.account(days=1)
    token = stand.token(service)
    stand.world.clock.forward(seconds=LIFE_MS / 1000)
    assert stand.code(token) == "token-unknown"
    assert stand.tokens.sweep() == 1
    stand.world.clock.forward(hours=23, minutes=40)
    late = stand.tokens.issue(service, Sender("dpop", stand.key.thumbprint), service.scopes)
    assert late.seconds == 5 * 60
    stand.world.clock.forward(minutes=5)
    assert stand.code(late.token) == "token-unknown"
    assert not stand.accounts.get(service.tenant, service.id).in_force(epoch_ms(stand.world.clock.now()))


def test_switching_off_and_shutting_out_hold_at_once(stand: Stand) -> None:
    boss = stand.world.caller(stand.world.settled(stand.owner.tenant, "owner"))
    service, other = stand.account(), stand.account()
    token, second = stand.token(service), stand.token(other)
    assert stand.accounts.disable(service.tenant, service.id) == 1
    assert stand.code(token) == "token-unknown"
    assert stand.code(stand.token(service)) == "token-unknown"  # one that was on its way
    stand.world.users.disable(boss, stand.owner.id)
    assert stand.code(second) == "token-unknown"


def test_the_former_key_signs_for_a_day_more(stand: Stand) -> None:
    service, fresh = stand.account(), DeviceKey()
    assert stand.accounts.rotate(service.tenant, service.id, fresh.jwk, exposed=False) == 0
    assert [one["x"] for one in stand.accounts.get(service.tenant, service.id).keys] == [
        fresh.jwk["x"],
        stand.key.jwk["x"],
    ]
    stand.world.clock.forward(seconds=OVERLAP_MS / 1000)
    assert [one["x"] for one in stand.accounts.get(service.tenant, service.id).keys] == [fresh.jwk["x"]]


def test_another_tenant_finds_nothing(stand: Stand) -> None:
    service, elsewhere = stand.account(), stand.world.tenant("Other").id
    acts = (
        lambda: stand.accounts.get(elsewhere, service.id),
        lambda: stand.accounts.disable(elsewhere, service.id),
        lambda: stand.accounts.rotate(elsewhere, service.id, DeviceKey().jwk, exposed=True),
        lambda: stand.accounts.assign(elsewhere, service.id, stand.owner.id),
        lambda: stand.account(tenant=elsewhere),
    )
    for act in acts:
        with pytest.raises(NotFound):
            act()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scopes": frozenset[str]()}, "unknown-scope"),
        ({"scopes": frozenset({"administer"})}, "unknown-scope"),
        ({"days": 0}, "bad-lifetime"),
        ({"days": 366}, "bad-lifetime"),
        ({"jwk": {"kty": "oct", "k": "AA"}}, "bad-jwk"),
    ],
)
def test_a_wish_that_goes_too_far_is_refused(stand: Stand, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        stand.account(**changes)
    assert caught.value.code == code


def test_a_service_that_comes_with_a_certificate_has_no_key_to_replace(stand: Stand) -> None:
    service = stand.account(jwk=None)
    assert (service.method, service.keys) == ("tls_client_auth", ())
    with pytest.raises(Conflict):
        stand.accounts.rotate(service.tenant, service.id, DeviceKey().jwk, exposed=False)


def test_erasing_who_answers_for_it_stops_it_and_takes_what_is_off(stand: Stand) -> None:
    on, off = stand.account(), stand.account()
    token = stand.token(on)
    stand.accounts.disable(off.tenant, off.id)
    stand.world.holder.forget(stand.owner.tenant, stand.owner.id)
    assert stand.code(token) == "token-unknown"
    (left,) = stand.accounts.of_tenant(on.tenant)
    assert (left.id, left.owner, left.owner_active) == (on.id, None, False)
