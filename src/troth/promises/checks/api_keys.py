"""Promises about API keys: a synthetic person's keys are shown from other networks, after their end and unused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from troth.identity.keys import ApiKeys, NewKey
from troth.kernel.caller import Caller, Connection, Origin
from troth.kernel.errors import Unauthenticated
from troth.promises.account import account
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Ahead, probe, refused
from troth.promises.system import System

_NETWORKS = ("192.0.2.0/25", "2001:db8:0:1::/64")  # RFC 5737, RFC 3849: nobody's
_INSIDE = ("192.0.2.127", "2001:db8:0:1::9", "::ffff:192.0.2.1")
_OUTSIDE = ("192.0.2.128", "2001:db8:0:2::9", "198.51.100.1", "", "unknown")
_MODELS = frozenset({"probe-model"})
_SCOPES = frozenset({"generate"})
_OVERLAP = timedelta(hours=1)
_LONG = timedelta(days=365)  # longer than any setting lets a key live or rest
_LIFE = 1  # days

Admit = Callable[[ApiKeys, str, Connection], Caller]


def _limits(system: System, admit: Admit) -> Facts:
    keys = system.identity.keys
    with probe(system) as around:
        someone = account(system, around.tenant)
        try:
            whose = around.tenant, someone.person.subject
            return counted([*_kept_to(keys, whose, admit), *_ending(system, whose, admit)])
        finally:
            someone.person.erase()


def _kept_to(keys: ApiKeys, whose: tuple[str, str], admit: Admit) -> Iterator[bool]:
    """From its networks it is taken with its models, from elsewhere and nowhere it is not; so is its successor."""
    made = keys.create(NewKey(*whose, "self-check", _SCOPES, _LIFE, _NETWORKS, _MODELS))
    for token in (made.token, keys.rotate(*whose, made.id).token):
        for address in _INSIDE:
            caller = admit(keys, token, _from(address))
            yield caller.models == _MODELS and not caller.may_use("another-model")
        for address in _OUTSIDE:
            yield _stays_out(keys, token, admit, "key-network", address)


def _ending(system: System, whose: tuple[str, str], admit: Admit) -> Iterator[bool]:
    """A replaced key dies after its overlap, whatever its own end was; its successor, and every other, at its end."""
    keys = system.identity.keys
    old = keys.create(NewKey(*whose, "self-check", _SCOPES, _LIFE))
    fresh = keys.rotate(*whose, old.id, 1)
    yield admit(keys, old.token, _from("")).actor == old.id
    later = keys.by(Ahead(system.base.clock, _OVERLAP))
    yield _stays_out(later, old.token, admit, "key-expired")
    yield admit(later, fresh.token, _from("")).actor == fresh.id
    yield _stays_out(keys.by(Ahead(system.base.clock, _LONG)), fresh.token, admit, "key-expired")
    idle = ApiKeys(system.base.database, system.base.fields, Ahead(system.base.clock, _OVERLAP), idle_days=0)
    yield _stays_out(idle, fresh.token, admit, "key-lapsed")


def _stays_out(keys: ApiKeys, token: str, admit: Admit, code: str, address: str = "") -> bool:
    return refused(lambda: admit(keys, token, _from(address)), Unauthenticated, code=code)


def _from(address: str) -> Connection:
    return Connection("TLSv1.3", "public", origin=Origin("api", address, "self-check"))


def _honest(keys: ApiKeys, token: str, connection: Connection) -> Caller:
    return keys.authenticate(token, connection)


def _careless(_keys: ApiKeys, token: str, _connection: Connection) -> Caller:
    """The known-bad door: a token that once was good is good everywhere and for ever."""
    return Caller(actor=f"key_{token.split('_')[2]}", kind="api-key", models=_MODELS)


CHECKS = (
    Check(
        "api-keys-limited",
        ("ACC-01", "ACC-05"),
        "Keys of a synthetic person that are kept to networks and a model are shown from inside, outside and unknown "
        "addresses, replaced, and shown after overlap, end and long rest: only what is right may enter, and with its "
        "model alone. Where proxies stand is not looked at.",
        lambda system: _limits(system, _honest),
        lambda system: _limits(system, _careless),
        every=6 * 3600,
        scope="API keys of one synthetic account",
        population="uses of keys, from several networks and at several times",
    ),
)
