"""Builds provisioning by identity providers."""

from __future__ import annotations

from troth.identity.roles import Roles
from troth.identity.scim.access import GroupRoles
from troth.identity.scim.groups import Groups
from troth.identity.scim.operations import ScimDesk, ScimGroupOperations, ScimOperations
from troth.identity.scim.people import People
from troth.identity.scim.token_operations import ProvisioningOperations
from troth.identity.scim.tokens import ProvisioningTokens
from troth.identity.sso.connections import Connections
from troth.identity.users import Users
from troth.promises.system import Base


def build_provisioning(
    base: Base, tokens: ProvisioningTokens, users: Users, roles: Roles, origin: str
) -> tuple[object, ...]:
    """Its operations. `origin`: https address of the portal."""
    database, clock, fields = base.database, base.clock, base.fields
    given = GroupRoles(roles=roles, fields=fields, recorder=base.outbox, clock=clock)
    connections = Connections(database, fields, clock)
    people = People(
        database=database,
        fields=fields,
        users=users,
        connections=connections,
        roles=given,
        clock=clock,
    )
    desk = ScimDesk(
        tokens=tokens,
        connections=connections,
        people=people,
        groups=Groups(database=database, fields=fields, roles=given, clock=clock),
        origin=origin,
    )
    return (
        ProvisioningOperations(tokens=tokens, address=desk.address),
        ScimOperations(desk=desk),
        ScimGroupOperations(desk=desk),
    )
