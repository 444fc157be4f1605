"""Legal holds, restriction of processing and retention rules, as doors may ask for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import NotFound
from troth.kernel.operation import Call, Group, Route, operation
from troth.vault import holding_messages as m
from troth.vault.deadlines import ACCOUNT_AFTER_DAYS, Deadlines, shortest
from troth.vault.erasure import Erasures
from troth.vault.holds import Holds
from troth.vault.messages import Nothing
from troth.vault.restriction import Restrictions


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOperations:
    """Duties to keep, for privacy officers."""

    holds: Holds
    erasures: Erasures

    @operation(
        "hold.place",
        group=Group.PRIVACY,
        request=m.HoldPlace,
        route=Route("POST", "/v1/holds", status=201),
        command=("hold", "place"),
        data_class=DataClass.ACCOUNT,
    )
    def place_hold(self, call: Call, request: m.HoldPlace) -> m.HoldShown:
        """Place a legal hold on a person or an object: it beats every deletion until it ends or is lifted."""
        hold = self.holds.place(
            call.tenant,
            basis=request.basis,
            approver=call.subject,
            ends_at=request.until,
            subject=request.subject,
            of=request.object,
        )
        call.note(hold=hold.id, reason=hold.basis, expires=hold.ends_at)
        return m.HoldShown.of(hold, epoch_ms(call.at))

    @operation(
        "hold.lift",
        group=Group.PRIVACY,
        request=m.HoldLift,
        route=Route("DELETE", "/v1/holds/{hold_id}", body="none"),
        command=("hold", "lift"),
        data_class=DataClass.ACCOUNT,
    )
    def lift_hold(self, call: Call, request: m.HoldLift) -> m.HoldShown:
        """Lift a legal hold; erasures that waited for it go on without a new request."""
        hold = self.holds.lift(call.tenant, request.hold_id, actor=call.subject)
        finished = self.erasures.resume_held(call.tenant)
        call.note(hold=hold.id, count=len(finished))
        return m.HoldShown.of(hold, epoch_ms(call.at))

    @operation(
        "hold.list",
        group=Group.PRIVACY,
        request=Nothing,
        route=Route("GET", "/v1/holds", body="none"),
        command=("hold", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_holds(self, call: Call, request: Nothing) -> m.HoldList:
        """List the legal holds of your tenant, newest first."""
        del request
        now, found = epoch_ms(call.at), self.holds.all(call.tenant)
        call.note(count=len(found))
        return m.HoldList(holds=tuple(m.HoldShown.of(one, now) for one in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingOperations:
    """Restriction of one's own data (GDPR Art. 18)."""

    restrictions: Restrictions

    @operation(
        "processing.restrict",
        group=Group.OWN_RIGHTS,
        request=m.Restrict,
        route=Route("POST", "/v1/processing/restriction", status=201),
        command=("processing", "restrict"),
        data_class=DataClass.ACCOUNT,
    )
    def restrict_processing(self, call: Call, request: m.Restrict) -> m.ProcessingShown:
        """Restrict the use of your data: it stays kept and yours to export, and nothing else is done with it."""
        one = self.restrictions.place(
            call.tenant, call.subject, reason=request.reason, officer=None, request=call.request_id
        )
        call.note(reason=one.reason)
        return m.ProcessingShown.of(one)

    @operation(
        "processing.resume",
        group=Group.OWN_DATA,
        request=Nothing,
        route=Route("DELETE", "/v1/processing/restriction", body="none"),
        command=("processing", "resume"),
        data_class=DataClass.ACCOUNT,
    )
    def resume_processing(self, call: Call, request: Nothing) -> m.ProcessingShown:
        """Permit the use of your data again, after you restricted it yourself."""
        del request
        one = self.restrictions.lift(call.tenant, call.subject, officer=None, request=call.request_id)
        call.note(reason=one.reason)
        return m.ProcessingShown.of(one)

    @operation(
        "processing.show",
        group=Group.OWN_RIGHTS,
        request=Nothing,
        route=Route("GET", "/v1/processing", body="none"),
        command=("processing", "show"),
        data_class=DataClass.ACCOUNT,
    )
    def show_processing(self, call: Call, request: Nothing) -> m.ProcessingShown:
        """Show whether the use of your data is restricted."""
        del request
        return m.ProcessingShown.of(self.restrictions.standing(call.tenant, call.subject))


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionOperations:
    """Restriction on a person's request, for privacy officers."""

    restrictions: Restrictions
    erasures: Erasures
    require_proven: Callable[[str, str], None]
    """Raises `Conflict` (identity-not-shown) when somebody asked for it in the person's name and did not show who."""

    @operation(
        "restriction.place",
        group=Group.PRIVACY,
        request=m.RestrictPerson,
        route=Route("POST", "/v1/restrictions", status=201),
        command=("restriction", "place"),
        data_class=DataClass.ACCOUNT,
    )
    def place_restriction(self, call: Call, request: m.RestrictPerson) -> m.ProcessingShown:
        """Restrict the use of a person's data on their request."""
        if not self.erasures.holds_anything(call.tenant, request.subject):
            raise NotFound("Nothing is kept of such a person in your tenant.")
        self.require_proven(call.tenant, request.subject)
        one = self.restrictions.place(
            call.tenant, request.subject, reason=request.reason, officer=call.subject, request=call.request_id
        )
        call.note(user=one.subject, reason=one.reason)
        return m.ProcessingShown.of(one, named=True)

    @operation(
        "restriction.lift",
        group=Group.PRIVACY,
        request=m.RestrictionLift,
        route=Route("DELETE", "/v1/restrictions/{subject}", body="none"),
        command=("restriction", "lift"),
        data_class=DataClass.ACCOUNT,
    )
    def lift_restriction(self, call: Call, request: m.RestrictionLift) -> m.ProcessingShown:
        """Permit the use of a person's data again; tell them before you do (GDPR Art. 18(3))."""
        one = self.restrictions.lift(call.tenant, request.subject, officer=call.subject, request=call.request_id)
        call.note(user=one.subject)
        return m.ProcessingShown.of(one, named=True)

    @operation(
        "restriction.list",
        group=Group.PRIVACY,
        request=Nothing,
        route=Route("GET", "/v1/restrictions", body="none"),
        command=("restriction", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_restrictions(self, call: Call, request: Nothing) -> m.RestrictionList:
        """List whose data may not be used at present."""
        del request
        found = self.restrictions.active(call.tenant)
        call.note(count=len(found))
        return m.RestrictionList(restrictions=tuple(m.ProcessingShown.of(one, named=True) for one in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionOperations:
    """How long a tenant keeps what; it may only shorten."""

    deadlines: Deadlines

    @operation(
        "retention.show",
        group=Group.OWN_DATA,
        request=Nothing,
        route=Route("GET", "/v1/retention", body="none"),
        command=("retention", "show"),
        data_class=DataClass.SYSTEM,
    )
    def show_retention(self, call: Call, request: Nothing) -> m.Schedule:
        """Show how long each class of data is kept; the shortest rule wins."""
        del request
        return schedule(self.deadlines, call.tenant)

    @operation(
        "retention.set",
        group=Group.PRIVACY,
        request=m.RuleSet,
        route=Route("PUT", "/v1/retention/{data_class}"),
        command=("retention", "set"),
        data_class=DataClass.SYSTEM,
    )
    def set_retention(self, call: Call, request: m.RuleSet) -> m.Schedule:
        """Shorten how long a class is kept, or what is kept of it for one purpose; it holds for what is there too."""
        self.deadlines.set_rule(
            call.tenant,
            DataClass(request.data_class),
            request.days,
            actor=call.caller.actor,
            request=call.request_id,
            purpose=request.purpose or "",
        )
        return schedule(self.deadlines, call.tenant)

    @operation(
        "retention.clear",
        group=Group.PRIVACY,
        request=m.RuleClear,
        route=Route("DELETE", "/v1/retention/{data_class}", body="none"),
        command=("retention", "clear"),
        data_class=DataClass.SYSTEM,
    )
    def clear_retention(self, call: Call, request: m.RuleClear) -> m.Schedule:
        """Remove a rule of your tenant; the limit of this service holds again."""
        self.deadlines.set_rule(
            call.tenant,
            DataClass(request.data_class),
            None,
            actor=call.caller.actor,
            request=call.request_id,
            purpose=request.purpose or "",
        )
        return schedule(self.deadlines, call.tenant)


def schedule(deadlines: Deadlines, tenant: str) -> m.Schedule:
    """The lines of a tenant's schedule: each class, then its purposes that have a rule of their own."""
    rules = {(data_class, purpose): days for (_, data_class, purpose), days in deadlines.all_rules(tenant).items()}
    lines = []
    for one in DataClass:
        for purpose in ("", *sorted(purpose for data_class, purpose in rules if data_class == one.value and purpose)):
            limit, rule = deadlines.limit(one), rules.get((one.value, purpose))
            whole = rules.get((one.value, ""))
            lines.append(
                m.RuleShown(
                    data_class=one.value,
                    purpose=purpose or None,
                    limit_days=limit,
                    rule_days=rule,
                    days=shortest(limit, rule, whole),
                )
            )
    return m.Schedule(
        rules=tuple(lines),
        transient_minutes=deadlines.transient_minutes,
        account_days_after_closing=ACCOUNT_AFTER_DAYS,
    )
