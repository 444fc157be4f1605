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
    """The house by id and name; both null while none is named, and then no register counts for a promise."""

    model_config = ConfigDict(frozen=True)

    tenant: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class HouseOperations:
    """For operators."""

    house: House

    @operation("house.show", group=Group.OPERATE, request=ShowHouse, command=("house", "show"),
               route=Route("GET", "/v1/house", body="none"))  # fmt: skip
    def show(self, _call: Call, _request: ShowHouse) -> HouseShown:
        """Show which tenant is the house, whose registers count for the promises."""
        return _shown(self.house.named())

    @operation("house.name", group=Group.OPERATE, request=NameHouse, command=("house", "name"),
               route=Route("POST", "/v1/house/{tenant_id}"))  # fmt: skip
    def name(self, call: Call, request: NameHouse) -> HouseShown:
        """Name the tenant whose registers count for the promises from now on."""
        before = self.house.name(request.tenant_id)
        call.note(tenant=request.tenant_id, reason=request.reason)
        if before is not None:
            call.note(previous=before.tenant)
        return _shown(self.house.named())


def _shown(named: Named | None) -> HouseShown:
    return HouseShown(tenant=named.tenant if named else None, name=named.name if named else None)
