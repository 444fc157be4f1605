"""What operators may ask of the keys: how they stand, a rotation, the answer to a compromise. Never a secret."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from troth.kernel.operation import Call, Group, Route, operation
from troth.kernel.reasons import Why
from troth.keys.incidents import Incidents
from troth.keys.replacement_rows import Replacement
from troth.keys.replacements import Replacements
from troth.keys.tree import KeyTree, Scope

_Tenant = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^ten_[a-z2-7]+$")]
_Subject = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^usr_[a-z2-7]+$")]
_Reason = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9-]*$")]


class KeysListRequest(BaseModel):
    """Nothing to choose."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KeysRotateRequest(BaseModel):
    """The roots, or the units of one tenant: what is sealed goes on opening, and nothing is rewritten."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: _Tenant | None = None


class KeysCompromiseRequest(BaseModel):
    """What was exposed: the roots; or the units of one tenant, or of one person there. `reason`: as `lost-token`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: _Reason
    tenant: _Tenant | None = None
    subject: _Subject | None = None

    @model_validator(mode="after")
    def _of_a_tenant(self) -> KeysCompromiseRequest:
        if self.subject and not self.tenant:
            raise ValueError("a person is one of a tenant; name it too")
        return self


class ReplacementNamed(BaseModel):
    """One replacement of exposed keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    replacement_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^rpl_[a-z2-7]+$")]


class ReplacementDecided(ReplacementNamed):
    """A decision about a replacement, and why."""

    reason: Why


class ReplacementShown(BaseModel):
    """How far it is. `done` of `units` were looked through in this pass, `moved`: things sealed anew; times in ms.

    `state`: waiting (for a second operator), open, done, called-off. `fault`: why the last round stopped; it is tried
    again by itself. `subject` is absent for a whole tenant, and after the end.
    """

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: str
    tenant: str
    subject: str | None
    reason: str
    state: str
    actor: str
    approver: str | None
    people: int
    units: int
    done: int
    moved: int
    asked_at: int
    approved_at: int | None
    marked_at: int | None
    ended_at: int | None
    fault: str | None
    fault_at: int | None


class ReplacementList(BaseModel):
    """The newest first."""

    replacements: tuple[ReplacementShown, ...]


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
    """The epoch in force, and the job that replaces units, when that was asked for."""

    epoch: int
    replacement: ReplacementShown | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyOperations:
    """Root and unit keys, for operators."""

    tree: KeyTree
    incidents: Incidents
    replacements: Replacements

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
            call.note(tenant=request.tenant)
        call.note(epoch=self.tree.epoch)
        return KeysChanged(epoch=self.tree.epoch)

    @operation(
        "keys.compromise",
        group=Group.OPERATE,
        request=KeysCompromiseRequest,
        route=Route("POST", "/v1/root-keys/compromise"),
        command=("keys", "compromise"),
    )
    def compromise(self, call: Call, request: KeysCompromiseRequest) -> KeysChanged:
        """Replace keys that were exposed: the roots at once, those of a tenant or a person by a job."""
        call.note(reason=request.reason)
        if request.tenant is None:
            self.incidents.roots(request.reason)
            call.note(epoch=self.tree.epoch)
            return KeysChanged(epoch=self.tree.epoch)
        scope = Scope(tenant=request.tenant, subject=request.subject)
        asked = self.replacements.ask(scope, request.reason, actor=call.caller.actor)
        call.note(tenant=asked.tenant, state=str(asked.state))
        return KeysChanged(epoch=self.tree.epoch, replacement=ReplacementShown.model_validate(asked))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementOperations:
    """The jobs that replace exposed keys of tenants and people, for operators."""

    replacements: Replacements

    @operation(
        "key-replacement.list",
        group=Group.OPERATE,
        request=KeysListRequest,
        route=Route("GET", "/v1/key-replacements", body="none"),
        command=("keys", "replacements"),
    )
    def list(self, call: Call, request: KeysListRequest) -> ReplacementList:
        """List replacements of exposed keys, newest first: what waits, how far the others are."""
        del request
        found = tuple(ReplacementShown.model_validate(one) for one in self.replacements.list())
        call.note(count=len(found))
        return ReplacementList(replacements=found)

    @operation(
        "key-replacement.show",
        group=Group.OPERATE,
        request=ReplacementNamed,
        route=Route("GET", "/v1/key-replacements/{replacement_id}", body="none"),
        command=("keys", "replacement"),
    )
    def show(self, call: Call, request: ReplacementNamed) -> ReplacementShown:
        """Show how far a replacement of exposed keys is."""
        return self._shown(call, self.replacements.show(request.replacement_id))

    @operation(
        "key-replacement.approve",
        group=Group.OPERATE,
        request=ReplacementDecided,
        route=Route("POST", "/v1/key-replacements/{replacement_id}/approval"),
        command=("keys", "approve"),
    )
    def approve(self, call: Call, request: ReplacementDecided) -> ReplacementShown:
        """Agree, as the second operator, to a replacement that concerns many people."""
        return self._shown(call, self.replacements.approve(request.replacement_id, actor=call.caller.actor))

    @operation(
        "key-replacement.cancel",
        group=Group.OPERATE,
        request=ReplacementDecided,
        route=Route("POST", "/v1/key-replacements/{replacement_id}/cancellation"),
        command=("keys", "cancel"),
    )
    def cancel(self, call: Call, request: ReplacementDecided) -> ReplacementShown:
        """Drop a replacement that still waits for the second operator."""
        return self._shown(call, self.replacements.call_off(request.replacement_id))

    def _shown(self, call: Call, one: Replacement) -> ReplacementShown:
        call.note(tenant=one.tenant, state=str(one.state), replacement=one.id)
        return ReplacementShown.model_validate(one)
