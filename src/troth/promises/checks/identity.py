"""Promises about signing in: a synthetic account with real passwords and sessions, on a clock that can be moved."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from troth.identity.blocklist import BlockList, table_of
from troth.identity.passwords import OWASP_19_MIB, Argon2Profile, Passwords
from troth.identity.sessions import Proof, Sessions
from troth.identity.users import NewUser, Users
from troth.kernel.caller import Connection
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid, Unauthenticated
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import SERVICE, Ahead, Probe, probe, refused
from troth.promises.system import System

_HERE = Connection(None, "in-process")
_FULL = Proof("password+totp", 2)
_PHC = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")
# 12 characters or more and on every list, too short, a run, and the names around the person.
_WEAK = (
    ("password1234", "password-blocked"),
    ("iloveyou1234", "password-blocked"),
    ("k7#Qz", "password-too-short"),
    ("23456789", "password-blocked"),
    ("trothtroth", "password-context"),
)
_REST, _LENGTH = timedelta(hours=1), timedelta(hours=24)  # SP 800-63B-4 section 2.2.3, AAL2: at most
_GRACE = timedelta(seconds=60)  # parallel requests may carry a rotated token a little longer


@dataclass(frozen=True)
class _Account:
    """A synthetic person with an account."""

    person: Probe
    email: str
    password: str


def _account(system: System, users: Users, tenant: str) -> _Account:
    address = f"{secrets.token_hex(12)}@example.org"
    made = users.create(NewUser(tenant, address, "Self-check", frozenset({"member"}), SERVICE))
    return _Account(Probe(system, tenant, made.id), address, made.password)


def _policy(system: System, users: Users) -> Facts:
    """Weak passwords are refused for the right reason, a good one is taken, and what is stored is argon2id."""
    with probe(system) as around:
        account = _account(system, users, around.tenant)
        try:
            outcomes = [_refuses(users, account, weak, code) for weak, code in _WEAK]
            fresh = secrets.token_urlsafe(18)
            outcomes.append(not refused(lambda: users.change_password(account.person.subject, account.password, fresh)))
            wrong = refused(
                lambda: users.change_password(account.person.subject, "not the one", fresh), Unauthenticated
            )
            stored = users.account(users.email_index(account.email))
            outcomes += [wrong, _strong(users.password(stored) or "")]
        finally:
            account.person.erase()
    return counted(outcomes)


def _refuses(users: Users, account: _Account, weak: str, code: str) -> bool:
    return refused(lambda: users.change_password(account.person.subject, account.password, weak), Invalid, code=code)


def _strong(stored: str) -> bool:
    found = _PHC.match(stored)
    if found is None:
        return False
    memory, passes, lanes = (int(one) for one in found.groups())
    return (memory, passes, lanes) >= (OWASP_19_MIB.memory_kib, OWASP_19_MIB.passes, OWASP_19_MIB.lanes)


def _lax_users(system: System) -> Users:
    """The known-bad account desk: one pass over 8 KiB, and a block list that knows nothing."""
    base = system.base
    lax = Passwords(Argon2Profile(memory_kib=8, passes=1, lanes=1), BlockList(table_of([])))
    return Users(base.database, base.fields, lax, base.clock)


Later = Callable[[timedelta], Sessions]


def _sessions(system: System, later: Later) -> Facts:
    """Rotation, replay, rest, length and revocation of the sessions of a synthetic person."""
    now, identity = system.identity.sessions, system.identity
    with probe(system) as around:
        account = _account(system, identity.users, around.tenant)
        user = account.person.subject
        try:
            opened = now.open(user, Proof("password", 1), "loopback")
            rotated = now.rotate(opened.id, _FULL)
            outcomes = [
                now.authenticate(rotated.token, _HERE).subject == user,
                _ends(now, opened.token, "session-replayed"),
                _ends(later(_GRACE), opened.token, "session-replayed"),
                _ends(now, rotated.token, "session-unknown"),  # the replay killed the family
            ]
            resting, long, ended = (now.open(user, _FULL, "loopback") for _ in range(3))
            outcomes.append(_ends(later(_REST), resting.token, "session-expired"))
            outcomes.append(_ends(later(_LENGTH), long.token, "session-expired"))
            outcomes.append(long.expires_at <= epoch_ms(system.base.clock.now() + _LENGTH))
            outcomes.append(_ends(_restless(system), long.token, "session-expired"))
            now.revoke(user, ended.id)
            outcomes.append(_ends(now, ended.token, "session-unknown"))
        finally:
            account.person.erase()
    return counted([*outcomes, _ends(now, resting.token, "session-unknown")])


def _ends(sessions: Sessions, token: str, code: str) -> bool:
    return refused(lambda: sessions.authenticate(token, _HERE), Unauthenticated, code=code)


def _restless(system: System) -> Sessions:
    """A day later, as if somebody had used every session all the time: only the absolute limit ends one then."""
    clock = Ahead(system.base.clock, _LENGTH)
    return Sessions(system.base.database, clock, idle_ms=2 * int(_LENGTH.total_seconds()) * 1000)


def _moved(system: System) -> Later:
    return lambda by: system.identity.sessions.by(Ahead(system.base.clock, by))


def _standing(system: System) -> Later:
    """The known-bad sessions: time stands still for them."""
    return lambda _by: system.identity.sessions


CHECKS = (
    Check(
        "passwords",
        ("IDN-01",),
        "A synthetic account is offered passwords that are listed, short, a run or a name nearby: each must be refused "
        "for its reason; what is stored must be argon2id at today's parameters. Passwords of real people are not "
        "looked at.",
        lambda system: _policy(system, system.identity.users),
        lambda system: _policy(system, _lax_users(system)),
        every=24 * 3600,
        scope="rules of passwords, for one synthetic account",
        population="passwords offered, and how the right one is stored",
    ),
    Check(
        "sessions",
        ("IDN-03",),
        "A synthetic session is rotated, replayed, left alone, kept too long and revoked, on a clock that is moved: "
        "the old token must die, take the family with it, and limits must hold. Flags of cookies are not looked at.",
        lambda system: _sessions(system, _moved(system)),
        lambda system: _sessions(system, _standing(system)),
        every=6 * 3600,
        scope="sessions of one synthetic account",
        population="uses of tokens, also of replaced, old and revoked ones",
    ),
)
