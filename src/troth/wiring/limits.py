"""Builds what limits requests, and what counts them."""

from __future__ import annotations

from dataclasses import dataclass

from troth.gateway.clearance import Clearance
from troth.gateway.limit_operations import LimitOperations
from troth.gateway.limits.alerts import Alerts
from troth.gateway.limits.budgets import Budgets
from troth.gateway.limits.limiter import Limiter
from troth.gateway.limits.metered import Metered
from troth.gateway.limits.own import OwnLimits
from troth.gateway.limits.promises import SharedRunning
from troth.gateway.limits.rules import amounts
from troth.gateway.limits.usage import Usage
from troth.gateway.limits.valkey import ValkeyBuckets
from troth.gateway.usage_operations import UsageOperations
from troth.promises.system import Base


@dataclass(frozen=True, slots=True)
class Limiting:
    """What limits, what counts, and what tenants set of both."""

    limiter: Limiter
    usage: Usage
    metered: Metered
    operations: tuple[UsageOperations, LimitOperations]


def build_limiting(base: Base, clearance: Clearance) -> Limiting:
    """The limits of the settings and of tenants, which `clearance` keeps from here on.

    Raises `Invalid` for a limit of the settings that is none: what nobody can mean stops the start.
    """
    wanted = base.settings.limits
    buckets = None
    if wanted.valkey_url is not None:
        buckets = ValkeyBuckets(wanted.valkey_url, password=wanted.valkey_password, authority=wanted.valkey_authority)
    limits = {name: amounts(table) for name, table in (("tenant", wanted.tenant), ("user", wanted.user),
                                                       ("key", wanted.key))}  # fmt: skip
    own = OwnLimits(base.database, base.clock, limits)
    running = SharedRunning(buckets, base.secrets.named("limit-names")) if buckets is not None else None
    budgets = Budgets(base.database, base.clock, build_alerts(base), wanted.currency, running=running)
    usage = Usage(base.database, base.clock, keep_days=wanted.usage_days, budgets=budgets)
    limiter = Limiter(limits, base.clock, base.secrets.named("limit-names"), buckets=buckets, currency=wanted.currency,
                      used=usage.used, own=own, budgets=budgets)  # fmt: skip
    clearance.limiter, clearance.usage = limiter, usage
    metered = Metered(limiter, usage)
    return Limiting(limiter, usage, metered, (UsageOperations(usage), LimitOperations(own, budgets, wanted.currency)))


def build_alerts(base: Base) -> Alerts:
    return Alerts(base.database, base.outbox, base.clock)


def build_usage(base: Base) -> Usage:
    """Usage for who forgets it."""
    return Usage(base.database, base.clock, keep_days=base.settings.limits.usage_days)
