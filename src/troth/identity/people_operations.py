"""What administrators may ask about the people of their tenant, and operators about tenants."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from troth.identity import messages as m
from troth.identity.governing.reasons import Reasons
from troth.identity.mfa.passkeys import Passkeys
from troth.identity.mfa.totp import Totp
from troth.identity.privacy import PrivacySettings
from troth.identity.roles import Roles, check_givable
from troth.identity.tenants import Tenants
from troth.identity.users import NewUser, User, Users
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleOperations:
    """Tenants, for operators; the people of one's own tenant and their roles, for administrators."""

    tenants: Tenants
    users: Users
    roles: Roles
    totp: Totp
    passkeys: Passkeys
    privacy: PrivacySettings
    reasons: Reasons
    jurisdiction: str  # of this installation; it takes no other tenants

    @operation(
        "tenant.create",
        group=Group.OPERATE,
        request=m.TenantCreate,
        route=Route("POST", "/v1/tenants", status=201, max_bytes=1 << 12),
        command=("tenant", "create"),
        data_class=DataClass.ACCOUNT,
    )
    def create_tenant(self, call: Call, request: m.TenantCreate) -> m.TenantCreated:
        """Create a tenant and its first owner, whose password must be changed within a week."""
        self._require_here(request.jurisdiction)
        tenant = self.tenants.fresh(request.name, request.jurisdiction)
        roles = frozenset({"owner"})
        new = NewUser(tenant.id, request.owner_email, request.owner_name, roles, call.caller.actor)
        owner = self.users.create(new, founding=tenant)
        call.note(tenant=tenant.id, user=owner.id, jurisdiction=tenant.jurisdiction)
        return m.TenantCreated(id=tenant.id, owner=owner.id, password=owner.password)

    @operation(
        "tenant.list",
        group=Group.OPERATE,
        request=m.Nothing,
        route=Route("GET", "/v1/tenants", body="none"),
        command=("tenant", "list"),
    )
    def list_tenants(self, call: Call, request: m.Nothing) -> m.TenantList:
        """List the tenants with their jurisdictions and privacy settings."""
        del call, request
        shown = (m.TenantShown(**asdict(one), privacy=self.privacy.of(one.id)) for one in self.tenants.list())
        return m.TenantList(tenants=tuple(shown))

    @operation(
        "user.create",
        group=Group.ADMINISTER,
        request=m.UserCreate,
        route=Route("POST", "/v1/users", status=201, max_bytes=1 << 12),
        command=("user", "create"),
        data_class=DataClass.ACCOUNT,
    )
    def create_user(self, call: Call, request: m.UserCreate) -> m.UserCreated:
        """Create a person, whose first password must be changed within a week."""
        roles = frozenset[str](request.roles)
        check_givable(call.caller, roles)
        by = call.caller
        new = NewUser(call.tenant, request.email, request.display_name, roles, by.actor, giver=by)
        made = self.users.create(new)
        call.note(user=made.id, counts=dict.fromkeys(sorted(roles), 1))
        return m.UserCreated.model_validate(made)

    @operation(
        "user.list",
        group=Group.ADMINISTER,
        request=m.Nothing,
        route=Route("GET", "/v1/users", body="none"),
        command=("user", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_users(self, call: Call, request: m.Nothing) -> m.UserList:
        """List the people of your tenant with their roles."""
        del request
        return m.UserList(users=tuple(self._shown(user) for user in self.users.list(call.tenant)))

    @operation(
        "user.disable",
        group=Group.ADMINISTER,
        request=m.UserNamed,
        route=Route("POST", "/v1/users/{user_id}/disable", body="none"),
        command=("user", "disable"),
        data_class=DataClass.ACCOUNT,
    )
    def disable_user(self, call: Call, request: m.UserNamed) -> m.Done:
        """Shut a person out at once: sessions and API keys end."""
        self.users.disable(call.caller, request.user_id)
        call.note(user=request.user_id)
        return m.Done()

    @operation(
        "role.assign",
        group=Group.ADMINISTER,
        request=m.RoleGive,
        route=Route("POST", "/v1/users/{user_id}/roles", max_bytes=1 << 12),
        command=("role", "assign"),
        data_class=DataClass.ACCOUNT,
    )
    def assign_role(self, call: Call, request: m.RoleGive) -> m.RoleGranted:
        """Give a role, or renew it, for a year at most."""
        who, why = request.user_id, request.reason
        sealed = self.reasons.sealed(call.tenant, who, why) if why else None
        grant = self.roles.assign(call.caller, who, request.role, days=request.days, reason=sealed)
        call.explain(why or "", who)
        call.note(user=request.user_id, role=request.role, expires=grant.expires_at)
        return m.RoleGranted.model_validate(grant)

    @operation(
        "role.remove",
        group=Group.ADMINISTER,
        request=m.RoleNamed,
        route=Route("DELETE", "/v1/users/{user_id}/roles/{role}", body="none"),
        command=("role", "remove"),
        data_class=DataClass.ACCOUNT,
    )
    def remove_role(self, call: Call, request: m.RoleNamed) -> m.Done:
        """Take a role away; it counts from the next request on."""
        self.roles.remove(call.caller, request.user_id, request.role)
        call.note(user=request.user_id, role=request.role)
        return m.Done()

    def _shown(self, user: User) -> m.UserShown:
        return m.UserShown(
            id=user.id,
            email=user.email,
            display_name=user.display_name,
            active=user.active,
            created_at=user.created_at,
            totp=self.totp.confirmed(user.id),
            passkeys=self.passkeys.count(user.id),
            roles={grant.role: grant.expires_at for grant in self.roles.of(user.id)},
        )

    def _require_here(self, jurisdiction: str) -> None:
        if jurisdiction != self.jurisdiction:
            raise Denied(
                f"This installation stands in '{self.jurisdiction}' and keeps no tenant of another jurisdiction; "
                "ask the one that stands there.",
                code="wrong-jurisdiction",
                field="jurisdiction",
            )
