"""Provisioning promise: a provider says that somebody left, and everything of theirs that opens something is over."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from troth.identity.keys import NewKey
from troth.identity.scim.access import GroupRoles, Provider
from troth.identity.scim.people import People
from troth.identity.scim.reading import Profile
from troth.identity.sessions import Proof
from troth.identity.sso.connections import Connections, Wish
from troth.identity.sso.rules import Rules
from troth.identity.users import NewUser
from troth.kernel.caller import Connection
from troth.kernel.errors import Denied, Invalid, NotFound, Unauthenticated
from troth.kernel.ids import new_id
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Probe, probe, refused
from troth.promises.system import System

_HERE = Connection(None, "in-process")
_FULL = Proof("password+totp", 2)
Leave = Callable[[People, Provider, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """A tenant's provider, and what it may say."""

    system: System
    people: People
    by: Provider
    domain: str

    def profile(self, active: bool = True) -> Profile:
        return Profile(address=f"{secrets.token_hex(8)}@{self.domain}", display_name="Self-check", active=active)

    def session(self, user: str) -> Callable[[], object]:
        token = self.system.identity.sessions.open(user, _FULL, "loopback").token
        return lambda: self.system.identity.sessions.authenticate(token, _HERE)

    def key(self, user: str) -> Callable[[], object]:
        wish = NewKey(self.by.tenant, user, "Self-check", frozenset({"own-data"}), 1)
        token = self.system.identity.keys.create(wish).token
        return lambda: self.system.identity.keys.authenticate(token, _HERE)


@contextmanager
def _scene(system: System) -> Iterator[_Scene]:
    base, identity, domain = system.base, system.identity, f"{secrets.token_hex(8)}.invalid"
    connections = Connections(base.database, base.fields, base.clock)
    people = People(
        database=base.database,
        fields=base.fields,
        users=identity.users,
        connections=connections,
        roles=GroupRoles(roles=identity.roles, fields=base.fields, recorder=base.outbox, clock=base.clock),
        clock=base.clock,
    )
    with probe(system) as around:
        rules = Rules(default_roles=frozenset({"member"}))
        wish = Wish(name="Self-check", issuer=f"https://idp.{domain}", domains=(domain,), rules=rules)
        made = connections.create(around.tenant, "oidc", wish)
        try:
            connection = connections.verify_domain(made.id, domain)
            by = Provider(connection=connection, token=new_id("scm"), request=new_id("req"))
            yield _Scene(system=system, people=people, by=by, domain=domain)
        finally:
            connections.delete(around.tenant, made.id)


def _leaves(people: People, by: Provider, user: str) -> None:
    people.remove(by, user, None)


def _leaves_in_name(people: People, by: Provider, user: str) -> None:
    """The known-bad directory: the leaver disappears from its list and keeps everything."""
    shown = people.directory(by).person(user).profile
    people.update(by, user, replace(shown, display_name="(left)"), None)


def _leavers(system: System, leave: Leave) -> Facts:
    """Somebody joins, signs in, makes a key, and leaves; an owner cannot be made to leave, nor a stranger to join."""
    with _scene(system) as here:
        people, by = here.people, here.by
        ada = people.create(by, here.profile()).id
        address = here.profile().address
        boss = system.identity.users.create(NewUser(by.tenant, address, "Self-check", frozenset({"owner"}), SERVICE)).id
        try:
            outcomes = [_left(here, ada, leave), _unmoved(here, boss)]
            outside = replace(here.profile(), address="nobody@elsewhere.invalid")
            outcomes.append(refused(lambda: people.create(by, outside), Invalid))
        finally:
            for one in (ada, boss):
                Probe(system, by.tenant, one).erase()
    return counted(outcomes)


def _left(here: _Scene, user: str, leave: Leave) -> bool:
    ways = [here.session(user), here.key(user)]
    for way in ways:
        way()
    had = bool(here.system.identity.roles.of(user))
    leave(here.people, here.by, user)
    over = [refused(way, Unauthenticated) for way in ways]
    gone = refused(lambda: here.people.directory(here.by).person(user), NotFound)
    return had and all(over) and gone and not here.system.identity.roles.of(user)


def _unmoved(here: _Scene, owner: str) -> bool:
    way = here.session(owner)
    kept = refused(lambda: here.people.remove(here.by, owner, None), Denied, code="scim-owner")
    way()
    return kept and bool(here.system.identity.roles.of(owner))


CHECKS = (
    Check(
        "leaver-by-provider",
        ("ACC-08",),
        "A synthetic person joins by a provider's word, signs in, makes a key and leaves by it: session, key and roles "
        "are over at once. An owner cannot be made to leave; an address of an unverified domain cannot join.",
        lambda system: _leavers(system, _leaves),
        lambda system: _leavers(system, _leaves_in_name),
        scope="a synthetic provider with two people",
        population="acts of the provider",
    ),
)
