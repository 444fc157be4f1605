"""Custom roles, for owners; who changes place, and who leaves, for administrators."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.governing import messages as m
from troth.identity.governing.custom_roles import CustomRoles
from troth.identity.governing.elevations import Elevations, end_others
from troth.identity.governing.leaving import Leaving, Left
from troth.identity.messages import Done, Nothing
from troth.identity.roles import Roles
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation

# What is left of a leaver -> what somebody can do about it.
_ADVICE = {
    "objects": "They stay this person's until they expire; erase the person on request, or let what is shared be.",
    "holds": "A hold about this person stands until a privacy officer lifts it.",
    "requests": "Answer the open requests of this person at the privacy desk.",
    "service-accounts": "Give the service accounts that this person made another owner, or end them.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRoleOperations:
    """Roles that a tenant makes itself."""

    custom: CustomRoles

    @operation(
        "custom-role.list",
        group=Group.AUDIT,
        request=Nothing,
        route=Route("GET", "/v1/custom-roles", body="none"),
        command=("custom-role", "list"),
    )
    def list(self, call: Call, request: Nothing) -> m.CustomRoleList:
        """List the custom roles of your tenant with what they permit."""
        del request
        found = self.custom.all_of(call.tenant)
        call.note(count=len(found))
        return m.CustomRoleList(roles=tuple(m.CustomRoleShown.model_validate(one) for one in found))

    @operation(
        "custom-role.create",
        group=Group.ADMINISTER,
        request=m.CustomRoleCreate,
        route=Route("POST", "/v1/custom-roles", status=201, max_bytes=1 << 12),
        command=("custom-role", "create"),
    )
    def create(self, call: Call, request: m.CustomRoleCreate) -> m.CustomRoleShown:
        """Make a role of groups of operations (owners only)."""
        made = self.custom.create(call.caller, request.name, request.groups)
        call.note(role=made.id, counts=dict.fromkeys(made.groups, 1))
        return m.CustomRoleShown.model_validate(made)

    @operation(
        "custom-role.change",
        group=Group.ADMINISTER,
        request=m.CustomRoleChange,
        route=Route("POST", "/v1/custom-roles/{role_id}", max_bytes=1 << 12),
        command=("custom-role", "change"),
    )
    def change(self, call: Call, request: m.CustomRoleChange) -> m.CustomRoleShown:
        """Change what a custom role permits, from the next request on (owners only)."""
        made = self.custom.change(call.caller, request.role_id, request.groups)
        call.note(role=made.id, counts=dict.fromkeys(made.groups, 1))
        return m.CustomRoleShown.model_validate(made)

    @operation(
        "custom-role.delete",
        group=Group.ADMINISTER,
        request=m.CustomRoleNamed,
        route=Route("DELETE", "/v1/custom-roles/{role_id}", body="none"),
        command=("custom-role", "delete"),
    )
    def delete(self, call: Call, request: m.CustomRoleNamed) -> Done:
        """Take a custom role away from everybody, and itself (owners only)."""
        holders = self.custom.delete(call.caller, request.role_id)
        call.note(role=request.role_id, count=holders)
        return Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleOperations:
    """Movers and leavers; joiners are `user.create`."""

    roles: Roles
    ledger: Elevations
    leaving: Leaving

    @operation(
        "role.replace",
        group=Group.ADMINISTER,
        request=m.RoleReplace,
        route=Route("POST", "/v1/users/{user_id}/roles/replacement", max_bytes=1 << 12),
        command=("role", "replace"),
        data_class=DataClass.ACCOUNT,
    )
    def replace(self, call: Call, request: m.RoleReplace) -> m.RolesReplaced:
        """Give a person these roles in the place of all that they had, at once."""
        made, gone = self.roles.replace(call.caller, request.user_id, frozenset(request.roles))
        end_others(self.ledger, call.tenant, request.user_id, call.caller.actor)
        counts = {f"lost:{role}": 1 for role in gone} | {f"gained:{one.role}": 1 for one in made}
        call.note(user=request.user_id, subject=request.user_id, counts=counts)
        return m.RolesReplaced(roles={one.role: one.expires_at for one in made}, removed=tuple(gone))

    @operation(
        "user.offboard",
        group=Group.ADMINISTER,
        request=m.UserLeave,
        route=Route("POST", "/v1/users/{user_id}/offboarding", max_bytes=1 << 12),
        command=("user", "offboard"),
        data_class=DataClass.ACCOUNT,
    )
    def offboard(self, call: Call, request: m.UserLeave) -> m.UserLeft:
        """End everything that a leaver has, and see what is left of them."""
        left = self.leaving.offboard(call.caller, request.user_id)
        call.note(user=request.user_id, subject=request.user_id, counts=dict(left.ended))
        return _told(request.user_id, left)


def _told(user: str, left: Left) -> m.UserLeft:
    remains = (
        m.Remainder(what=what, count=count, advice=_ADVICE.get(what, "Look after it by hand."))
        for what, count in left.remains.items()
    )
    return m.UserLeft(user=user, roles=left.roles, ended=dict(left.ended), left=tuple(one for one in remains))
