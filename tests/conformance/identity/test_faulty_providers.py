"""A provider that lies in one way at a time: every lie is refused, and the honest provider lets people in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from conformance.identity.faults import FAULTS, HONEST, LOGOUT_FAULTS, claim, elliptic, later, part
from conformance.identity.faulty_provider import Provider, running
from sso_world import ASKING, SsoWorld, sso_world
from troth.identity.sign_in import SignedIn
from troth.identity.sso.admission import STALE_MS
from troth.identity.sso.connections import SsoConnection, Wish
from troth.identity.sso.discovery import KEPT_MS
from troth.identity.sso.oidc import Response
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid, Malformed, TrothError, Unauthenticated, VendorFailed
from troth.kernel.scope import SYSTEM, within
from unit.identity.world import TLS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SsoWorld]:
    with sso_world(tmp_path_factory.mktemp("faulty"), seconds=1.0) as made:
        yield made


@pytest.fixture(scope="module")
def running_provider(home: SsoWorld) -> Iterator[Provider]:
    with running(Provider(lambda: epoch_ms(home.world.clock.now()) // 1000)) as provider:
        yield provider


@pytest.fixture(scope="module")
def connection(home: SsoWorld, running_provider: Provider) -> SsoConnection:
    return home.connect(home.world.tenant().id, running_provider.issuer)


@pytest.fixture
def provider(home: SsoWorld, running_provider: Provider, connection: SsoConnection) -> Provider:
    """Honest, and nothing of it remembered."""
    running_provider.reset()
    home.directory.forget(connection.id)
    home.world.recorder.entries.clear()
    return running_provider


def test_there_are_enough_faults() -> None:
    assert len(FAULTS) >= 33


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused(home: SsoWorld, provider: Provider, connection: SsoConnection, fault: str) -> None:
    before = _sessions(home)
    FAULTS[fault](provider.lies, provider)
    with pytest.raises((Unauthenticated, VendorFailed)) as refusal:
        home.sign_in(connection.id, provider)
    assert refusal.value.code.startswith("sso-")
    assert _sessions(home) == before


def _sessions(home: SsoWorld) -> int:
    return sum(1 for one in home.world.recorder.entries if one.operation == "session.opened")


@pytest.mark.parametrize("shape", HONEST)
def test_an_honest_provider_lets_people_in(
    home: SsoWorld, provider: Provider, connection: SsoConnection, shape: str
) -> None:
    HONEST[shape](provider.lies, provider)
    done = home.sign_in(connection.id, provider)
    assert done.tenant == connection.tenant
    assert done.proof.method == "sso"
    assert provider.seen[-1]["code_challenge_method"] == "S256"
    assert {"nonce", "state", "code_challenge"} <= provider.seen[-1].keys()
    assert ("/push" in provider.asked) == (shape == "pushed requests")


BENT: dict[str, Callable[[dict[str, Any]], None]] = {
    "another browser": lambda back: back.update(browser="somebody-else"),
    "no cookie": lambda back: back.update(browser=None),
    "forged state": lambda back: back.update(state="A" * 43),
    "another connection": lambda back: back.update(connection="sso_other"),
}


@pytest.mark.parametrize("bend", BENT)
def test_an_answer_that_this_browser_did_not_ask_for_is_refused(
    home: SsoWorld, provider: Provider, connection: SsoConnection, bend: str
) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        home.sign_in(connection.id, provider, BENT[bend])
    assert refusal.value.code in ("sso-state", "sso-issuer")
    assert "/token" not in provider.asked


def test_an_answer_comes_once(home: SsoWorld, provider: Provider, connection: SsoConnection) -> None:
    kept: dict[str, Any] = {}
    home.sign_in(connection.id, provider, kept.update)
    with pytest.raises(Unauthenticated, match="not begun in this browser"):
        asyncio.run(home.party.finish(Response(**kept), ASKING))


def test_an_attempt_ends_after_ten_minutes(home: SsoWorld, provider: Provider, connection: SsoConnection) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        home.sign_in(connection.id, provider, lambda _: home.world.clock.forward(minutes=10))
    assert refusal.value.code == "sso-state"


def test_a_code_without_the_verifier_buys_nothing(
    home: SsoWorld, provider: Provider, connection: SsoConnection
) -> None:
    """The code of one attempt, stolen into another one: its verifier is another."""
    started = asyncio.run(home.party.begin(connection.id))
    stolen = provider.authorize(started.location)["code"]
    with pytest.raises(VendorFailed) as refusal:
        home.sign_in(connection.id, provider, lambda back: back.update(code=stolen))
    assert refusal.value.code == "sso-provider-refused"


def test_keys_that_turned_are_read_again_but_not_at_will(
    home: SsoWorld, provider: Provider, connection: SsoConnection
) -> None:
    home.sign_in(connection.id, provider)
    elliptic(provider.lies, provider)
    provider.lies.header = lambda header: header.update(alg="ES256", kid="ec-2")
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            home.sign_in(connection.id, provider)
    assert provider.asked.count("/keys") == 1
    home.world.clock.forward(seconds=31)
    provider.lies.keys = lambda said: said["keys"][1].update(kid="ec-2")
    home.sign_in(connection.id, provider)
    assert provider.asked.count("/keys") == 2
    home.world.clock.forward(seconds=KEPT_MS / 1000)


def test_who_comes_while_keys_are_read_waits_for_them(
    home: SsoWorld, provider: Provider, connection: SsoConnection
) -> None:
    provider.lies.slow["/keys"] = 0.2

    async def together() -> list[SignedIn]:
        return await asyncio.gather(*(home.flow(connection.id, provider, lambda _: None) for _ in range(3)))

    assert len(asyncio.run(together())) == 3
    assert provider.asked.count("/keys") == 1


def test_max_age_and_acr_are_held_where_they_were_asked_for(
    home: SsoWorld, provider: Provider, connection: SsoConnection
) -> None:
    settings = {**connection.settings, "max_age": 60, "acr_values": ["strong"]}
    strict = home.connect(connection.tenant, provider.issuer, settings=settings)
    part("userinfo", email="strict@acme.example.org")(provider.lies, provider)
    claim(acr="strong")(provider.lies, provider)
    home.sign_in(strict.id, provider)
    assert (provider.seen[-1]["max_age"], provider.seen[-1]["acr_values"]) == ("60", "strong")
    for fault in (claim(auth_time=later(-120), acr="strong"), claim(auth_time=None, acr="strong"), claim()):
        fault(provider.lies, provider)
        with pytest.raises(Unauthenticated):
            home.sign_in(strict.id, provider)
    home.connections.delete(connection.tenant, strict.id)


@pytest.mark.parametrize("fault", LOGOUT_FAULTS)
def test_a_faulty_logout_ends_nothing(
    home: SsoWorld, provider: Provider, connection: SsoConnection, fault: str
) -> None:
    person = home.sign_in(connection.id, provider)
    LOGOUT_FAULTS[fault](provider.lies, provider)
    with pytest.raises((Malformed, TrothError)) as refusal:
        asyncio.run(home.party.log_out(connection.id, provider.logout_token("troth")))
    assert refusal.value.code == "sso-logout"
    assert person.session.id in {one.id for one in home.world.sessions.list(person.user)}


@pytest.mark.parametrize("by", ["sub", "sid", "both"])
def test_a_logout_ends_the_sessions_that_the_provider_opened(
    home: SsoWorld, provider: Provider, connection: SsoConnection, by: str
) -> None:
    first = home.sign_in(connection.id, provider)
    claim(sid="provider-session-2")(provider.lies, provider)
    second = home.sign_in(connection.id, provider)
    gone = {"sub": ("sid",), "sid": ("sub",), "both": ()}[by]
    part("logout", **dict.fromkeys(gone))(provider.lies, provider)
    token = provider.logout_token("troth")
    ended = asyncio.run(home.party.log_out(connection.id, token))
    left = {one.id for one in home.world.sessions.list(first.user)}
    assert first.session.id not in left
    assert (second.session.id in left) == (by != "sub")
    assert ended >= 1
    with pytest.raises(Malformed):  # the same token again
        asyncio.run(home.party.log_out(connection.id, token))


def test_a_connection_that_is_off_lets_nobody_in(home: SsoWorld, provider: Provider, connection: SsoConnection) -> None:
    other = home.connect(connection.tenant, provider.issuer)
    part("userinfo", email="off@acme.example.org")(provider.lies, provider)
    home.sign_in(other.id, provider)
    wish = {name: getattr(other, name) for name in Wish.__dataclass_fields__ if hasattr(other, name)}
    domains = tuple(one.name for one in other.domains)
    person = home.sign_in(other.id, provider)
    home.connections.change(other.tenant, other.id, "oidc", replace(Wish(**wish), domains=domains, enabled=False))
    assert person.session.id not in {one.id for one in home.world.sessions.list(person.user)}
    with pytest.raises(TrothError) as refusal:
        home.sign_in(other.id, provider)
    assert refusal.value.code == "sso-not-found"
    home.connections.delete(other.tenant, other.id)


def test_a_fresh_look_is_asked_for_and_held(home: SsoWorld, provider: Provider, connection: SsoConnection) -> None:
    """For a step-up: a provider that saw the person before, or does not say when, proves nothing new."""
    home.sign_in(connection.id, provider, fresh=True)
    assert (provider.seen[-1]["max_age"], provider.seen[-1]["prompt"]) == ("0", "login")
    for fault in (claim(auth_time=later(-120)), claim(auth_time=None), claim(auth_time=later(120))):
        fault(provider.lies, provider)
        with pytest.raises(Unauthenticated) as refusal:
            home.sign_in(connection.id, provider, fresh=True)
        assert refusal.value.code in ("sso-stale", "sso-token")
    claim(auth_time=later(120))(provider.lies, provider)
    with pytest.raises(Unauthenticated):  # a time to come is no time, also where none was asked for
        home.sign_in(connection.id, provider)
    claim(auth_time=later(-120))(provider.lies, provider)
    session = home.sign_in(connection.id, provider).session
    assert home.world.sessions.authenticate(session.token, TLS).authentication.age_seconds == 120
    claim(auth_time=None)(provider.lies, provider)
    session = home.sign_in(connection.id, provider).session
    assert home.world.sessions.authenticate(session.token, TLS).authentication.age_seconds == STALE_MS // 1000


def test_a_client_that_shows_its_key_shows_no_secret(
    home: SsoWorld, provider: Provider, connection: SsoConnection
) -> None:
    """RFC 7523: a word for this issuer alone, signed by the key that we publish, once."""
    wish = Wish(
        name="By key",
        issuer=provider.issuer,
        client_id="troth",
        settings={**connection.settings, "client_auth": "private_key_jwt"},
        domains=("acme.example.org",),
        just_in_time=True,
    )
    with within(SYSTEM):
        made = home.connections.create(connection.tenant, "oidc", home.party.prepared(wish, None))
        again = home.party.prepared(wish, made)
        assert (again.secret, again.settings) == (None, made.settings)
        with pytest.raises(Invalid):  # a key is no secret: nobody sends it in the place of one
            home.party.prepared(replace(wish, settings=connection.settings), made)
    (key,) = home.party.keys(made.id)
    assert not {"d", "k"} & key.keys()
    claim(sub="by-key")(provider.lies, provider)
    provider.lies.userinfo = lambda said: said.update(sub="by-key", email="key@acme.example.org")
    for _ in range(2):
        home.sign_in(made.id, provider)
    said = []
    for form in provider.forms:
        assert "client_secret" not in form
        token = jws.deserialize_compact(form["client_assertion"], ECKey.import_key(key), algorithms=["ES256"])
        said.append(json.loads(token.payload))
        assert token.headers()["kid"] == key["kid"]
    assert {(one["iss"], one["sub"], one["aud"]) for one in said} == {("troth", "troth", provider.issuer)}
    assert len({one["jti"] for one in said}) == 2
    assert all(0 < one["exp"] - one["iat"] <= 60 for one in said)


def test_a_shared_issuer_opens_nothing_without_its_claim(home: SsoWorld, connection: SsoConnection) -> None:
    made = home.connect(connection.tenant, "https://accounts.google.com", domains=("shared.example.org",))
    with pytest.raises(Invalid) as refusal:
        asyncio.run(home.party.begin(made.id))
    assert refusal.value.code == "sso-shared-issuer"
