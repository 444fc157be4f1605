"""Where a tenant moves to, as operators enter and agree to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.reasons import Why
from troth.vault.messages import Message, Nothing
from troth.vault.moving.pins import Pin, Pins

_Tenant = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^ten_[a-z2-7]+$")]


class MovePin(Message):
    """The destination's signer as its /.well-known/troth.json says: name=hex."""

    tenant_id: _Tenant
    signer: str = Field(min_length=66, max_length=193, pattern=r"^[^\x00-\x1f\x7f]+$")


class MoveAgree(Message):
    """The key's fingerprint, as `troth tenant-move invite` shows it at the destination: 32 hex digits."""

    tenant_id: _Tenant
    fingerprint: str = Field(min_length=32, max_length=80)
    reason: Why


class MoveCancel(Message):
    """The end of a destination, and why."""

    tenant_id: _Tenant
    reason: Why


class MoveShown(Message):
    """A destination; who agrees reads the fingerprint there, so it is not shown before. Times in epoch ms."""

    tenant: str
    signer: str
    pinned_by: str
    pinned_at: int
    agreed_by: str | None
    agreed_at: int | None
    key: str | None

    @classmethod
    def of(cls, pin: Pin) -> MoveShown:
        """The outward form."""
        shown = {name: getattr(pin, name) for name in cls.model_fields}
        return cls(**shown | {"key": pin.key if pin.agreed_at is not None else None})


class MoveList(Message):
    """The newest first."""

    moves: tuple[MoveShown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveOperations:
    """Destinations of tenants that move. `customer` raises `NotFound` for who is no tenant."""

    pins: Pins
    customer: Callable[[str], object]

    @operation(
        "move.pin",
        group=Group.OPERATE,
        request=MovePin,
        route=Route("POST", "/v1/moves", status=201),
        command=("move", "pin"),
        data_class=DataClass.SYSTEM,
    )
    def pin(self, call: Call, request: MovePin) -> MoveShown:
        """Enter the installation that a tenant moves to, by its signing key."""
        self.customer(request.tenant_id)
        call.note(tenant=request.tenant_id)
        return MoveShown.of(self.pins.pin(request.tenant_id, request.signer, actor=call.caller.actor))

    @operation(
        "move.approve",
        group=Group.OPERATE,
        request=MoveAgree,
        route=Route("POST", "/v1/moves/{tenant_id}/approval"),
        command=("move", "approve"),
        data_class=DataClass.SYSTEM,
    )
    def approve(self, call: Call, request: MoveAgree) -> MoveShown:
        """Agree, as the second operator, with the fingerprint that you read at the destination."""
        call.note(tenant=request.tenant_id)
        return MoveShown.of(self.pins.agree(request.tenant_id, request.fingerprint, actor=call.caller.actor))

    @operation(
        "move.cancel",
        group=Group.OPERATE,
        request=MoveCancel,
        route=Route("POST", "/v1/moves/{tenant_id}/cancellation"),
        command=("move", "cancel"),
        data_class=DataClass.SYSTEM,
    )
    def cancel(self, call: Call, request: MoveCancel) -> MoveList:
        """Take a destination back: nothing is packed for it or let go to it any more."""
        call.note(tenant=request.tenant_id)
        self.pins.drop(request.tenant_id, actor=call.caller.actor)
        return MoveList(moves=tuple(MoveShown.of(one) for one in self.pins.list()))

    @operation(
        "move.list",
        group=Group.OPERATE,
        request=Nothing,
        route=Route("GET", "/v1/moves", body="none"),
        command=("move", "list"),
        data_class=DataClass.SYSTEM,
    )
    def list(self, call: Call, request: Nothing) -> MoveList:
        """List the destinations of tenants that move."""
        del request
        found = tuple(MoveShown.of(one) for one in self.pins.list())
        call.note(count=len(found))
        return MoveList(moves=found)
