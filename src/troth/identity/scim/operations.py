"""SCIM 2.0 for identity providers (RFC 7644): an operation for each verb and resource, each decided and recorded.

There is no bulk: one request of it would be many acts under one decision and one record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.identity.scim import messages as m
from troth.identity.scim.access import Provider
from troth.identity.scim.groups import Groups
from troth.identity.scim.people import People
from troth.identity.scim.tokens import ProvisioningTokens
from troth.identity.sso.connections import Connections
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Unavailable
from troth.kernel.operation import Call, Group, Reply, Route, operation

if TYPE_CHECKING:
    from troth.identity.scim.conversation import Conversation

BASE = "/scim/v2"
_ONE = 1 << 16  # bytes of a message about a person
_MANY = 1 << 20  # of one about a group, whose members come all at once


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimDesk:
    """Answers messages for the tenant of the token that was shown."""

    tokens: ProvisioningTokens
    connections: Connections
    people: People
    groups: Groups
    origin: str

    @property
    def address(self) -> str:
        """What a provider is given as the tenant's address."""
        return f"{self.origin}{BASE}"

    def answer(self, call: Call, asked: m.ScimAsked, method: str, path: str) -> Reply:
        """The answer; what it touched goes to the record. Raises refusals, and `Unavailable` (`extra-missing`)."""
        token = call.caller.actor
        connection = self.connections.get(call.tenant, self.tokens.connection_of(call.tenant, token))
        by = Provider(connection=connection, token=token, request=call.request_id)
        talk = _conversation(by, self.people, self.groups)
        try:
            said = {name: getattr(asked, name) for name in ("query", "headers", "body")}
            return talk.answer(base_url=self.address, method=method, path=path, **said)
        finally:
            call.note(**talk.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimOperations:
    """People, by their identity provider."""

    desk: ScimDesk

    @operation(
        "scim.user.create",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("POST", f"{BASE}/Users", body="scim", status=201, max_bytes=_ONE),
        data_class=DataClass.ACCOUNT,
    )
    def create_user(self, call: Call, request: m.ScimAsked) -> Reply:
        """A joiner: make an account, or bring back who left and has the same externalId."""
        return self.desk.answer(call, request, "POST", "/Users")

    @operation(
        "scim.user.list",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("GET", f"{BASE}/Users", body="scim"),
        data_class=DataClass.ACCOUNT,
    )
    def list_users(self, call: Call, request: m.ScimAsked) -> Reply:
        """Find people of the tenant, with filter, sorting and pages."""
        return self.desk.answer(call, request, "GET", "/Users")

    @operation(
        "scim.user.search",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("POST", f"{BASE}/Users/.search", body="scim", max_bytes=_ONE),
        data_class=DataClass.ACCOUNT,
    )
    def search_users(self, call: Call, request: m.ScimAsked) -> Reply:
        """The same with the filter in the body, which no log of addresses keeps."""
        return self.desk.answer(call, request, "POST", "/Users/.search")

    @operation(
        "scim.user.read",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("GET", f"{BASE}/Users/{{resource_id}}", body="scim"),
        data_class=DataClass.ACCOUNT,
    )
    def read_user(self, call: Call, request: m.ScimNamed) -> Reply:
        """Read one person."""
        return self.desk.answer(call, request, "GET", f"/Users/{request.resource_id}")

    @operation(
        "scim.user.replace",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("PUT", f"{BASE}/Users/{{resource_id}}", body="scim", max_bytes=_ONE),
        data_class=DataClass.ACCOUNT,
    )
    def replace_user(self, call: Call, request: m.ScimNamed) -> Reply:
        """Replace what is said of a person; `active: false` ends every access at once."""
        return self.desk.answer(call, request, "PUT", f"/Users/{request.resource_id}")

    @operation(
        "scim.user.patch",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("PATCH", f"{BASE}/Users/{{resource_id}}", body="scim", max_bytes=_ONE),
        data_class=DataClass.ACCOUNT,
    )
    def patch_user(self, call: Call, request: m.ScimNamed) -> Reply:
        """Change what is said of a person; `active: false` ends every access at once."""
        return self.desk.answer(call, request, "PATCH", f"/Users/{request.resource_id}")

    @operation(
        "scim.user.delete",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("DELETE", f"{BASE}/Users/{{resource_id}}", body="scim", status=204),
        data_class=DataClass.ACCOUNT,
    )
    def delete_user(self, call: Call, request: m.ScimNamed) -> Reply:
        """A leaver: every access ends at once; nothing is erased by it."""
        reply = self.desk.answer(call, request, "DELETE", f"/Users/{request.resource_id}")
        call.note(user=request.resource_id)
        return reply


@dataclass(frozen=True, slots=True, kw_only=True)
class ScimGroupOperations:
    """Groups, by their identity provider, and what the protocol says of itself."""

    desk: ScimDesk

    @operation(
        "scim.group.create",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("POST", f"{BASE}/Groups", body="scim", status=201, max_bytes=_MANY),
        data_class=DataClass.ACCOUNT,
    )
    def create_group(self, call: Call, request: m.ScimAsked) -> Reply:
        """Make a group; its members get the role that the connection's mapping gives its name."""
        return self.desk.answer(call, request, "POST", "/Groups")

    @operation(
        "scim.group.list",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("GET", f"{BASE}/Groups", body="scim"),
        data_class=DataClass.ACCOUNT,
    )
    def list_groups(self, call: Call, request: m.ScimAsked) -> Reply:
        """Find groups, with filter, sorting and pages."""
        return self.desk.answer(call, request, "GET", "/Groups")

    @operation(
        "scim.group.search",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("POST", f"{BASE}/Groups/.search", body="scim", max_bytes=_ONE),
        data_class=DataClass.ACCOUNT,
    )
    def search_groups(self, call: Call, request: m.ScimAsked) -> Reply:
        """The same with the filter in the body."""
        return self.desk.answer(call, request, "POST", "/Groups/.search")

    @operation(
        "scim.group.read",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("GET", f"{BASE}/Groups/{{resource_id}}", body="scim"),
        data_class=DataClass.ACCOUNT,
    )
    def read_group(self, call: Call, request: m.ScimNamed) -> Reply:
        """Read one group."""
        return self.desk.answer(call, request, "GET", f"/Groups/{request.resource_id}")

    @operation(
        "scim.group.replace",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("PUT", f"{BASE}/Groups/{{resource_id}}", body="scim", max_bytes=_MANY),
        data_class=DataClass.ACCOUNT,
    )
    def replace_group(self, call: Call, request: m.ScimNamed) -> Reply:
        """Replace a group; roles follow its members."""
        return self.desk.answer(call, request, "PUT", f"/Groups/{request.resource_id}")

    @operation(
        "scim.group.patch",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("PATCH", f"{BASE}/Groups/{{resource_id}}", body="scim", max_bytes=_MANY),
        data_class=DataClass.ACCOUNT,
    )
    def patch_group(self, call: Call, request: m.ScimNamed) -> Reply:
        """Change a group; roles follow its members."""
        return self.desk.answer(call, request, "PATCH", f"/Groups/{request.resource_id}")

    @operation(
        "scim.group.delete",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("DELETE", f"{BASE}/Groups/{{resource_id}}", body="scim", status=204),
        data_class=DataClass.ACCOUNT,
    )
    def delete_group(self, call: Call, request: m.ScimNamed) -> Reply:
        """Take a group away, with the roles that it gave."""
        reply = self.desk.answer(call, request, "DELETE", f"/Groups/{request.resource_id}")
        call.note(object=request.resource_id)
        return reply

    @operation(
        "scim.search",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("POST", f"{BASE}/.search", body="scim", max_bytes=_ONE),
        data_class=DataClass.ACCOUNT,
    )
    def search(self, call: Call, request: m.ScimAsked) -> Reply:
        """Find people and groups at once, with the filter in the body."""
        return self.desk.answer(call, request, "POST", "/.search")

    @operation(
        "scim.config.read",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("GET", f"{BASE}/ServiceProviderConfig", body="scim"),
    )
    def read_config(self, call: Call, request: m.ScimAsked) -> Reply:
        """Read which parts of the protocol are spoken here."""
        return self.desk.answer(call, request, "GET", "/ServiceProviderConfig")

    @operation(
        "scim.type.list",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("GET", f"{BASE}/ResourceTypes", body="scim"),
    )
    def list_types(self, call: Call, request: m.ScimAsked) -> Reply:
        """Read the types of resources."""
        return self.desk.answer(call, request, "GET", "/ResourceTypes")

    @operation(
        "scim.type.read",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("GET", f"{BASE}/ResourceTypes/{{resource_id}}", body="scim"),
    )
    def read_type(self, call: Call, request: m.ScimNamed) -> Reply:
        """Read one type of resources."""
        return self.desk.answer(call, request, "GET", f"/ResourceTypes/{request.resource_id}")

    @operation(
        "scim.schema.list",
        group=Group.PROVISION,
        request=m.ScimAsked,
        route=Route("GET", f"{BASE}/Schemas", body="scim"),
    )
    def list_schemas(self, call: Call, request: m.ScimAsked) -> Reply:
        """Read the schemas."""
        return self.desk.answer(call, request, "GET", "/Schemas")

    @operation(
        "scim.schema.read",
        group=Group.PROVISION,
        request=m.ScimNamed,
        route=Route("GET", f"{BASE}/Schemas/{{resource_id}}", body="scim"),
    )
    def read_schema(self, call: Call, request: m.ScimNamed) -> Reply:
        """Read one schema."""
        return self.desk.answer(call, request, "GET", f"/Schemas/{request.resource_id}")


def _conversation(by: Provider, people: People, groups: Groups) -> Conversation:
    """Imported late: the extra takes a second to load, and not every installation has it."""
    try:
        from troth.identity.scim.conversation import Conversation  # noqa: PLC0415
    except ImportError as error:
        advice = "Provisioning needs the extra 'scim': pip install 'troth[scim]'."
        raise Unavailable(advice, code="extra-missing") from error
    return Conversation(by, people, groups)
