"""What doors may ask about objects of several people: add owners, name people shown, leave, see what shows oneself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation
from troth.vault import sharing_messages as m
from troth.vault.messages import Nothing, ObjectNamed
from troth.vault.sharing_changes import Involved, SharingChanges, unknown_person


class Accounts(Protocol):
    """Who has an account in a tenant."""

    def find(self, tenant: str, address: str) -> str | None:
        """The person with this e-mail address."""
        ...

    def belongs(self, tenant: str, subject: str) -> bool:
        """Whether there is such a person."""
        ...

    def address(self, tenant: str, subject: str) -> str | None:
        """The e-mail address of a person's account."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingOperations:
    """Owners of objects, and people whom objects show."""

    changes: SharingChanges
    accounts: Accounts

    @operation(
        "object.people",
        group=Group.OWN_DATA,
        request=ObjectNamed,
        route=Route("GET", "/v1/objects/{object_id}/people", body="none"),
        command=("object", "people"),
        data_class=DataClass.ACCOUNT,
    )
    def show_people(self, call: Call, request: ObjectNamed) -> m.People:
        """Show who owns one of your objects, and whom it shows."""
        found = self.changes.people(call.tenant, call.subject, request.object_id)
        call.note(object=request.object_id)
        return self._people(call, found)

    @operation(
        "object.share",
        group=Group.OWN_DATA,
        request=m.PersonOfObject,
        route=Route("POST", "/v1/objects/{object_id}/owners", max_bytes=1 << 12),
        command=("object", "share"),
        data_class=DataClass.USER_GENERATED,
    )
    def share_object(self, call: Call, request: m.PersonOfObject) -> m.People:
        """Make another person of your tenant an owner of one of your objects; only they can end that again."""
        other = self._person(call, request.person)
        whose = call.tenant, call.subject, request.object_id
        after = self.changes.share(*whose, other, request=call.request_id)
        call.note(object=request.object_id, user=other)
        return self._people(call, after)

    @operation(
        "object.tag",
        group=Group.OWN_DATA,
        request=m.PersonOfObject,
        route=Route("POST", "/v1/objects/{object_id}/shown", max_bytes=1 << 12),
        command=("object", "tag"),
        data_class=DataClass.USER_GENERATED,
    )
    def tag_person(self, call: Call, request: m.PersonOfObject) -> m.People:
        """Say that an object that you brought shows a person, and its copies too; they may have them erased."""
        shown = self._person(call, request.person)
        whose = call.tenant, call.subject, request.object_id
        after = self.changes.tag(*whose, shown, request=call.request_id)
        call.note(object=request.object_id, user=shown)
        return self._people(call, after)

    @operation(
        "object.leave",
        group=Group.OWN_DATA,
        request=ObjectNamed,
        route=Route("POST", "/v1/objects/{object_id}/leave", body="none"),
        command=("object", "leave"),
        data_class=DataClass.USER_GENERATED,
    )
    def leave_object(self, call: Call, request: ObjectNamed) -> m.Left:
        """Leave an object to its other owners; the name you gave it goes with you."""
        self.changes.leave(call.tenant, call.subject, request.object_id)
        call.note(object=request.object_id)
        return m.Left(object=request.object_id)

    @operation(
        "depiction.list",
        group=Group.OWN_DATA,
        request=Nothing,
        route=Route("GET", "/v1/depictions", body="none"),
        command=("depiction", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_depictions(self, call: Call, request: Nothing) -> m.Depictions:
        """List what shows you, without its content; you may have each erased (object delete)."""
        del request
        found = self.changes.showing(call.tenant, call.subject)
        call.note(count=len(found))
        return m.Depictions(depictions=tuple(m.Depiction.of(one) for one in found))

    @operation(
        "depiction.deny",
        group=Group.OWN_DATA,
        request=ObjectNamed,
        route=Route("POST", "/v1/depictions/{object_id}/denial", body="none"),
        command=("depiction", "deny"),
        data_class=DataClass.ACCOUNT,
    )
    def deny_depiction(self, call: Call, request: ObjectNamed) -> m.Left:
        """Say that an object does not show you; you have no say about it any more."""
        self.changes.untag(call.tenant, call.subject, request.object_id, request=call.request_id)
        call.note(object=request.object_id)
        return m.Left(object=request.object_id)

    def _person(self, call: Call, named: str) -> str:
        found = self.accounts.find(call.tenant, named)
        if found is None or not self.accounts.belongs(call.tenant, found):
            raise unknown_person()
        return found

    def _people(self, call: Call, involved: Involved) -> m.People:
        def told(people: tuple[str, ...]) -> tuple[m.Concerned, ...]:
            return tuple(
                m.Concerned(
                    id=one,
                    address=self.accounts.address(call.tenant, one),
                    me=one == call.subject,
                    keeper=one == involved.keeper,
                )
                for one in sorted(people, key=lambda one: one != call.subject)  # oneself first
            )

        return m.People(owners=told(involved.owners), shown=told(involved.shown))
