"""/v1/limits and /v1/budgets: what a tenant permits its people and keys. Money is written in the currency: 12.50."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from troth.gateway.wire.fields import Answer, Identifier, Wire
from troth.kernel.reasons import Why

Of = Literal["tenant", "user", "key"]
Money = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,9}(\.[0-9]{1,6})?$")]
LimitName = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,32}$")]


class ShowLimits(Wire):
    """A request without fields."""


class SetLimits(Wire):
    """Limits, whole, of the tenant, or of each person or key; with `target` of that one. None at all removes them."""

    of: Of = Field(description="Of the tenant, or of each user or key.")
    target: Identifier | None = Field(default=None, description="The id of one person, API key or service account.")
    limits: Annotated[dict[LimitName, Decimal], Field(max_length=32)] = Field(
        description='By name, as {"requests-per-minute": 60, "money-per-month": 25.00}; {} removes them.'
    )
    seen: int | None = Field(
        default=None, ge=0, description="`set_at` of those that these build on, 0 for none: refused if others were set."
    )
    reason: Why


class SetBudget(Wire):
    """A budget of the tenant, or of one person, API key or service account. Of each and each time there is one."""

    of: Of
    target: Identifier | None = Field(default=None, description="The id of the person, API key or service account.")
    per: Literal["day", "month"] = "month"
    amount: Money = Field(description="In the currency of this service, as 250.00.")
    at_end: Literal["alert", "stop"] = Field(description="What happens at 100 percent: an alert alone, or a refusal.")
    reason: Why


class RemoveBudget(Wire):
    """The budget, and why it goes."""

    budget_id: Identifier
    reason: Why


class OwnLimitShown(Answer):
    """`target` is the id of one; None: each of them. `set_at` in epoch ms."""

    of: str
    target: str | None
    limits: dict[str, str]
    set_by: str
    set_at: int


class BudgetShown(Answer):
    """One budget in its present day or month (UTC); `began`, `ends` and the times of `alerts`, by percentage, in epoch
    ms."""

    id: str
    of: str
    target: str
    per: str
    amount: str
    currency: str
    at_end: str
    spent: str
    percent: int
    began: int
    ends: int
    alerts: dict[str, int]


class LimitsShown(Answer):
    """`service`: what the service permits, by tenant, user and key. `own`: what the tenant set below it."""

    currency: str
    service: dict[str, dict[str, str]]
    own: list[OwnLimitShown]
    budgets: list[BudgetShown]
