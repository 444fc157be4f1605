"""The redaction policy of a tenant, as doors may ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.data_class import DataClass
from troth.kernel.errors import NotFound
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.kernel.reasons import Why
from troth.redact.decisions import Policy
from troth.redact.detect.kinds import CATEGORIES, KINDS
from troth.redact.tenant_policies import LARGEST, Standing, TenantPolicies


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Message):
    """A request without fields."""


class PolicySet(_Message):
    """A policy in YAML, every category decided (docs/reference/redaction.md)."""

    policy: Annotated[str, Field(min_length=1, max_length=LARGEST)]
    reason: Why


class PolicyClear(_Message):
    """The end of a policy of one's own, and why."""

    reason: Why


class DecisionShown(_Message):
    """One category, and the kinds of it that are decided otherwise. `reason`: why it is kept."""

    category: str
    title: str
    action: str
    reason: str
    differing: dict[str, str]


class PolicyShown(_Message):
    """What is in force. `own`: whether the tenant set it. Lists are counted and never shown here."""

    own: bool
    name: str
    version: int
    digest: str
    set_at: int | None
    may_keep: bool
    decisions: tuple[DecisionShown, ...]
    detectors: tuple[str, ...]
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionPolicyOperations:
    """What vendors may not see of a tenant's prompts."""

    policies: TenantPolicies

    @operation("redaction.show", group=Group.OWN_DATA, request=Asked, command=("redaction", "show"),
               data_class=DataClass.SYSTEM, route=Route("GET", "/v1/redaction-policy", body="none"))  # fmt: skip
    def show(self, call: Call, request: Asked) -> PolicyShown:
        """Show what is taken out of your tenant's prompts before a vendor sees them."""
        del request
        return shown(self.policies.standing(call.tenant), may_keep=self.policies.may_keep)

    @operation("redaction.export", group=Group.PRIVACY, request=Asked, command=("redaction", "export"),
               data_class=DataClass.ACCOUNT, route=Route("GET", "/v1/redaction-policy/text", body="none"))  # fmt: skip
    def export(self, call: Call, request: Asked) -> Binary:
        """Give your tenant's own policy as it was written, its lists included."""
        del request
        own = self.policies.standing(call.tenant).own
        if own is None:
            raise NotFound(
                "Your tenant has no policy of its own; the policy of this service holds.", code="no-own-policy"
            )
        return Binary(own.encode(), "application/yaml", filename="redaction-policy.yaml")

    @operation("redaction.set", group=Group.PRIVACY, request=PolicySet, command=("redaction", "set"),
               data_class=DataClass.ACCOUNT, route=Route("PUT", "/v1/redaction-policy"))  # fmt: skip
    def set(self, call: Call, request: PolicySet) -> PolicyShown:
        """Put a policy of your tenant's own in force; it may take out more than this service does, not less."""
        standing = self.policies.set(call.tenant, request.policy, actor=call.caller.actor, request=call.request_id)
        call.note(policy=standing.in_force.name, version=standing.in_force.version)
        return shown(standing, may_keep=self.policies.may_keep)

    @operation("redaction.clear", group=Group.PRIVACY, request=PolicyClear, command=("redaction", "clear"),
               data_class=DataClass.SYSTEM, route=Route("DELETE", "/v1/redaction-policy", body="none"))  # fmt: skip
    def clear(self, call: Call, request: PolicyClear) -> PolicyShown:
        """Remove your tenant's own policy; the policy of this service holds again."""
        del request
        standing = self.policies.clear(call.tenant, actor=call.caller.actor, request=call.request_id)
        return shown(standing, may_keep=self.policies.may_keep)


def shown(standing: Standing, *, may_keep: bool) -> PolicyShown:
    """A policy as people read it."""
    policy = standing.in_force
    return PolicyShown(
        own=standing.own is not None,
        name=policy.name,
        version=policy.version,
        digest=policy.digest(),
        set_at=standing.set_at,
        may_keep=may_keep,
        decisions=tuple(_decision(policy, name) for name in CATEGORIES),
        detectors=tuple(one.name for one in policy.detectors),
        allowed=len(policy.allow),
    )


def _decision(policy: Policy, category: str) -> DecisionShown:
    decision = policy.decisions[category]
    return DecisionShown(
        category=category,
        title=CATEGORIES[category].title,
        action=decision.action.value,
        reason=decision.reason,
        differing={k: d.action.value for k, d in policy.kinds.items() if KINDS[k].category == category},
    )
