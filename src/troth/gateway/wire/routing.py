"""/v1/routing-policy: what a tenant wants of the vendors that its requests go to."""

from __future__ import annotations

from troth.gateway.vendors.routing import RoutingPolicy
from troth.gateway.wire.fields import Answer, Wire
from troth.kernel.reasons import Why


class ShowRouting(Wire):
    """A request without fields."""


class SetRouting(Wire):
    """A policy, whole: what it does not name asks for nothing."""

    policy: RoutingPolicy
    reason: Why


class DecideRouting(Wire):
    """Whether the looser policy that waits is put in force, and why."""

    approved: bool
    reason: Why


class RoutingShown(Answer):
    """`policy` is in force. `wished` waits for somebody other than `wished_by`, because it is looser in `looser`."""

    policy: RoutingPolicy
    set_at: int | None
    wished: RoutingPolicy | None
    wished_by: str | None
    looser: tuple[str, ...]
