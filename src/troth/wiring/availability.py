"""Builds what looks at the server's own door and answers for availability."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from troth.identity.keys import NewKey
from troth.identity.users import NewUser
from troth.kernel.scope import as_system
from troth.promises.probe import SERVICE
from troth.promises.system import PROBE_TENANT, Base, System
from troth.telemetry.days import Days
from troth.telemetry.operations import StatusOperations
from troth.telemetry.probing import Door, Probe, Target

_ADDRESS = "door-probe@self-checks.invalid"  # a synthetic member; RFC 2606 keeps the domain out of the world
_KEY_DAYS, _RENEWED_SECONDS = 1, 20 * 3600.0
_SELDOM = 5  # rounds: each look at the gateway leaves two entries in the log of the synthetic tenant


@dataclass(frozen=True, slots=True)
class Availability:
    """The probe, the days in the log, and what doors may ask of them."""

    probe: Probe
    days: Days
    operations: StatusOperations


def build_availability(base: Base, system: Callable[[], System]) -> Availability:
    """`system` is asked when a look is taken: the door opens after everything is built."""
    wish = base.settings.telemetry
    key = ProbeKey(system)
    targets = (
        Target("sign-in", "/sign-in", b"</form>"),
        Target("readiness", "/readyz", b"true"),
        Target("gateway", "/v1/models", b'"data"', every=_SELDOM, headers=key.headers),
    )
    probe = Probe(base.database, base.clock, lambda: _door(system()), targets, max(1, wish.probe_seconds))
    days = Days(base.database, base.outbox, base.clock, proofs=base.prover, entries=base.reader)
    operations = StatusOperations(
        base.database,
        base.clock,
        probe,
        days,
        objective=wish.objective_percent,
        key=str(base.sequencer.origins.key("operator")),
    )
    return Availability(probe, days, operations)


class ProbeKey:
    """An API key of a synthetic person, made anew before it expires; the one before is revoked. Kept in memory only."""

    def __init__(self, system: Callable[[], System]) -> None:
        self._system = system
        self._token = ""
        self._made = float("-inf")

    @as_system
    def headers(self) -> Mapping[str, str]:
        """Headers that carry it."""
        if time.monotonic() - self._made > _RENEWED_SECONDS:
            self._token, self._made = self._fresh(), time.monotonic()
        return {"Authorization": f"Bearer {self._token}"}

    def _fresh(self) -> str:
        system = self._system()
        identity, tenant = system.identity, system.probe_tenant(PROBE_TENANT)
        known = identity.users.account(identity.users.email_index(_ADDRESS))
        if known is None:
            wish = NewUser(tenant, _ADDRESS, "Door probe", frozenset({"member"}), SERVICE)
            user = identity.users.create(wish).id
        else:
            user = known.id
        for one in identity.keys.list(tenant, user):
            identity.keys.revoke(user, one.id)
        return identity.keys.create(NewKey(tenant, user, "door probe", frozenset({"generate"}), _KEY_DAYS)).token


def _door(system: System) -> Door | None:
    listener = system.door.listener
    if listener is None:
        return None
    return Door(listener.host, listener.port, listener.name, listener.authority or listener.certificate)
