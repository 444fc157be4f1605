"""Takes an estimate before a request goes on, and settles it by what came. Right after key and tenant are known.

What a request that fails or is refused has not used is given back; it costs the request. A ticket is settled once, so a
vendor that steps in for another adds nothing, and a stream that breaks is settled by what came of it.
"""

from __future__ import annotations

import hmac
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from troth.gateway.limits.buckets import Buckets, Change, Claim, Taken
from troth.gateway.limits.budgets import Budgets, Held, Standings
from troth.gateway.limits.counting import Came, Estimate
from troth.gateway.limits.memory import MemoryBuckets
from troth.gateway.limits.own import OwnLimits
from troth.gateway.limits.rules import Amounts, Kind, Moment, moment, rule
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import TooMany, TrothError, Unavailable
from troth.kernel.operation import Call

_leases = count(1)
LEASE_MS = 15 * 60_000  # a place of a process that died is free again after so long; no vendor may take longer
_TOLD = {Kind.REQUESTS: "requests", Kind.TOKENS: "tokens"}  # what OpenAI's headers speak of
_WHOSE = {"tenant": "of your organisation", "user": "of yours", "key": "of this API key"}


class Price(Protocol):
    """What a model costs; `vendors.papers.Price` is one."""

    @property
    def currency(self) -> str:
        """ISO 4217."""
        ...

    def cost(self, *, tokens_in: int = 0, tokens_out: int = 0, pictures: int = 0, seconds: float = 0.0) -> int:
        """Millionths of the currency."""
        ...


class Used(Protocol):
    """What rows say of a month; `usage.Usage.used` is one."""

    def __call__(self, tenant: str, scope: str, target: str, of: Moment) -> Callable[[Kind, str], int]:
        """How much of a kind a tenant, user or key used in the month around `of`; money in that currency."""
        ...


@dataclass(frozen=True, slots=True)
class _Scoped:
    scope: str
    target: str
    claim: Claim


@dataclass(slots=True)
class Ticket:
    """One request that was admitted. `came` is what the vendor did for it so far."""

    claims: Sequence[Claim]
    taken: Taken
    since: Moment
    lease: str
    settle: Callable[[Ticket], None]
    came: Came = field(default_factory=Came)
    money: int = 0
    currency: str = ""  # of the money; empty where there is no price
    over: bool = False
    promised: Callable[[], None] = lambda: None  # gives back what budgets hold for it

    def end(self, price: Price | None) -> None:
        """Settle by what came, at the price of whoever did it. A second call does nothing."""
        if self.over:
            return
        self.over = True
        if price is None:
            self.promised()  # or the row of the request does, in its transaction
        else:
            self.money, self.currency = cost(price, self.came.used()), price.currency
        self.settle(self)


