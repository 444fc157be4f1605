"""The house, as operators name it: nobody else says whose registers count for the promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.governance.house import House, Named
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.reasons import Why


class ShowHouse(BaseModel):
    """A request without fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NameHouse(BaseModel):
    """The tenant that publishes the paper, and why it is this one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^ten_[a-z2-7]+$")]
    reason: Why


class HouseShown(BaseModel):
    """The house by id and name; both null while none is named, and then no register counts for a promise.

    `named_at`: since when it is; what was agreed to before excuses nothing. `proposed`: the tenant that waits for a
    second operator, who asked and when. Times in epoch ms.
    """

    model_config = ConfigDict(frozen=True)

    tenant: str | None
    name: str | None
    named_at: int | None = None
    proposed: str | None = None
    proposed_by: str | None = None
    proposed_at: int | None = None


@dataclass(frozen=True, slots=True)
class HouseOperations:
    """For operators."""

    house: House

    @operation("house.show", group=Group.OPERATE, request=ShowHouse, command=("house", "show"),
               route=Route("GET", "/v1/house", body="none"))  # fmt: skip
    def show(self, _call: Call, _request: ShowHouse) -> HouseShown:
        """Show which tenant is the house, whose registers count for the promises."""
        return _shown(self.house)

    @operation("house.name", group=Group.OPERATE, request=NameHouse, command=("house", "name"),
               route=Route("POST", "/v1/house/{tenant_id}"))  # fmt: skip
    def name(self, call: Call, request: NameHouse) -> HouseShown:
        """Name the tenant whose registers count for the promises; after the first, another operator approves it."""
        self._noted(call, request, self.house.name(request.tenant_id, call.caller.actor))
        return _shown(self.house)

    @operation("house.approve", group=Group.OPERATE, request=NameHouse, command=("house", "approve"),
               route=Route("POST", "/v1/house/{tenant_id}/approval"))  # fmt: skip
    def approve(self, call: Call, request: NameHouse) -> HouseShown:
        """Agree that another tenant is the house from now on; what was agreed to before excuses nothing."""
        self._noted(call, request, self.house.approve(request.tenant_id, call.caller.actor))
        return _shown(self.house)

    def _noted(self, call: Call, request: NameHouse, before: Named | None) -> None:
        call.note(tenant=request.tenant_id, reason=request.reason)
        if before is not None:
            call.note(previous=before.tenant)


def _shown(house: House) -> HouseShown:
    named, waiting = house.named(), house.proposed()
    now = {"tenant": named.tenant, "name": named.name, "named_at": named.since} if named else {}
    next_one = {"proposed": waiting.tenant, "proposed_by": waiting.by, "proposed_at": waiting.at} if waiting else {}
    return HouseShown.model_validate({"tenant": None, "name": None} | now | next_one)
