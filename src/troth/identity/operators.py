"""Who runs the service: operators make each other, so that approvals have a second person (VEN-01, VEN-02)."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity import messages as m
from troth.identity.bootstrap import ROLE
from troth.identity.mfa.totp import Totp
from troth.identity.store import OPERATORS
from troth.identity.users import NewUser, Users
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorOperations:
    """Operators, for operators. The first one is made on the machine itself (`troth init`)."""

    users: Users
    totp: Totp

    @operation(
        "operator.create",
        group=Group.OPERATE,
        request=m.OperatorCreate,
        route=Route("POST", "/v1/operators", status=201, max_bytes=1 << 12),
        command=("operator", "create"),
        data_class=DataClass.ACCOUNT,
    )
    def create(self, call: Call, request: m.OperatorCreate) -> m.UserCreated:
        """Make a further operator, whose password must be changed within a week."""
        new = NewUser(OPERATORS, request.email, request.display_name, frozenset({ROLE}), created_by=call.caller.actor)
        made = self.users.create(new)
        call.note(user=made.id, role=ROLE)
        return m.UserCreated(id=made.id, password=made.password)

    @operation(
        "operator.list",
        group=Group.OPERATE,
        request=m.Nothing,
        route=Route("GET", "/v1/operators", body="none"),
        command=("operator", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list(self, call: Call, request: m.Nothing) -> m.OperatorList:
        """List the operators."""
        del request
        found = self.users.list(OPERATORS)
        call.note(count=len(found))
        return m.OperatorList(
            operators=tuple(
                m.OperatorShown(
                    id=one.id,
                    email=one.email,
                    display_name=one.display_name,
                    active=one.active,
                    created_at=one.created_at,
                    totp=self.totp.confirmed(one.id),
                )
                for one in found
            )
        )

    @operation(
        "operator.disable",
        group=Group.OPERATE,
        request=m.UserNamed,
        route=Route("DELETE", "/v1/operators/{user_id}", body="none"),
        command=("operator", "disable"),
        data_class=DataClass.ACCOUNT,
    )
    def disable(self, call: Call, request: m.UserNamed) -> m.Done:
        """Shut an operator out at once; nobody disables themselves, so one always remains."""
        self.users.disable_operator(call.caller, request.user_id)
        call.note(user=request.user_id)
        return m.Done()
