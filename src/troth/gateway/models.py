"""GET /v1/models: what this caller could ask for now."""

from __future__ import annotations

from troth.gateway.vendors.gate import RequestFacts, admissible
from troth.gateway.vendors.record import Offer, VendorRecord
from troth.gateway.vendors.registry import Vendors
from troth.gateway.vendors.router import NoPolicies, PolicySource
from troth.gateway.vendors.routing import RoutingPolicy, permits
from troth.gateway.wire.models import Model, Models
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import NotFound, TrothError
from troth.kernel.operation import Call

# Consent is asked for per request, and a model that needs it is listed: its refusal says which consent is missing.
_ASSUMED = "assumed"


class ModelList:
    """Models of the vendors that pass the gate for the caller's jurisdiction, and that the caller's key may use."""

    def __init__(self, vendors: Vendors, clock: Clock, policies: PolicySource | None = None) -> None:
        self._vendors = vendors
        self._clock = clock
        self._policies = policies or NoPolicies()

    def all(self, call: Call) -> Models:
        """By name; a model of two vendors appears once, as the first's."""
        now, policy = epoch_ms(self._clock.now()), self._policies.of(call.tenant)
        facts = RequestFacts(call.caller.jurisdiction, consent=_ASSUMED)
        found: dict[str, Model] = {}
        for record in self._vendors.all():
            if _passes(record, facts, now):
                for offer in (one for one in record.facts.offers if call.caller.may_use(one.model)):
                    if not _wanted(policy, record, offer, now):
                        continue
                    created = record.changed_at // 1000
                    found.setdefault(offer.model, Model(id=offer.model, created=created, owned_by=record.id))
        return Models(data=[found[name] for name in sorted(found)])

    def one(self, call: Call, name: str) -> Model:
        """One model. Raises `NotFound` (model-not-found)."""
        for model in self.all(call).data:
            if model.id == name:
                return model
        raise NotFound("There is no such model; list the models to see those you may use.", code="model-not-found",
                       field="model")  # fmt: skip


def _wanted(policy: RoutingPolicy, record: VendorRecord, offer: Offer, now: int) -> bool:
    try:
        permits(policy, record, offer, now)
    except TrothError:
        return False
    return True


def _passes(record: VendorRecord, facts: RequestFacts, now: int) -> bool:
    try:
        admissible(record, facts, now)
    except TrothError:
        return False
    return True
