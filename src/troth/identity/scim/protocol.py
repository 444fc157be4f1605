"""The protocol itself (RFC 7643, RFC 7644), by scim2-server: its steps do no input or output; `storage` does.

Imported late: it needs the extra `scim`. What is no attribute of these models is dropped, not kept and not answered:
passwords, roles, entitlements and telephone numbers that a provider sends go nowhere.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_server.service import ScimService

MOST_RESULTS = 200  # resources in one answer
USER = URN("urn:ietf:params:scim:schemas:core:2.0:User")
GROUP = URN("urn:ietf:params:scim:schemas:core:2.0:Group")
_READ_ONLY = Mutability.read_only


class Name(ComplexAttribute):
    """The parts of a name that are kept."""

    formatted: str | None = None
    family_name: str | None = None
    given_name: str | None = None


class Membership(ComplexAttribute):
    """A group that somebody is in."""

    value: Annotated[str | None, _READ_ONLY, CaseExact.true] = None
    display: Annotated[str | None, _READ_ONLY] = None


class User(Resource[Any]):
    """A person. `userName` is the e-mail address by which the account is found."""

    __schema__ = USER

    user_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    name: Name | None = None
    display_name: str | None = None
    active: bool | None = None
    groups: Annotated[list[Membership] | None, _READ_ONLY] = None

    Name: ClassVar[type[ComplexAttribute]] = Name
    Groups: ClassVar[type[ComplexAttribute]] = Membership


class Member(ComplexAttribute):
    """Somebody in a group, by the id here."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference[User] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )


class Group(Resource[Any]):
    """A group. What its name gives is said by the mapping of the connection."""

    __schema__ = GROUP

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None

    Members: ClassVar[type[ComplexAttribute]] = Member


def service() -> ScimService:
    """The steps of the protocol; read as Microsoft Entra and Okta write."""
    policy = ScimPolicy(unknown=ScimPolicy.Unknown.ignore, remove_value_as_filter=ScimPolicy.RemoveValue.apply)
    return ScimService(ScimProvider([User, Group], _types(), _config(), policy))


def _types() -> list[ResourceType]:
    described = (("User", "/Users", "People", USER), ("Group", "/Groups", "Groups", GROUP))
    return [
        ResourceType.model_validate(
            {"id": name, "name": name, "endpoint": endpoint, "description": words, "schema": str(schema)}
        )
        for name, endpoint, words, schema in described
    ]


def _config() -> ServiceProviderConfig:
    bearer = AuthenticationScheme(
        type=AuthenticationScheme.Type.oauthbearertoken,
        name="Bearer token",
        description="A provisioning token of one tenant, made by its owner; it ends within a year.",
        primary=True,
    )
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[bearer],
    )
