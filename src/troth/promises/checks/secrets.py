"""Promises about what must match: wrong codes, passwords and keys of a synthetic account, and how often one guesses."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp

from troth.identity.keys import ApiKeys
from troth.identity.messages import SessionCreate
from troth.kernel.caller import Connection, anonymous
from troth.kernel.errors import TooMany, TrothError, Unauthenticated
from troth.promises.account import Account, account
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Ahead, probe, refused
from troth.promises.system import System

_HERE = Connection(None, "in-process")
_GUESSES = 12  # more than any limit here lets through at once
_FAILED, _REPLAYED, _UNKNOWN, _EXPIRED = "sign-in-failed", "totp-replayed", "key-unknown", "key-expired"

Enter = Callable[[SessionCreate], Any]
Admit = Callable[[str], Any]


def _door(system: System) -> Enter:
    """The sign-in that every door uses."""
    return lambda wish: system.dispatcher.run("session.create", anonymous(_HERE), wish)


def _matching(system: System, enter: Enter, admit: Admit) -> Facts:
    """Everything right enters; with one thing wrong, missing, used or ended nothing does."""
    with probe(system) as around:
        someone = account(system, around.tenant)
        try:
            outcomes = [*_signing_in(system, someone, enter), *_with_keys(system, someone, admit)]
        finally:
            someone.person.erase()
    outcomes.append(refused(lambda: admit(someone.key.token), Unauthenticated, code=_UNKNOWN))
    return counted(outcomes)


def _signing_in(system: System, someone: Account, enter: Enter) -> list[bool]:
    codes, now = pyotp.TOTP(someone.totp), system.base.clock.now()
    near = {codes.at(now + timedelta(seconds=30 * step)) for step in range(-3, 4)}
    wrong = next(code for code in (f"{number:06}" for number in range(100)) if code not in near)
    right = _wish(email=someone.email, password=someone.password, totp=codes.at(now))
    refusals = [
        right.model_copy(update={"totp": wrong}),
        right.model_copy(update={"totp": None}),
        right.model_copy(update={"totp": None, "recovery_code": someone.recovery_codes[0][::-1]}),
        right.model_copy(update={"password": f"{someone.password}x"}),
    ]
    outcomes = [_stays_out(enter, one, _FAILED) for one in refusals]
    outcomes.append(_assurance(enter, right) == 2)
    outcomes.append(_stays_out(enter, right, _REPLAYED))
    return outcomes


def _wish(**members: str) -> SessionCreate:
    return SessionCreate.model_validate(members)


def _assurance(enter: Enter, wish: SessionCreate) -> int:
    """Of the session that was given; 0 for none."""
    try:
        return int(getattr(enter(wish), "assurance", 0))
    except Unauthenticated:
        return 0


def _stays_out(enter: Enter, wish: SessionCreate, code: str) -> bool:
    return refused(lambda: enter(wish), Unauthenticated, code=code)


def _with_keys(system: System, someone: Account, admit: Admit) -> list[bool]:
    keys, token = system.identity.keys, someone.key.token
    name, secret = token.rsplit("_", 1)
    others = [f"{name}_{secret[::-1]}", f"{name}_{secret[:-2]}aa", f"troth_sk_{secrets.token_hex(13)}_{secret}", name]
    outcomes = [getattr(admit(token), "subject", None) == someone.person.subject]
    outcomes += [refused(lambda one=one: admit(one), Unauthenticated, code=_UNKNOWN) for one in others]  # type: ignore[misc]
    later = ApiKeys(system.base.database, system.base.fields, Ahead(system.base.clock, timedelta(days=2)))
    outcomes.append(refused(lambda: later.authenticate(token, _HERE), Unauthenticated, code=_EXPIRED))
    keys.revoke(someone.person.subject, someone.key.id)
    return outcomes


def _guessing(enter: Enter) -> Facts:
    """Guesses at an address that has no account: after a few, the next one must wait."""
    address, refusals = f"{secrets.token_hex(12)}@example.org", list[TrothError]()
    for number in range(_GUESSES):
        try:
            enter(_wish(email=address, password=f"a guess, number {number}", totp="000000"))
        except TrothError as error:
            refusals.append(error)
        if refusals and isinstance(refusals[-1], TooMany):
            break
    throttled = [one for one in refusals if isinstance(one, TooMany) and one.code == "sign-in-throttled"]
    return counted([bool(throttled), all(one.code == _FAILED for one in refusals if one not in throttled)])


def _lets_in(_given: object) -> None:
    """The known-bad door: whoever knocks is in."""


def _tireless(_wish: SessionCreate) -> None:
    """The known-bad door: it refuses for ever and never grows slower."""
    raise Unauthenticated("No.", code=_FAILED)


CHECKS = (
    Check(
        "wrong-secrets-refused",
        ("IDN-02", "ACC-01", "ACC-03"),
        "A synthetic account signs in on the road of every door with a wrong, missing and used code, a wrong recovery "
        "code and password, and calls with changed, foreign, expired and revoked API keys: only what is right may "
        "enter. Guessing by chance is for the limits.",
        lambda system: _matching(system, _door(system), lambda token: system.identity.keys.authenticate(token, _HERE)),
        lambda system: _matching(system, _lets_in, _lets_in),
        every=6 * 3600,
        scope="sign-in and API keys of one synthetic account",
        population="attempts to enter, right and wrong",
    ),
    Check(
        "guessing-slowed",
        ("IDN-01",),
        "Passwords are guessed at an address of nobody, on the road of every door: within 12 guesses the next one "
        "must have to wait, and no answer may tell that there is no account. Guessing from many networks at once is "
        "not looked at.",
        lambda system: _guessing(_door(system)),
        lambda _: _guessing(_tireless),
        every=6 * 3600,
        scope="limits of sign-in, for one synthetic address",
        population="duties towards who guesses",
    ),
)
