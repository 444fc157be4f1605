"""One tenant's people and groups as the protocol's library wants them. Made for one request, on one provider's word."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from scim2_models import Meta, Reference, Resource, ResourceType, ResponseParameters, ScimFilter, SearchRequest
from scim2_models.path import CompareOperator, Comparison, FilterNode, LogicalExpr, Not, ValuePath
from scim2_server.storage import ScimStorage, SearchPage

from troth.identity.scim import reading
from troth.identity.scim.access import Provider
from troth.identity.scim.groups import Groups, GroupWish
from troth.identity.scim.people import People
from troth.identity.scim.protocol import Group, Member, Membership, Name, User
from troth.identity.scim.reading import Directory, Person, Profile
from troth.identity.users import normalised_email
from troth.kernel.errors import Invalid, TooLarge, TrothError
from troth.kernel.record import Fact

MOST_TEXT = 120  # characters of a name
MOST_IDENTIFIER = 256  # of an externalId and of a group's name
MOST_TERMS = 10  # comparisons of one filter
_PEOPLE = "User"


class TenantStorage(ScimStorage):
    """Reads and writes through `People` and `Groups`; `facts` is what the record shall say, ids and counts."""

    def __init__(self, by: Provider, people: People, groups: Groups) -> None:
        self._by = by
        self._people = people
        self._groups = groups
        self.facts: dict[str, Fact] = {}

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """One resource. Raises `NotFound`."""
        del response_parameters
        if resource_type.name == _PEOPLE:
            return self._of_person(self._directory().person(resource_id))
        return self._of_group(self._directory().group(resource_id))

    def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: Any = None
    ) -> SearchPage:
        """A page of what matches. Raises `TooLarge` for a filter of too many terms, or too many people to open."""
        del position
        kinds = {one.name for one in resource_types}
        first, count = search_request.start_index_0 or 0, search_request.count or 0
        if kinds == {_PEOPLE} and search_request.filter is None and search_request.sort_by is None:
            total, page = self._directory().page(first, count)
            self.facts["count"] = len(page)
            return SearchPage(total, [self._resource(one) for one in page])
        _require_short(search_request.filter)
        everything = [
            one for kind in sorted(kinds, key=str) for one in self._candidates(kind == _PEOPLE, search_request.filter)
        ]
        found = [one for one in everything if search_request.filter is None or search_request.filter.match(one)]
        page_of = search_request.sort(found)[first : first + count]
        self.facts["count"] = len(page_of)
        return SearchPage(len(found), list(page_of))

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """A fresh resource."""
        if resource_type.name == _PEOPLE:
            profile = _profile(cast(User, resource), created=True)
            return self._of_person(self._people.create(self._by, profile))
        return self._kept(*self._groups.create(self._by, _group_wish(cast(Group, resource))))

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """The new state of a resource, if it still has the expected version."""
        identifier = str(resource.id)
        if resource_type.name == _PEOPLE:
            profile = _profile(cast(User, resource))
            return self._of_person(self._people.update(self._by, identifier, profile, expected_version))
        wish = _group_wish(cast(Group, resource))
        return self._kept(*self._groups.update(self._by, identifier, wish, expected_version))

    def delete(self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None) -> None:
        """A leaver, or a group that is no more."""
        if resource_type.name == _PEOPLE:
            self._people.remove(self._by, resource_id, expected_version)
        else:
            self._groups.remove(self._by, resource_id, expected_version)

    def _directory(self) -> Directory:
        return self._people.directory(self._by)

    def _candidates(self, people: bool, wanted: ScimFilter[Any] | None) -> Iterable[Resource[Any]]:
        directory = self._directory()
        if not people:
            return [_group_resource(one) for one in directory.groups()]
        found = _found_by_index(directory, None if wanted is None else wanted.ast)
        return [self._resource(one) for one in (directory.people() if found is None else found)]

    def _of_person(self, person: Person) -> Resource[Any]:
        state = "disabled" if person.profile.active is False else "active"
        self.facts |= {"user": person.id, "state": state}
        return self._resource(person)

    def _of_group(self, group: reading.Group) -> Resource[Any]:
        self.facts |= {"object": group.id, "count": len(group.members)}
        return _group_resource(group)

    def _kept(self, group: reading.Group, withheld: int) -> Resource[Any]:
        if withheld:
            self.facts["withheld"] = withheld  # roles that somebody who decides does not get from a provider
        return self._of_group(group)

    @staticmethod
    def _resource(person: Person) -> Resource[Any]:
        said = person.profile
        parts = {"formatted": said.formatted, "family_name": said.family_name, "given_name": said.given_name}
        return User(
            id=person.id,
            external_id=said.external_id,
            user_name=said.address,
            display_name=said.display_name,
            name=Name(**parts) if any(parts.values()) else None,
            active=said.active,
            groups=[Membership(value=one, display=name) for one, name in person.groups] or None,
            meta=_meta(_PEOPLE, person),
        )


def _found_by_index(directory: Directory, node: FilterNode | None) -> list[Person] | None:
    """Whom `userName eq` or `externalId eq` finds without opening everybody; None for any other filter."""
    if not isinstance(node, Comparison) or node.op is not CompareOperator.eq or not isinstance(node.value, str):
        return None
    if node.attr_path.sub_attr is not None:
        return None
    match node.attr_path.attr.lower():
        case "username":
            try:
                return directory.with_address(normalised_email(node.value))
            except TrothError:
                return []
        case "externalid":
            return directory.with_external_id(node.value)
    return None


def _require_short(wanted: ScimFilter[Any] | None) -> None:
    if wanted is not None and _terms(wanted.ast) > MOST_TERMS:
        raise TooLarge(f"A filter compares at most {MOST_TERMS} times.", code="scim-too-many")


def _terms(node: FilterNode) -> int:
    match node:
        case LogicalExpr():
            return sum(_terms(one) for one in node.terms)
        case Not():
            return _terms(node.expr)
        case ValuePath():
            return _terms(node.val_filter)
    return 1


def _profile(user: User, *, created: bool = False) -> Profile:
    name = user.name or Name()
    return Profile(
        address=user.user_name or "",
        display_name=_text(user.display_name, MOST_TEXT),
        active=True if created and user.active is None else user.active,
        external_id=_text(user.external_id, MOST_IDENTIFIER),
        given_name=_text(name.given_name, MOST_TEXT),
        family_name=_text(name.family_name, MOST_TEXT),
        formatted=_text(name.formatted, MOST_TEXT),
    )


def _group_wish(group: Group) -> GroupWish:
    named = (one.value or (one.ref or "").rpartition("/")[2] for one in group.members or ())
    joined = frozenset(one for one in named if one)
    return GroupWish(
        name=_text(group.display_name, MOST_IDENTIFIER) or "",
        external_id=_text(group.external_id, MOST_IDENTIFIER),
        members=joined,
    )


def _text(value: str | None, most: int) -> str | None:
    if value and (len(value) > most or not value.isprintable()):
        raise Invalid(f"A text has at most {most} printable characters.", code="scim-invalid-value")
    return value or None


def _group_resource(group: reading.Group) -> Resource[Any]:
    return Group(
        id=group.id,
        external_id=group.external_id,
        display_name=group.name,
        members=[Member(value=one, ref=Reference[User](f"Users/{one}")) for one in group.members] or None,
        meta=_meta("Group", group),
    )


def _meta(kind: str, one: Person | reading.Group) -> Meta:
    return Meta(
        resource_type=kind,
        created=datetime.fromtimestamp(one.created_at / 1000, UTC),
        last_modified=datetime.fromtimestamp(one.changed_at / 1000, UTC),
        version=one.version,
    )