class Limiter:
    """The limits of an installation: for each tenant, each person and each key. `secret` makes names of buckets."""

    def __init__(
        self,
        limits: Mapping[str, Amounts],
        clock: Clock,
        secret: bytes,
        *,
        buckets: Buckets | None = None,
        currency: str = "USD",
        used: Used | None = None,
        own: OwnLimits | None = None,
        budgets: Budgets | None = None,
    ) -> None:
        """`own`: what tenants set below `limits`, which it knows too."""
        self._limits, self._own, self._budgets = limits, own, budgets
        self._clock = clock
        self._secret = secret
        self._buckets = buckets or MemoryBuckets()
        self._currency = currency
        self._used = used  # what a month begins with that the buckets do not know
        self._later = ThreadPoolExecutor(1, "limits") if self._buckets.remote else None

    def begin(self, call: Call, estimate: Estimate, prices: Sequence[Price | None]) -> Ticket:
        """Admit a request, and tell the call's answer how the limits stand.

        `prices` of the vendors that may do it; the dearest counts. Raises `TooMany` (rate-limit-exceeded,
        insufficient-quota, request-beyond-limit, budget-spent, budget-promised), `Unavailable` (limits-away,
        price-missing, and what budgets and own limits raise when they cannot be read).
        """
        since = moment(epoch_ms(self._clock.now()))
        limits, budgets, standings = self._limits_of(call), self._budgets if prices else None, None
        if budgets is not None:
            standings = budgets.holding(call.tenant, call.subject, key_of(call), since)
        money = self._money(estimate, prices, limits, standings.stopping if standings else [])
        if budgets is not None and standings is not None:
            budgets.require(standings, since, call.told)
        scoped = self._claims(call, estimate, money, limits)
        ticket = self._taken(call, estimate, scoped, since)
        if budgets is not None and standings is not None and money:
            _promise(budgets, ticket, standings, money, call.told)
        return ticket

    def require(self, call: Call, estimate: Estimate) -> None:
        """Raises what `begin` would say now of what costs no money, and takes nothing.

        For whoever must work before `begin` knows enough: who has used up their limits gets no work done.
        """
        since = moment(epoch_ms(self._clock.now()))
        ticket = self._taken(call, estimate, self._claims(call, estimate, 0, self._limits_of(call)), since)
        changes = [
            Change(claim, standing, since.month, -claim.amount)
            for claim, standing in zip(ticket.claims, ticket.taken.standings, strict=True)
        ]
        self._buckets.settle(changes, since, ticket.lease)

    def close(self) -> None:
        """Finish what waits to be settled."""
        if self._later is not None:
            self._later.shutdown()

    def _limits_of(self, call: Call) -> Mapping[str, Amounts]:
        if self._own is None:
            return self._limits
        return self._own.of(call.tenant, call.subject, key_of(call))

    def _taken(self, call: Call, estimate: Estimate, scoped: Sequence[_Scoped], since: Moment) -> Ticket:
        claims, lease = [one.claim for one in scoped], f"{call.request_id}.{next(_leases)}"  # of each part its own
        if not claims:
            return Ticket((), Taken(), since, lease, lambda _ticket: None, Came(estimate))
        taken = self._buckets.take(
            claims, since, (lease, since.now + LEASE_MS), lambda place: self._seed(call.tenant, scoped[place], since)
        )
        if taken.refused is not None:
            one = scoped[taken.refused]
            call.told.update(_headers([one.claim], Taken()))
            raise _refusal(call, one, taken.wait_ms)
        call.told.update(_headers(claims, taken))
        return Ticket(claims, taken, since, lease, self._settle, Came(estimate))

    def _money(
        self,
        estimate: Estimate,
        prices: Sequence[Price | None],
        limits: Mapping[str, Amounts],
        stopping_budgets: Sequence[Held],
    ) -> int:
        stopping = [one.currency for one in stopping_budgets]
        if not prices or not (stopping or _priced(limits)):
            return 0
        wanted = {self._currency, *stopping}
        if any(one is None or {one.currency} != wanted for one in prices):
            raise Unavailable(
                f"This model has no price in {self._currency}, so its cost cannot be limited; the operator records it.",
                code="price-missing",
            )
        return max(cost(one, estimate) for one in prices if one is not None)

    def _claims(self, call: Call, estimate: Estimate, money: int, limits: Mapping[str, Amounts]) -> list[_Scoped]:
        whose = {"tenant": call.tenant, "user": call.subject}
        if key := key_of(call):
            whose["key"] = key
        tag = self._name("tenant", call.tenant)[:16]
        return [
            _Scoped(scope, target, Claim(f"{{{tag}}}{self._name(scope, target, name)}", rule(name), most,
                                 estimate.of(rule(name).kind, money)))
            for scope, target in whose.items()
            for name, most in limits.get(scope, {}).items()
        ]  # fmt: skip

    def _seed(self, tenant: str, one: _Scoped, since: Moment) -> int:
        """What the month's sum begins with, after a restart: by the rows."""
        if self._used is None:
            return 0
        return self._used(tenant, one.scope, one.target, since)(one.claim.rule.kind, self._currency)

    def _name(self, *parts: str) -> str:
        return hmac.digest(self._secret, "\0".join(parts).encode(), "sha256").hex()[:32]

    def _settle(self, ticket: Ticket) -> None:
        if self._later is not None:  # a round trip, and this may be an event loop's thread
            self._later.submit(self._settled, ticket)
        else:
            self._settled(ticket)

    def _settled(self, ticket: Ticket) -> None:
        """What cannot be settled stays as it was estimated."""
        used, now = ticket.came.used(), moment(epoch_ms(self._clock.now()))
        changes = [
            Change(claim, standing, ticket.since.month, used.of(claim.rule.kind, ticket.money) - claim.amount)
            for claim, standing in zip(ticket.claims, ticket.taken.standings, strict=True)
        ]
        with suppress(Unavailable):
            self._buckets.settle(changes, now, ticket.lease)


