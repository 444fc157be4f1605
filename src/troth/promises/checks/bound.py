"""Promises about the device behind a session: what is stolen of a session without its key is of no use."""

from __future__ import annotations

from datetime import timedelta

from troth.identity.devices.bindings import Bindings
from troth.identity.devices.holding import DeviceKey
from troth.identity.devices.shown import DPOP, WEBCRYPTO, Binding, Devices, Scheme, Shown
from troth.identity.devices.spent import SpentProofs
from troth.identity.sessions import Proof, Sessions
from troth.kernel.caller import Connection, Device
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Conflict, Unauthenticated
from troth.promises.account import account
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import Ahead, probe, refused
from troth.promises.system import System

_HERE = Connection(None, "in-process")
_FULL = Proof("password+totp", 2)
_LIFE = timedelta(minutes=5)  # a copied jar of cookies dies within it
_METHOD, _PATH = "GET", "/v1/me"


def _bound(system: System, sessions: Sessions) -> Facts:
    """A browser's session and a program's, each shown with its key and without."""
    with probe(system) as around:
        person = account(system, around.tenant)
        try:
            outcomes = [
                *_browser(system.identity.bindings, sessions, person.person.subject, system),
                *_program(system, sessions, person.person.subject),
            ]
        finally:
            person.person.erase()
    return counted(outcomes)


def _browser(bindings: Bindings, sessions: Sessions, user: str, system: System) -> list[bool]:
    opened, key, thief = sessions.open(user, _FULL, "loopback"), DeviceKey(), DeviceKey()
    challenges = [bindings.offer(opened.id, WEBCRYPTO) for _ in range(2)]
    named = bindings.origin + "/v1/sessions/current/binding"
    cookie = bindings.bind(opened.id, WEBCRYPTO, key.answer(challenges[0], "POST", named)).cookie
    again = thief.answer(challenges[1], "POST", named)
    later = sessions.by(Ahead(system.base.clock, _LIFE))

    def device(where: Sessions, shown: str | None) -> str | None:
        return where.authenticate(opened.token, _HERE, Shown(Scheme.COOKIE, cookie=shown)).device.bound

    def renewed(by: DeviceKey) -> str:
        challenge = bindings.ask(opened.token).challenge
        answer = by.answer(challenge, "POST", bindings.origin + "/device/confirm")
        return bindings.renew(opened.token, answer, _HERE).cookie

    outcomes = [
        device(sessions, cookie) == WEBCRYPTO,
        device(sessions, None) is None,
        device(later, cookie) is None,
        refused(lambda: bindings.bind(opened.id, WEBCRYPTO, again), Conflict, code="device-bound"),
        refused(lambda: renewed(thief), Unauthenticated, code="proof-invalid"),
        refused(lambda: sessions.authenticate(opened.token, _HERE), Unauthenticated, code="proof-required"),
    ]
    return [*outcomes, device(sessions, renewed(key)) == WEBCRYPTO]


def _program(system: System, sessions: Sessions, user: str) -> list[bool]:
    opened, key = sessions.open(user, _FULL, "loopback"), DeviceKey()
    sessions.bind_to(opened.id, Device(DPOP, key.thumbprint))
    origin = system.identity.bindings.origin

    def proof(by: DeviceKey, path: str = _PATH) -> Shown:
        now = epoch_ms(system.base.clock.now())
        jws = by.proof(_METHOD, origin + path, now=now, token=opened.token)
        return Shown(Scheme.DPOP, jws, _METHOD, _PATH)

    def stopped(shown: Shown, code: str = "proof-invalid") -> bool:
        return refused(lambda: sessions.authenticate(opened.token, _HERE, shown), Unauthenticated, code=code)

    mine = proof(key)
    answered = sessions.authenticate(opened.token, _HERE, mine).device.bound == DPOP
    wrong = [stopped(mine), stopped(proof(DeviceKey())), stopped(proof(key, "/v1/keys"))]
    return [answered, *wrong, stopped(Shown(), "proof-required")]


class _Trusting(Devices):
    """The known-bad judge: whatever is shown, the device is the one that was bound."""

    def of(self, binding: Binding, token: str, shown: Shown, now: int) -> Device:
        """What a session says of itself."""
        del token, shown
        return binding.device(now)


def _trusting(system: System) -> Sessions:
    base = system.base
    return Sessions(base.database, base.clock, devices=_Trusting(SpentProofs(base.database, base.clock), base.clock))


CHECKS = (
    Check(
        "bound-sessions",
        ("IDN-03", "ACC-04", "ACC-05"),
        "A synthetic browser and program bind their sessions to keys: without a fresh sign of its key each must "
        "count for nothing, copied cookies must die within five minutes, no other key may renew or replace them, and a "
        "proof must count once. What a browser does with its key is not looked at.",
        lambda system: _bound(system, system.identity.sessions),
        lambda system: _bound(system, _trusting(system)),
        every=6 * 3600,
        scope="sessions of one synthetic browser and program",
        population="uses of a session with and without its key",
    ),
)
