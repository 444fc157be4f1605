"""What operators may ask of the keys: how they stand, a rotation, the answer to a compromise. Never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from troth.kernel.operation import Call, Group, Route, operation
from troth.keys.incidents import Incidents
from troth.keys.tree import KeyTree, Scope

_Tenant = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^ten_[a-z2-7]+$")]
_Reason = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9-]*$")]


class KeysListRequest(BaseModel):
    """Nothing to choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KeysRotateRequest(BaseModel):
    """The roots, or the units of one tenant: what is sealed goes on opening, and nothing is rewritten."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: _Tenant | None = None


class KeysCompromiseRequest(BaseModel):
    """What was exposed: the roots, or the units of one tenant. `reason` is a token such as `lost-token`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: _Reason
    tenant: _Tenant | None = None


class RootView(BaseModel):
    """A root that is not destroyed; times in epoch ms."""

    model_config = ConfigDict(from_attributes=True)

    domain: str
    root: str
    epoch: int
    assurance: str
    state: str
    reason: str
    created_at: int
    activated_at: int | None
    deactivated_at: int | None


class KeysView(BaseModel):
    """How the keys stand: numbers by state (SP 800-57) and by reason; times in epoch ms."""

    model_config = ConfigDict(from_attributes=True)

    jurisdiction: str
    epoch: int
    manifest: str
    split: bool
    since: int
    due_at: int
    roots: tuple[RootView, ...]
    roots_destroyed: int
    units: dict[str, int]
    owners: dict[str, int]
    suspensions: dict[str, int]
    units_due: int


class KeysChanged(BaseModel):
    """The epoch in force, and how many units were replaced and destroyed."""

    epoch: int
    units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOperations:
    """Root and unit keys, for operators."""

    tree: KeyTree
    incidents: Incidents

    @operation(
        "keys.list",
        group=Group.OPERATE,
        request=KeysListRequest,
        route=Route("GET", "/v1/root-keys", body="none"),
        command=("keys", "list"),
    )
    def list(self, call: Call, request: KeysListRequest) -> KeysView:
        """How the keys stand: states, epochs, domains, cryptoperiods."""
        del request
        found = self.tree.inventory()
        call.note(epoch=found.epoch, count=len(found.roots))
        return KeysView.model_validate(found)

    @operation(
        "keys.rotate",
        group=Group.OPERATE,
        request=KeysRotateRequest,
        route=Route("POST", "/v1/root-keys/rotation"),
        command=("keys", "rotate"),
    )
    def rotate(self, call: Call, request: KeysRotateRequest) -> KeysChanged:
        """Replace the roots, or let the units of a tenant protect nothing new."""
        if request.tenant is None:
            self.tree.rotate()
        else:
            self.tree.rotate_units(Scope.of_tenant(request.tenant))
        return self._changed(call, request.tenant, 0)

    @operation(
        "keys.compromise",
        group=Group.OPERATE,
        request=KeysCompromiseRequest,
        route=Route("POST", "/v1/root-keys/compromise"),
        command=("keys", "compromise"),
    )
    def compromise(self, call: Call, request: KeysCompromiseRequest) -> KeysChanged:
        """Replace keys that were exposed, and destroy them as compromised."""
        call.note(reason=request.reason)
        if request.tenant is None:
            self.incidents.roots(request.reason)
            return self._changed(call, None, 0)
        units = self.incidents.units(Scope.of_tenant(request.tenant), request.reason)
        return self._changed(call, request.tenant, units)

    def _changed(self, call: Call, tenant: str | None, units: int) -> KeysChanged:
        epoch = self.tree.epoch
        call.note(epoch=epoch, units=units, **({"tenant": tenant} if tenant else {}))
        return KeysChanged(epoch=epoch, units=units)