def _promise(budgets: Budgets, ticket: Ticket, standings: Standings, money: int, told: dict[str, str]) -> None:
    """Budgets that stop hold the estimate until the request's row stands."""
    try:
        ticket.promised = budgets.promise(standings, money, (ticket.since, ticket.since.now + LEASE_MS), told)
    except TrothError:
        ticket.end(None)
        raise


def key_of(call: Call) -> str:
    """The API key or service account of a call; empty for a person's own session."""
    caller = call.caller
    return caller.actor if caller.actor != caller.subject or caller.kind == "service" else ""


def _priced(limits: Mapping[str, Amounts]) -> bool:
    return any(rule(name).kind is Kind.MONEY for table in limits.values() for name in table)


def cost(price: Price, what: Estimate) -> int:
    """Millionths of the price's currency."""
    return price.cost(tokens_in=what.tokens_in, tokens_out=what.tokens_out, pictures=what.images, seconds=what.seconds)


def _refusal(call: Call, one: _Scoped, wait_ms: int) -> TooMany:
    name, whose = one.claim.rule.name, _WHOSE[one.scope]
    if wait_ms == -1:
        call.told["x-should-retry"] = "false"
        advice = f"This request alone is more than the limit {name} {whose}; ask for less at once."
        return TooMany(advice, code="request-beyond-limit")
    seconds = math.ceil(wait_ms / 1000)
    if one.claim.rule.kind is Kind.MONEY:
        call.told["x-should-retry"] = "false"
        advice = f"The money of the limit {name} {whose} is spent; ask your administrator, or wait for its end."
        return TooMany(advice, code="insufficient-quota", seconds=seconds)
    return TooMany(f"The limit {name} {whose} is reached; ask again in {seconds} s.", code="rate-limit-exceeded",
                   seconds=seconds)  # fmt: skip


def _headers(claims: Sequence[Claim], taken: Taken) -> dict[str, str]:
    """`x-ratelimit-limit-requests` and so on, as OpenAI sends them, of the limits that are nearest to their end."""
    told: dict[str, str] = {}
    for kind, word in _TOLD.items():
        found = [
            (standing.left, standing.reset_ms, claim.most)
            for claim, standing in zip(claims, taken.standings, strict=False)
            if claim.rule.kind is kind
        ]
        found += [(0, 0, claim.most) for claim in claims if claim.rule.kind is kind and not taken.standings]
        if found:
            left, reset, most = min(found, key=lambda one: one[0] / max(1, one[2]))
            told |= {f"x-ratelimit-limit-{word}": str(most), f"x-ratelimit-remaining-{word}": str(left)}
            told |= {f"x-ratelimit-reset-{word}": duration(reset)} if taken.standings else {}
    return told


def duration(ms: int) -> str:
    """As OpenAI writes it: 120ms, 1s, 6m0s, 24h0m0s."""
    if ms < 1000:
        return f"{ms}ms"
    seconds = math.ceil(ms / 1000)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours}h{minutes}m{seconds % 60}s"
    return f"{minutes}m{seconds % 60}s" if minutes else f"{seconds}s"
