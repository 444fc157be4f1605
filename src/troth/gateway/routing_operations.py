"""The routing policy of a tenant, as doors may ask for it."""

from __future__ import annotations

from troth.gateway.routing_policies import RoutingPolicies, Standing
from troth.gateway.wire.routing import DecideRouting, RoutingShown, SetRouting, ShowRouting
from troth.kernel.caller import Caller
from troth.kernel.errors import Denied
from troth.kernel.operation import Call, Group, Route, operation


class RoutingOperations:
    """Which vendors a tenant's requests may go to, set by its owners."""

    def __init__(self, policies: RoutingPolicies) -> None:
        self._policies = policies

    @operation("routing.show", group=Group.OWN_DATA, request=ShowRouting, command=("routing", "show"),
               route=Route("GET", "/v1/routing-policy", body="none"))  # fmt: skip
    def show(self, call: Call, request: ShowRouting) -> RoutingShown:  # noqa: ARG002
        """Show which vendors your tenant's requests may go to."""
        return _shown(self._policies.standing(call.tenant))

    @operation("routing.set", group=Group.ADMINISTER, request=SetRouting, command=("routing", "set"),
               route=Route("PUT", "/v1/routing-policy"))  # fmt: skip
    def set(self, call: Call, request: SetRouting) -> RoutingShown:
        """Say which vendors your tenant's requests may go to; a looser policy waits for a second person."""
        _require_owner(call.caller)
        standing = self._policies.set(call.tenant, request.policy, call.caller.actor)
        call.note(state="waiting" if standing.wished else "in-force")
        return _shown(standing)

    @operation("routing.approve", group=Group.ADMINISTER, request=DecideRouting, command=("routing", "approve"),
               route=Route("POST", "/v1/routing-policy/approval"))  # fmt: skip
    def approve(self, call: Call, request: DecideRouting) -> RoutingShown:
        """Put the looser policy that waits in force, or away; somebody other than who asked must approve it."""
        standing = self._policies.decide(call.tenant, call.caller.actor, approved=request.approved)
        call.note(state="in-force" if request.approved else "put-away")
        return _shown(standing)


def _require_owner(caller: Caller) -> None:
    if "owner" not in caller.roles:
        raise Denied("Only an owner says which vendors are used; ask one.", code="role-not-yours")


def _shown(standing: Standing) -> RoutingShown:
    return RoutingShown(
        policy=standing.policy,
        set_at=standing.set_at,
        wished=standing.wished,
        wished_by=standing.wished_by,
        looser=standing.looser,
    )
