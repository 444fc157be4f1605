"""Promises about programs: a synthetic command line and a synthetic service, honest and robbed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import DPOP, Scheme, Shown
from troth.identity.oauth.assertions import TYPE
from troth.identity.oauth.endpoint import Asked, TokenEndpoint
from troth.identity.oauth.families import Families, Family
from troth.identity.oauth.service_accounts import NewServiceAccount
from troth.identity.oauth.service_tokens import ServiceTokens
from troth.identity.sessions import Proof
from troth.identity.users import NewUser
from troth.kernel.caller import Caller, Connection, Device
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import TrothError
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Probe, probe, refused
from troth.promises.system import System

_HERE = Connection(None, "in-process")
_PATH = "/v1/objects"


class _Forgiving(Families):
    """The known-bad keeper of refresh tokens: it takes whatever comes, as often as it comes."""

    def turn(self, token: str, thumbprint: str) -> tuple[Family, str]:
        family = self.find(token)
        if family is None:
            return super().turn(token, thumbprint)
        return family, self.begin(family)


class _Careless(ServiceTokens):
    """The known-bad door: the token is enough."""

    def authenticate(self, token: str, connection: Connection, shown: Shown) -> Caller:
        del token, shown
        return Caller(actor="svc_anybody", kind="service", connection=connection)


@contextmanager
def _person(system: System) -> Iterator[Probe]:
    """A synthetic person with an account, erased after."""
    with probe(system) as around:
        address = f"{secrets.token_hex(12)}@example.org"
        new = NewUser(around.tenant, address, "Self-check", frozenset({"member"}), SERVICE)
        person = Probe(system, around.tenant, system.identity.users.create(new).id)
        try:
            yield person
        finally:
            person.erase()


def _refresh(system: System, families: Families) -> Facts:
    """One family of refresh tokens, honest at first, then replayed."""
    sessions, mine, thief = system.identity.sessions, DeviceKey().thumbprint, DeviceKey().thumbprint
    with _person(system) as person:
        opened = sessions.open(person.subject, Proof("device-code", 2), "loopback")
        first = families.begin(Family(opened.id, person.subject, mine, opened.expires_at))
        outcomes = [refused(lambda: families.turn(first, thief), code="invalid-grant")]
        outcomes.append(len(sessions.list(person.subject)) == 1)
        family, second = families.turn(first, mine)
        outcomes.append(family.session == opened.id)
        outcomes.append(refused(lambda: families.turn(first, mine), code="invalid-grant"))
        outcomes.append(not sessions.list(person.subject))  # the replay ended the family
        outcomes.append(refused(lambda: families.turn(second, mine), code="invalid-grant"))
    return counted(outcomes)


@dataclass(frozen=True, slots=True)
class _Robot:
    """A service account of a synthetic person, with its keys."""

    endpoint: TokenEndpoint
    person: Probe
    signer: DeviceKey
    holder: DeviceKey
    id: str
    now: int

    def asks(self, by: DeviceKey | None = None, device: Device | None = None, **changes: Any) -> str:
        """An access token. Raises the refusal."""
        issuer, seconds = self.endpoint.issuer, self.now // 1000
        honest = {"iss": self.id, "sub": self.id, "aud": issuer, "iat": seconds, "exp": seconds + 60}
        said = {**honest, "jti": secrets.token_hex(8), **changes}
        shown = device or Device(DPOP, self.holder.thumbprint)
        asked = Asked(
            grant="client_credentials",
            client=None,
            caller=Caller(actor="anonymous", device=shown, connection=_HERE),
            request="req_selfcheck",
            assertion_type=TYPE,
            assertion=(by or self.signer).sign({"alg": "ES256"}, said),
        )
        return self.endpoint.give(asked).access

    def shows(self, token: str, by: DeviceKey | None = None, method: str = "GET") -> Shown:
        """A token with a fresh proof."""
        proof = (by or self.holder).proof(method, self.endpoint.issuer + _PATH, now=self.now, token=token)
        return Shown(Scheme.DPOP, proof, "GET", _PATH)


def _services(system: System, tokens: ServiceTokens) -> Facts:
    endpoint, signer = replace(system.identity.authorization.endpoint, tokens=tokens), DeviceKey()
    with _person(system) as person:
        scopes = frozenset({"own-data"})
        wish = NewServiceAccount(
            tenant=person.tenant, owner=person.subject, name="self-check", scopes=scopes, days=1, jwk=signer.jwk
        )
        made, now = endpoint.services.create(wish).id, epoch_ms(system.base.clock.now())
        robot = _Robot(endpoint, person, signer, DeviceKey(), made, now)
        try:
            return counted([*_tried(robot)])
        finally:
            endpoint.services.disable(person.tenant, made)  # then it goes with the person


def _tried(robot: _Robot) -> Iterator[bool]:
    """True for each honest step that is taken, and each false one that is refused."""
    tokens, thief = robot.endpoint.tokens, DeviceKey()

    def fails(act: Callable[[], object]) -> bool:
        return refused(act, TrothError)

    for faulty in ({"aud": "https://evil.example"}, {"exp": robot.now // 1000 - 60}, {"iss": "svc_other"}):
        yield fails(lambda faulty=faulty: robot.asks(**faulty))  # type: ignore[misc]
    yield fails(lambda: robot.asks(by=thief))
    yield fails(lambda: robot.asks(device=Device()))
    robot.asks(jti="once")
    yield fails(lambda: robot.asks(jti="once"))
    token = robot.asks()
    good = robot.shows(token)
    yield tokens.authenticate(token, _HERE, good).actor == robot.id
    yield fails(lambda: tokens.authenticate(token, _HERE, good))
    yield fails(lambda: tokens.authenticate(token, _HERE, robot.shows(token, thief)))
    yield fails(lambda: tokens.authenticate(token, _HERE, robot.shows(token, method="POST")))
    yield fails(lambda: tokens.authenticate(token, _HERE, Shown(Scheme.BEARER)))
    robot.endpoint.services.disable(robot.person.tenant, robot.id)
    yield fails(lambda: tokens.authenticate(token, _HERE, robot.shows(token)))
    yield fails(robot.asks)


CHECKS = (
    Check(
        "refresh-tokens",
        ("IDN-03", "ACC-05"),
        "A synthetic command line renews its tokens: a used refresh token that comes again, and one that another key "
        "shows, must be refused; the first must end the session and all that followed.",
        lambda system: _refresh(system, system.identity.authorization.endpoint.families),
        lambda system: _refresh(system, _forgiving(system)),
        every=6 * 3600,
        scope="refresh tokens of one synthetic command line",
        population="uses of refresh tokens, honest and stolen",
    ),
    Check(
        "service-tokens",
        ("ACC-03", "ACC-05", "ACC-08"),
        "A synthetic service account signs in by its key: assertions for others, by other keys, over or used, and its "
        "token without a proof, with another key's or a used one, or once it is switched off, must be refused.",
        lambda system: _services(system, system.identity.authorization.endpoint.tokens),
        lambda system: _services(system, _careless(system)),
        every=6 * 3600,
        scope="one synthetic service account",
        population="assertions and tokens, honest and false",
    ),
)


def _forgiving(system: System) -> Families:
    return _Forgiving(system.base.database, system.base.clock, system.identity.sessions)


def _careless(system: System) -> ServiceTokens:
    honest = system.identity.authorization.endpoint.tokens
    return _Careless(honest.database, honest.devices, honest.clock, honest.certified)
