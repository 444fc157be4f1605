"""Asking for a further role, deciding about it, and emergency access."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.governing import messages as m
from troth.identity.governing.elevations import Elevation, Elevations, require_person
from troth.identity.governing.emergency import Emergencies
from troth.identity.messages import Done, Nothing
from troth.kernel.data_class import DataClass
from troth.kernel.journal import Journal
from troth.kernel.operation import Call, Group, Route, operation


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationOperations:
    """Further roles for some hours."""

    ledger: Elevations
    journal: Journal

    @operation(
        "elevation.ask",
        group=Group.OWN_ACCOUNT,
        request=m.ElevationAsk,
        route=Route("POST", "/v1/elevations", status=201, max_bytes=1 << 12),
        command=("elevation", "ask"),
    )
    def ask(self, call: Call, request: m.ElevationAsk) -> m.ElevationShown:
        """Ask for a further role for some hours; an owner who stands apart decides."""
        asked = self.ledger.ask(call.caller, request.role, request.minutes, request.reason)
        call.explain(request.reason)
        call.note(object=asked.id, role=asked.role)
        return m.ElevationShown.model_validate(asked)

    @operation(
        "elevation.mine",
        group=Group.OWN_ACCOUNT,
        request=Nothing,
        route=Route("GET", "/v1/elevations/mine", body="none"),
        command=("elevation", "mine"),
    )
    def mine(self, call: Call, request: Nothing) -> m.ElevationList:
        """List what you asked for and what you hold for a time."""
        del request
        user, tenant = require_person(call.caller)
        found = self.ledger.of(tenant, user)
        return m.ElevationList(elevations=tuple(m.ElevationShown.model_validate(one) for one in found))

    @operation(
        "elevation.end",
        group=Group.OWN_ACCOUNT,
        request=m.ElevationNamed,
        route=Route("DELETE", "/v1/elevations/mine/{elevation_id}", body="none"),
        command=("elevation", "end"),
    )
    def end(self, call: Call, request: m.ElevationNamed) -> Done:
        """Give a role back before its time, or withdraw your question."""
        ended = self.ledger.end(call.caller, request.elevation_id, own=True)
        call.note(object=ended.id, role=ended.role)
        return Done()

    @operation(
        "elevation.list",
        group=Group.AUDIT,
        request=Nothing,
        route=Route("GET", "/v1/elevations", body="none"),
        command=("elevation", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list(self, call: Call, request: Nothing) -> m.ElevationList:
        """List who asked for which role, who has it now, and why."""
        del request
        found = self.ledger.all_of(call.tenant)
        call.note(count=len(found))
        return m.ElevationList(elevations=tuple(m.ElevationShown.model_validate(one) for one in found))

    @operation(
        "elevation.approve",
        group=Group.ADMINISTER,
        request=m.ElevationDecide,
        route=Route("POST", "/v1/elevations/{elevation_id}/approval", max_bytes=1 << 10),
        command=("elevation", "approve"),
    )
    def approve(self, call: Call, request: m.ElevationDecide) -> m.ElevationShown:
        """Give somebody the role that they asked for, for the time that they asked for."""
        made = self.ledger.approve(call.caller, request.elevation_id)
        call.note(object=made.id, user=made.user, subject=made.user, role=made.role, expires=made.expires_at)
        self.journal.event("elevation-active", log=made.tenant, count=1)
        return m.ElevationShown.model_validate(made)

    @operation(
        "elevation.refuse",
        group=Group.ADMINISTER,
        request=m.ElevationDecide,
        route=Route("POST", "/v1/elevations/{elevation_id}/refusal", max_bytes=1 << 10),
        command=("elevation", "refuse"),
    )
    def refuse(self, call: Call, request: m.ElevationDecide) -> m.ElevationShown:
        """Say no to somebody who asked for a role."""
        refused = self.ledger.refuse(call.caller, request.elevation_id)
        call.note(object=refused.id, user=refused.user, subject=refused.user, role=refused.role)
        return m.ElevationShown.model_validate(refused)

    @operation(
        "elevation.revoke",
        group=Group.ADMINISTER,
        request=m.ElevationNamed,
        route=Route("DELETE", "/v1/elevations/{elevation_id}", body="none"),
        command=("elevation", "revoke"),
    )
    def revoke(self, call: Call, request: m.ElevationNamed) -> Done:
        """End somebody's elevation, or a use of emergency access, at once."""
        ended = self.ledger.end(call.caller, request.elevation_id, own=False)
        call.note(object=ended.id, user=ended.user, subject=ended.user, role=ended.role)
        return Done()


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOperations:
    """Break-glass."""

    emergencies: Emergencies

    @operation(
        "emergency.designate",
        group=Group.ADMINISTER,
        request=m.EmergencyDesignate,
        route=Route("POST", "/v1/emergency/people", status=201, max_bytes=1 << 12),
        command=("emergency", "designate"),
    )
    def designate(self, call: Call, request: m.EmergencyDesignate) -> m.DesignationShown:
        """Let a person take a role in an emergency, alone and with a passkey (owners only)."""
        made = self.emergencies.designate(call.caller, request.user_id, request.role, request.days)
        call.explain(request.reason, request.user_id)
        call.note(user=made.user, subject=made.user, role=made.role, expires=made.expires_at)
        return m.DesignationShown.model_validate(made, from_attributes=True)

    @operation(
        "emergency.withdraw",
        group=Group.ADMINISTER,
        request=m.PersonNamed,
        route=Route("DELETE", "/v1/emergency/people/{user_id}", body="none"),
        command=("emergency", "withdraw"),
    )
    def withdraw(self, call: Call, request: m.PersonNamed) -> Done:
        """Take back that a person may take a role in an emergency (owners only)."""
        self.emergencies.withdraw(call.caller, request.user_id)
        call.note(user=request.user_id, subject=request.user_id)
        return Done()

    @operation(
        "emergency.list",
        group=Group.AUDIT,
        request=Nothing,
        route=Route("GET", "/v1/emergency", body="none"),
        command=("emergency", "list"),
    )
    def list(self, call: Call, request: Nothing) -> m.EmergencyList:
        """List who is designated for emergencies."""
        del request
        found = self.emergencies.designated(call.tenant)
        call.note(count=len(found))
        return m.EmergencyList(designations=tuple(m.DesignationShown.model_validate(one) for one in found))

    @operation(
        "emergency.uses",
        group=Group.AUDIT,
        request=Nothing,
        route=Route("GET", "/v1/emergency/uses", body="none"),
        command=("emergency", "uses"),
        data_class=DataClass.ACCOUNT,
    )
    def uses(self, call: Call, request: Nothing) -> m.UseList:
        """List uses of emergency access that run or wait for their review, with what was said of them."""
        del request
        found = self.emergencies.open_uses(call.tenant)
        call.note(count=len(found))
        return m.UseList(uses=tuple(self._shown(one) for one in found))

    @operation(
        "emergency.use",
        group=Group.OWN_ACCOUNT,
        request=m.EmergencyUse,
        route=Route("POST", "/v1/emergency/uses", status=201, max_bytes=1 << 12),
        command=("emergency", "use"),
    )
    def use(self, call: Call, request: m.EmergencyUse) -> m.UseShown:
        """Take the role that you were designated for, now and alone; every owner is told."""
        taken = self.emergencies.use(call.caller, request.minutes, request.reason)
        call.explain(request.reason)
        call.note(object=taken.id, role=taken.role, expires=taken.expires_at)
        return self._shown(taken)

    @operation(
        "emergency.review",
        group=Group.REVIEW,
        request=m.EmergencyReview,
        route=Route("POST", "/v1/emergency/uses/{elevation_id}/review", max_bytes=1 << 10),
        command=("emergency", "review"),
    )
    def review(self, call: Call, request: m.EmergencyReview) -> m.UseShown:
        """Say whether a use of emergency access was right; never of one's own."""
        found = self.emergencies.review(call.caller, request.elevation_id, request.verdict)
        call.note(object=found.id, user=found.user, subject=found.user, verdict=request.verdict)
        return self._shown(found)

    def _shown(self, use: Elevation) -> m.UseShown:
        members = {name: getattr(use, name) for name in m.ElevationShown.model_fields}
        return m.UseShown(**members, due_at=self.emergencies.due_at(use))
