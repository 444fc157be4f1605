"""Promises about roles: custom ones, lent ones, emergencies, reviews and leavers; synthetic people on a moved clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import delete

from troth.identity.governing.campaigns import Campaigns, Plan, digest_of
from troth.identity.governing.emergency import Emergencies
from troth.identity.governing.having import Having
from troth.identity.governing.leaving import ENDS, Ends, Leaving
from troth.identity.governing.reasons import Reasons
from troth.identity.governing.store import campaigns
from troth.identity.sessions import Proof
from troth.identity.users import NewUser
from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.clock import Clock
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Conflict, Denied, Invalid, Unauthenticated
from troth.kernel.journal import Journal
from troth.kernel.operation import Declaration, Group, Operation
from troth.promises.account import account, rows_of
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import BOUND, SERVICE, Ahead, Probe, probe, refused
from troth.promises.system import ALONE, System

_HERE = Connection(None, "in-process")
_FULL = Proof("password+totp", 2)
_WHY = "a self-check of this service"
_GIVER = "usr_selfcheck"  # nobody: an owner who is only said to be one
_MINUTES, _LATER = 10, timedelta(minutes=11)
_DUE = Plan(every_days=91, due_days=1)


@dataclass(frozen=True)
class _Person:
    """A synthetic person with an account and a session."""

    person: Probe
    token: str

    @property
    def id(self) -> str:
        return self.person.subject

    def roles(self, system: System, later: timedelta = timedelta(0)) -> frozenset[str]:
        """The roles by which a request of this person would be judged, now or later."""
        sessions = system.identity.sessions.by(Ahead(system.base.clock, later)) if later else system.identity.sessions
        return sessions.authenticate(self.token, _HERE).roles

    def caller(self, system: System, method: str = "password+totp") -> Caller:
        """This person now, with a proof by a method."""
        found = system.identity.sessions.authenticate(self.token, _HERE)
        return replace(
            found, authentication=Authentication(method, 2, 0, found.authentication.credential), device=BOUND
        )


@contextmanager
def _people(system: System, *roles: str) -> Iterator[list[_Person]]:
    """A fresh account for each role, in the tenant of self-checks; erased in this order, so an owner comes last."""
    made: list[_Person] = []
    tenant = system.probe_tenant(ALONE)
    try:
        for role in roles:
            address = f"{secrets.token_hex(12)}@example.org"
            user = system.identity.users.create(NewUser(tenant, address, "Self-check", frozenset({role}), SERVICE)).id
            token = system.identity.sessions.open(user, _FULL, "loopback").token
            made.append(_Person(Probe(system, tenant, user), token))
        yield made
    finally:
        for one in made:
            one.person.erase()


def _owner(tenant: str) -> Caller:
    return Caller(_GIVER, "user", tenant=tenant, subject=_GIVER, roles=frozenset({"owner"}))


def _custom(system: System, *, sticky: bool) -> Facts:
    """A custom role is given, changed and deleted; after each, what does the next request of its holder reach?"""
    custom, roles = system.governing.custom, system.identity.roles
    with _people(system, "member") as (ada,):
        owner = _owner(ada.person.tenant)
        role = custom.create(owner, f"probe-{secrets.token_hex(6)}", ["audit"])
        try:
            roles.assign(owner, ada.id, role.id)
            before = ada.caller(system)
            outcomes = [_may(system, before, Group.AUDIT), not _may(system, before, Group.REVIEW)]
            outcomes.append(refused(lambda: custom.change(owner, role.id, ["administer", "review"]), Conflict))
            custom.change(owner, role.id, ["own-keys"])
            outcomes.append(not _may(system, before if sticky else ada.caller(system), Group.AUDIT))
        finally:
            custom.delete(owner, role.id)
        outcomes.append(not any(one.startswith("may:") for one in ada.roles(system)))
    return counted(outcomes)


def _may(system: System, caller: Caller, group: Group) -> bool:
    """What the policies say of an operation of a group; any one there is speaks for all."""
    asked = next(one for one in system.dispatcher.registry if one.declaration.group is group)
    plain = Declaration(asked.name, group, asked.declaration.request, asked.declaration.route, None, DataClass.SYSTEM)
    return system.decider.decide(caller, Operation(plain, asked.run)).allowed


def _elevation(system: System, later: timedelta) -> Facts:
    """A role for some minutes: not by oneself, not by who stands near, and over by itself; `later` is when we look."""
    ledger = system.governing.ledger
    with _people(system, "member", "owner") as (ada, boss):
        asked = ledger.ask(ada.caller(system), "auditor", _MINUTES, _WHY)
        outcomes = [
            refused(lambda: ledger.approve(ada.caller(system), asked.id), Denied),
            refused(lambda: ledger.approve(_owner(ada.person.tenant), asked.id), Denied, code="not-apart"),
            refused(lambda: ledger.ask(ada.caller(system), "owner", _MINUTES, _WHY), Invalid, code="unknown-role"),
            "auditor" not in ada.roles(system),
        ]
        ledger.approve(boss.caller(system), asked.id)
        outcomes.append("auditor" in ada.roles(system))
        outcomes.append("auditor" not in ada.roles(system, later))
    return counted(outcomes)


def _emergency(system: System, weak: str) -> Facts:
    """A designated person with a passkey only, recorded, shown and to be judged; `weak` is the proof that is tried."""
    emergencies = Emergencies(system.governing.ledger, Journal(), system.base.settings.reviews.due_days)
    with _people(system, "member", "member") as (ada, bob):
        emergencies.designate(_owner(ada.person.tenant), ada.id, "owner", 1)
        outcomes = [
            refused(lambda: emergencies.use(bob.caller(system, "passkey"), _MINUTES, _WHY), Denied),
            refused(lambda: emergencies.use(ada.caller(system, weak), _MINUTES, _WHY), Denied),
        ]
        if not outcomes[-1]:
            return counted(outcomes)
        use = emergencies.use(ada.caller(system, "passkey"), _MINUTES, _WHY)
        emergencies.told(use.id)  # nobody owns the tenant of self-checks
        outcomes += [
            ada.roles(system) == {"member", "owner"},
            ada.roles(system, _LATER) == {"member"},
            use.id in {one.id for one in emergencies.open_uses(ada.person.tenant)},
            refused(lambda: emergencies.review(ada.caller(system), use.id, "justified"), Denied, code="own-act"),
            refused(lambda: emergencies.review(bob.caller(system), use.id, "justified"), Conflict),
        ]
    return counted(outcomes)


def _leaver(system: System, ends: Mapping[str, Ends]) -> Facts:
    """An account with everything that an account can have leaves; what of it still opens anything?"""
    leaving = Leaving(ledger=system.governing.ledger, remains=lambda _tenant, _user: {}, ends=ends)
    with probe(system) as around:
        made = account(system, around.tenant)
        user, identity = made.person.subject, system.identity
        session = identity.sessions.open(user, _FULL, "loopback").token
        try:
            before = rows_of(system, user)
            leaving.offboard(_owner(around.tenant), user)
            rows = rows_of(system, user)
            outcomes = [
                all(before.get(name) for name in (*_OPENS, "certified_devices")),
                refused(lambda: identity.sessions.authenticate(session, _HERE), Unauthenticated),
                refused(lambda: identity.keys.authenticate(made.key.token, _HERE), Unauthenticated),
                *(not rows.get(name) for name in sorted(_OPENS)),
                all(one["revoked_at"] is not None for one in rows["certified_devices"]),
                all(one["state"] != "active" for one in rows["elevations"]),
                not rows["users"][0]["active"],
            ]
        finally:
            made.person.erase()
    return counted(outcomes)


# Tables of what opens something for a person.
_OPENS = frozenset(
    """sessions api_keys role_grants passkeys totp recovery_codes known_devices sso_links oauth_refresh_tokens
    oauth_device_codes break_glass scim_people scim_members""".split()
)


def _review(system: System, clock: Callable[[timedelta], Clock]) -> Facts:
    """A review of the access of synthetic people: the population, own grants, what lapses, and the last owner."""
    database, reasons = system.base.database, Reasons(system.base.database, system.base.fields)
    now = Campaigns(database, system.base.outbox, system.base.clock, _DUE, journal=Journal())
    with _people(system, "member", "admin", "owner") as (ada, bob, olga):
        tenant = ada.person.tenant
        opened = now.open(tenant, SERVICE)
        try:
            kept = now.judge(tenant, olga.id, (opened.id, bob.id, "admin"), "keep", "checked")
            own = (opened.id, olga.id, "owner")
            outcomes = [
                opened.digest == digest_of(Having(database, reasons, system.base.clock).of(tenant)),
                kept.outcome == "kept",
                refused(lambda: now.judge(tenant, olga.id, own, "keep", "checked"), Denied, code="own-grant"),
            ]
            due = Campaigns(database, system.base.outbox, clock(timedelta(days=2)), _DUE, journal=Journal())
            due.close_due(tenant)
            found = {one.user: one.outcome for one in due.show(tenant, opened.id)[1]}
            outcomes += [found[ada.id] == "lapsed", found[olga.id] == "last-owner"]
            outcomes += [ada.roles(system) == frozenset(), olga.roles(system) == {"owner"}]
        finally:
            with database.write() as connection:
                connection.execute(delete(campaigns).where(campaigns.c.id == opened.id))
    return counted(outcomes)


CHECKS = (
    Check(
        "access-custom-roles",
        ("ACC-02",),
        "A custom role is given to a synthetic person, changed and deleted; each time their next request must be "
        "permitted what the role says then and nothing more; duties that check each other must not go into one role.",
        lambda system: _custom(system, sticky=False),
        lambda system: _custom(system, sticky=True),
        scope="one custom role of a synthetic person",
        population="permissions after each change of the role",
    ),
    Check(
        "access-elevation",
        ("ACC-01", "ACC-06"),
        "A synthetic person asks for a role for ten minutes: their own approval, and that of somebody who does not "
        "stand apart, must be refused; given by an owner it must hold, and be over eleven minutes later without a job.",
        lambda system: _elevation(system, _LATER),
        lambda system: _elevation(system, timedelta(0)),
        scope="a role lent to one synthetic person",
        population="requests for the role, and its uses",
    ),
    Check(
        "access-emergency",
        ("ACC-06",),
        "A synthetic person takes emergency access: without a designation, or without a passkey, it must be refused; "
        "with both it must end by itself, wait to be judged, and not be judged by that person. Access to machines is "
        "not looked at, nor is an incident opened.",
        lambda system: _emergency(system, "password+totp"),
        lambda system: _emergency(system, "passkey"),
        scope="emergency access of two synthetic people",
        population="duties of emergency access",
    ),
    Check(
        "access-leavers",
        ("ACC-08",),
        "A synthetic account with a session, key, passkey, authenticator, devices, tokens, links and roles is "
        "offboarded: session and key must be refused at once, no row of what opens anything may be left, and its "
        "device must be revoked. Accounts elsewhere are not looked at.",
        lambda system: _leaver(system, ENDS),
        lambda system: _leaver(system, {}),
        every=24 * 3600,
        scope="one synthetic account that leaves",
        population="credentials and rows after leaving",
    ),
    Check(
        "access-reviews",
        ("ACC-07",),
        "A review of access of synthetic people: its digest must be that of the roles as they stand, an own role must "
        "not be judged, what nobody kept must lapse when due, and the last owner must stay. Whether reviewers look "
        "closely is not looked at.",
        lambda system: _review(system, lambda by: Ahead(system.base.clock, by)),
        lambda system: _review(system, lambda _by: system.base.clock),
        every=24 * 3600,
        scope="a review of the access of three synthetic people",
        population="duties of a review",
    ),
)
