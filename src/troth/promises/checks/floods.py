"""EDG-02: a flood from one client takes nothing away from another. The limiters are real ones, with fresh counts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import cycle

from troth.gateway.limits.counting import Estimate
from troth.gateway.limits.limiter import Limiter
from troth.kernel.caller import Caller
from troth.kernel.errors import TooMany, Unavailable
from troth.kernel.ids import new_id
from troth.kernel.operation import Call
from troth.promises.check import Check, Facts, counted
from troth.promises.probe import refused
from troth.promises.system import Guard, System

_TIMES = 20  # the limit, as the promise's acceptance has it
_MOST = 200_000  # requests of one flood; who permits half as many a minute has no limit
_FLOODER, _OTHER = ("192.0.2.1", "2001:db8:0:1::"), ("198.51.100.1", "2001:db8:0:2::1")  # RFC 5737, RFC 3849
_PIECE = 1 << 20  # bytes of a body
_LIMITS = {"tenant": {"requests-per-minute": 40, "concurrent": 40}, "user": {"requests-per-minute": 30}}
_ESTIMATE = Estimate(tokens_in=1)
Ask = Callable[[], object]


@dataclass(frozen=True)
class _Standing:
    """A clock that stands still."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def _beside(flood: Ask, other: Ask, limit: int) -> list[bool]:
    """Of a flood of 20 times the limit just the limit goes through; in its midst the other asks as often as it may."""
    through = served = 0
    asked = min(_TIMES * limit, _MOST)
    for number in range(asked):
        through += not refused(flood, TooMany)
        if number % _TIMES == _TIMES - 1:
            served += not refused(other, TooMany)
    return [through == limit, served == asked // _TIMES]


def _door(system: System, guard: Guard, other: tuple[str, str]) -> list[bool]:
    """Requests of addresses and of credentials, by the limits of this door."""
    server = system.base.settings.server
    outcomes = []
    for first, second in zip(_FLOODER, other, strict=True):
        several = cycle([f"{first}{one:x}" for one in range(8)] if first.endswith(":") else [first])  # of one /64
        flood = partial(lambda several: guard.stranger(next(several)), several)
        outcomes += _beside(flood, partial(guard.stranger, second), server.anonymous_per_minute)
    one, two = (partial(guard.credential, f"key_{host}") for host in (_FLOODER[0], other[0]))
    return outcomes + _beside(one, two, server.requests_per_minute)


def _bodies(system: System, guard: Guard, other: tuple[str, str]) -> list[bool]:
    """Bodies of one address fill no more than its part; one of another has room then."""
    server = system.base.settings.server
    taken = 0
    while taken <= server.bodies_in_memory and not refused(lambda: guard.body(_FLOODER[0], _PIECE), Unavailable):
        taken += _PIECE
    fits = not refused(lambda: guard.body(other[0], _PIECE), Unavailable)
    return [taken < server.bodies_in_memory, fits]


def _gateway(system: System, other: tuple[str, str]) -> list[bool]:
    """Requests to vendors by one person, by made-up limits: those of another tenant go on."""
    now = system.base.clock.now()
    limiter = Limiter(_LIMITS, _Standing(now), bytes(32))

    def ask(tenant: str, subject: str) -> None:
        call = Call(Caller(subject, "user", tenant=tenant, subject=subject), new_id("req"), now)
        limiter.begin(call, _ESTIMATE, ()).end(None)

    tenant = "ten_one" if other == _FLOODER else "ten_two"
    flood, quiet = partial(ask, "ten_one", "usr_one"), partial(ask, tenant, "usr_two")
    return _beside(flood, quiet, _LIMITS["user"]["requests-per-minute"])


def _flooded(system: System, other: tuple[str, str] = _OTHER) -> Facts:
    """One client floods, `other` asks beside it."""
    if system.door.guard is None:
        return Facts(population=1, tested=0, broken=0)  # no door was built: could not look
    with closing(system.door.guard()) as guard:
        outcomes = _door(system, guard, other) + _bodies(system, guard, other)
    return counted(outcomes + _gateway(system, other))


CHECKS = (
    Check(
        "flood-beside-another",
        ("EDG-02",),
        "The door's limiters, fresh, get 20 times their limit from one address, /64 and key: just the limit passes, "
        "and another client is never refused. Bodies of one address must leave room for others; the limiter before "
        "vendors must hold tenants apart, by made-up limits. How quickly others are answered meanwhile, and floods "
        "below HTTP, are not looked at.",
        _flooded,
        lambda system: _flooded(system, _FLOODER),
        every=6 * 3600,
        scope="limiters of requests and bodies, of door and gateway",
        population="floods by one client, and others served beside them",
    ),
)
