"""Limits and budgets that a tenant sets itself, as doors may ask for them."""

from __future__ import annotations

from collections.abc import Iterable

from troth.gateway.limits.budgets import Budget, Budgets, Wished
from troth.gateway.limits.own import OwnLimit, OwnLimits, money, written
from troth.gateway.limits.rules import Amounts, amounts
from troth.gateway.wire import limits as wire
from troth.kernel.errors import Invalid
from troth.kernel.operation import Call, Group, Route, operation


class LimitOperations:
    """What requests may use. `currency`: of the service's limits of money."""

    def __init__(self, own: OwnLimits, budgets: Budgets, currency: str) -> None:
        self._own, self._budgets, self._currency = own, budgets, currency

    @operation("limit.show", group=Group.OWN_DATA, request=wire.ShowLimits, command=("limit", "show"),
               route=Route("GET", "/v1/limits", body="none"))  # fmt: skip
    def show(self, call: Call, request: wire.ShowLimits) -> wire.LimitsShown:  # noqa: ARG002
        """Show the limits and budgets that hold for you and your keys."""
        who = call.tenant, call.subject
        return self._shown(self._own.all(*who), self._budgets.all(*who))

    @operation("limit.tenant", group=Group.ADMINISTER, request=wire.ShowLimits, command=("limit", "tenant"),
               route=Route("GET", "/v1/tenant-limits", body="none"))  # fmt: skip
    def tenant(self, call: Call, request: wire.ShowLimits) -> wire.LimitsShown:  # noqa: ARG002
        """Show all limits and budgets of your tenant."""
        return self._shown(self._own.all(call.tenant), self._budgets.all(call.tenant))

    @operation("limit.set", group=Group.ADMINISTER, request=wire.SetLimits, command=("limit", "set"),
               route=Route("PUT", "/v1/limits"))  # fmt: skip
    def set(self, call: Call, request: wire.SetLimits) -> wire.LimitsShown:
        """Set limits of your tenant, of its people or of its keys, below those of this service."""
        target = _target(request, needed=False)
        limits = amounts(request.limits)
        self._own.set(call.tenant, request.of, target, limits, call.caller.actor, seen=request.seen)
        call.note(kinds={request.of: len(request.limits)}, **({"object": target} if target else {}))
        return self._shown(self._own.all(call.tenant), self._budgets.all(call.tenant))

    @operation("budget.set", group=Group.ADMINISTER, request=wire.SetBudget, command=("budget", "set"),
               route=Route("PUT", "/v1/budgets"))  # fmt: skip
    def set_budget(self, call: Call, request: wire.SetBudget) -> wire.BudgetShown:
        """Set a budget of money for each day or month, of your tenant, a person or a key."""
        target = _target(request, needed=request.of != "tenant") or call.tenant
        amount = amounts({"money-per-month": request.amount})["money-per-month"]
        wished = Wished(request.of, target, request.per, _some(amount), request.at_end == "stop")
        budget = self._budgets.set(call.tenant, wished, call.caller.actor, call.request_id)
        call.note(object=budget, state=request.at_end, count=amount)
        return next(_budget(one) for one in self._budgets.all(call.tenant) if one.id == budget)

    @operation("budget.remove", group=Group.ADMINISTER, request=wire.RemoveBudget, command=("budget", "remove"),
               route=Route("DELETE", "/v1/budgets/{budget_id}", body="none"))  # fmt: skip
    def remove_budget(self, call: Call, request: wire.RemoveBudget) -> wire.LimitsShown:
        """Take a budget away; what was spent counts again when you set one for the same time."""
        self._budgets.remove(call.tenant, request.budget_id)
        call.note(object=request.budget_id)
        return self._shown(self._own.all(call.tenant), self._budgets.all(call.tenant))

    def _shown(self, own: Iterable[OwnLimit], budgets: Iterable[Budget]) -> wire.LimitsShown:
        return wire.LimitsShown(
            currency=self._currency,
            service={scope: _written(self._own.ceilings.get(scope, {})) for scope in ("tenant", "user", "key")},
            own=[
                wire.OwnLimitShown(of=one.scope, target=one.target or None, limits=_written(one.limits),
                                   set_by=one.set_by, set_at=one.set_at)
                for one in own
            ],
            budgets=[_budget(one) for one in budgets],
        )  # fmt: skip


def _target(request: wire.SetLimits | wire.SetBudget, *, needed: bool) -> str:
    if (request.target is not None and request.of == "tenant") or (needed and request.target is None):
        raise Invalid("Name the id of a person or key for those, and none for your tenant.",
                      code="bad-limit-target", field="target")  # fmt: skip
    return request.target or ""


def _some(amount: int) -> int:
    if amount < 1:
        raise Invalid("A budget is more than nothing; to stop all requests, set a limit of 0.", code="bad-budget",
                      field="amount")  # fmt: skip
    return amount


def _written(limits: Amounts) -> dict[str, str]:
    return {name: written(name, limits[name]) for name in sorted(limits)}


def _budget(one: Budget) -> wire.BudgetShown:
    return wire.BudgetShown(
        id=one.id,
        of=one.scope,
        target=one.target,
        per=one.span,
        amount=money(one.amount),
        currency=one.currency,
        at_end="stop" if one.stops else "alert",
        spent=money(one.spent),
        percent=one.spent * 100 // one.amount,
        began=one.began,
        ends=one.ends,
        alerts={str(percent): at for percent, at in one.alerts.items()},
    )
