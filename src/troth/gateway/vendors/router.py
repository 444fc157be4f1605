"""Which vendor a request goes to, which ones may step in, and why the others may not: decided anew for each request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.ports import Ports
from troth.gateway.vendors.record import Retention, State, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.vendors.routing import ANYTHING, Candidate, RoutingPolicy, ordered, permits
from troth.gateway.vendors.terms import weaker
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, TrothError, Unavailable

WEAKER = "weaker-terms"


class PolicySource(Protocol):
    """What tenants want of vendors."""

    def of(self, tenant: str) -> RoutingPolicy:
        """The policy in force for a tenant; the empty one when it set none."""
        ...


class NoPolicies:
    """For parts that are built without tenants: nobody set anything."""

    def of(self, tenant: str) -> RoutingPolicy:  # noqa: ARG002 - the shape of a source
        """The empty policy."""
        return ANYTHING


@dataclass(frozen=True, slots=True)
class Asked:
    """What routing knows of a request. `consent` is looked up only for vendors that keep requests for days."""

    tenant: str
    jurisdiction: str
    model: str
    kind: str
    pictures: bool
    consent: Callable[[], str | None]
    same_shape: bool = False  # the payload is made for whether the vendor speaks the responses API


@dataclass(frozen=True, slots=True)
class Route:
    """Who is asked first, who may step in after (in order), and the code by which each other vendor is refused."""

    asked: Asked
    policy: RoutingPolicy
    first: Candidate
    others: tuple[Candidate, ...]
    refused: tuple[tuple[str, str], ...]


class Router:
    """Chooses by gate, tenant policy, order and health."""

    def __init__(self, vendors: Vendors, ports: Ports, clock: Clock, policies: PolicySource | None = None) -> None:
        self._vendors = vendors
        self._ports = ports
        self._clock = clock
        self._policies = policies or NoPolicies()

    def now(self) -> int:
        """Milliseconds since the epoch by the clock of the installation."""
        return epoch_ms(self._clock.now())

    def route(self, asked: Asked, offering: Sequence[VendorRecord] | None = None) -> Route:
        """`offering`: the vendors that offer the model, where they were read for this request already.

        Raises `NotFound` (model-not-found) and the first vendor's refusal when none may be asked."""
        now, policy = self.now(), self._policies.of(asked.tenant)
        found = self._vendors.offering(asked.model, asked.kind) if offering is None else offering
        known = [self._candidate(one, asked) for one in found]
        if not known:
            raise NotFound("There is no such model; list the models to see those you may use.",
                           code="model-not-found", field="model")  # fmt: skip
        refusals = {one.record.id: refusal for one in known if (refusal := judged(one, asked, policy, now))}
        wished = ordered(known, policy, self._ports.doing)
        best = next((one for one in wished if _counts(one, refusals)), None)
        may = [one for one in wished if one.record.id not in refusals]
        if best is None or not may:
            raise refusals[known[0].record.id]
        equal = [one for one in may if not weaker(best.record, one.record, asked.jurisdiction, now)]
        if not equal:
            raise refusals[best.record.id]
        first, *others = self._awake_first(equal)
        others = [one for one in others if not weaker(first.record, one.record, asked.jurisdiction, now)]
        others = [one for one in others if not asked.same_shape or one.offer.responses == first.offer.responses]
        chosen = {first.record.id, *(one.record.id for one in others)}
        reasons = [
            (one.record.id, refusals[one.record.id].code if one.record.id in refusals else WEAKER)
            for one in known
            if one.record.id not in chosen
        ]
        return Route(asked, policy, first, tuple(others) if policy.fallback else (), tuple(reasons))

    def still(self, route: Route, candidate: Candidate) -> None:
        """Judge once more, at the moment of the call. Raises the refusal."""
        now = self.now()
        if refusal := judged(candidate, route.asked, route.policy, now):
            raise refusal
        if weaker(route.first.record, candidate.record, route.asked.jurisdiction, now):
            raise Unavailable("No vendor with at least equal terms can step in now; try again later.", code=WEAKER)

    def _candidate(self, record: VendorRecord, asked: Asked) -> Candidate:
        offer = record.offer(asked.model, asked.kind)
        assert offer is not None
        return Candidate(record, offer, asked.consent() if record.facts.retention is Retention.DAYS else None)

    def _awake_first(self, candidates: list[Candidate]) -> list[Candidate]:
        return sorted(candidates, key=lambda one: self._ports.doing(one.record.id).resting)


def judged(candidate: Candidate, asked: Asked, policy: RoutingPolicy, now: int) -> TrothError | None:
    """The refusal of the gate or of the tenant's policy, if any."""
    try:
        admissible(candidate.record, RequestFacts(asked.jurisdiction, candidate.consent, asked.pictures), now)
        permits(policy, candidate.record, candidate.offer, now)
    except TrothError as refusal:
        return refusal
    return None


def _counts(candidate: Candidate, refusals: dict[str, TrothError]) -> bool:
    """Whether its terms are the measure: it may be asked, or could be but for a paper that lapsed."""
    refusal = refusals.get(candidate.record.id)
    lapsed = candidate.record.state is State.APPROVED and isinstance(refusal, Unavailable)
    return refusal is None or lapsed
