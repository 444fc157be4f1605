"""Erasures as doors may ask for them: of oneself, on request, of a period, and of whole tenants (off-boarding)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.vault import messages as m
from troth.vault.dsse import ENVELOPE
from troth.vault.erasure import Erasures, Reader
from troth.vault.operations import certificate_fact

DUTY = frozenset({"owner", "privacy-officer", "auditor"})  # roles that see every erasure of their tenant
_LISTED = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureOperations:
    """Forgetting people: oneself, or on request a person of one's tenant."""

    erasures: Erasures
    require_proven: Callable[[str, str], None]
    """Raises `Conflict` (identity-not-shown) when somebody asked for it in the person's name and did not show who."""

    @operation(
        "erasure.own",
        group=Group.OWN_ERASURE,
        request=m.EraseOwn,
        route=Route("POST", "/v1/erasures/own", status=201),
        command=("erasure", "own"),
        data_class=DataClass.ACCOUNT,
    )
    def erase_own(self, call: Call, request: m.EraseOwn) -> m.ErasureShown:
        """Erase everything about yourself, in every backup too; keep the answer, it holds your certificate's salt."""
        del request
        erasure = self.erasures.request(call.tenant, call.subject, actor=call.caller.actor, request=call.request_id)
        call.note(erasure=erasure.id, **certificate_fact(erasure.certificate))
        return m.ErasureShown.of(erasure, with_salt=True)

    @operation(
        "erasure.request",
        group=Group.PRIVACY,
        request=m.EraseSubject,
        route=Route("POST", "/v1/erasures", status=201),
        command=("erasure", "request"),
        data_class=DataClass.ACCOUNT,
    )
    def erase_subject(self, call: Call, request: m.EraseSubject) -> m.ErasureShown:
        """Erase a person of your tenant on their request; hand them the certificate and its salt."""
        self.require_proven(call.tenant, request.subject)
        erasure = self.erasures.request(
            call.tenant,
            request.subject,
            actor=call.caller.actor,
            request=call.request_id,
            must_exist=True,
            immediate=request.immediate,
        )
        call.note(erasure=erasure.id, **certificate_fact(erasure.certificate))
        return m.ErasureShown.of(erasure, with_salt=_reader(call).may_have_salt(erasure))

    @operation(
        "erasure.period",
        group=Group.PRIVACY,
        request=m.ErasePeriod,
        route=Route("POST", "/v1/erasures/period", status=201),
        command=("erasure", "period"),
        data_class=DataClass.ACCOUNT,
    )
    def erase_period(self, call: Call, request: m.ErasePeriod) -> m.ErasureShown:
        """Erase what your tenant has of a class that was kept before a moment; legal holds stay."""
        erasure = self.erasures.request_period(
            call.tenant,
            DataClass(request.data_class),
            request.until,
            actor=call.caller.actor,
            request=call.request_id,
            immediate=request.immediate,
        )
        call.note(erasure=erasure.id, count=erasure.people, **certificate_fact(erasure.certificate))
        return m.ErasureShown.of(erasure)

    @operation(
        "erasure.approve",
        group=Group.PRIVACY,
        request=m.ErasureDecided,
        route=Route("POST", "/v1/erasures/{erasure_id}/approval"),
        command=("erasure", "approve"),
        data_class=DataClass.ACCOUNT,
    )
    def approve_erasure(self, call: Call, request: m.ErasureDecided) -> m.ErasureShown:
        """Agree, as the second officer, to an erasure of many people that another one asked for."""
        erasure = self.erasures.approve(
            call.tenant, request.erasure_id, actor=call.caller.actor, subject=call.subject, whole_tenant=False
        )
        call.note(erasure=erasure.id, **certificate_fact(erasure.certificate))
        return m.ErasureShown.of(erasure, self.erasures.decisions(erasure.id))

    @operation(
        "erasure.cancel",
        group=Group.PRIVACY,
        request=m.ErasureDecided,
        route=Route("POST", "/v1/erasures/{erasure_id}/cancellation"),
        command=("erasure", "cancel"),
        data_class=DataClass.ACCOUNT,
    )
    def cancel_erasure(self, call: Call, request: m.ErasureDecided) -> m.ErasureShown:
        """Call off an erasure that an officer asked for and that has not begun; what it shut is open again."""
        erasure = self.erasures.cancel(call.tenant, request.erasure_id, actor=call.caller.actor, whole_tenant=False)
        call.note(erasure=erasure.id)
        return m.ErasureShown.of(erasure, self.erasures.decisions(erasure.id))

    @operation(
        "erasure.list",
        group=Group.PRIVACY,
        request=m.Nothing,
        route=Route("GET", "/v1/erasures", body="none"),
        command=("erasure", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_erasures(self, call: Call, request: m.Nothing) -> m.ErasureList:
        """List the erasures of your tenant, newest first: what waits, what is closed, what is done."""
        del request
        found = self.erasures.all(call.tenant, limit=_LISTED)
        call.note(count=len(found))
        shown = tuple(m.ErasureShown.of(one, self.erasures.decisions(one.id)) for one in found)
        return m.ErasureList(erasures=shown)

    @operation(
        "erasure.show",
        group=Group.OWN_RIGHTS,
        request=m.ErasureNamed,
        route=Route("GET", "/v1/erasures/{erasure_id}", body="none"),
        command=("erasure", "show"),
        data_class=DataClass.ACCOUNT,
    )
    def show_erasure(self, call: Call, request: m.ErasureNamed) -> m.ErasureShown:
        """Show how far an erasure is: your own, one you asked for, or any of your tenant if that is your duty."""
        erasure = self.erasures.shown_to(_reader(call), request.erasure_id)
        call.note(erasure=erasure.id)
        return m.ErasureShown.of(erasure)

    @operation(
        "certificate.show",
        group=Group.OWN_RIGHTS,
        request=m.CertificateNamed,
        route=Route("GET", "/v1/certificates/{certificate_id}", body="none"),
        command=("certificate", "show"),
        data_class=DataClass.SYSTEM,
    )
    def show_certificate(self, call: Call, request: m.CertificateNamed) -> Binary:
        """Download the signed certificate of an erasure; `troth verify` checks it offline."""
        envelope = self.erasures.certificate_for(_reader(call), request.certificate_id)
        call.note(certificate=request.certificate_id)
        return Binary(envelope, ENVELOPE, f"{request.certificate_id}.json")

    @operation(
        "certificate.list",
        group=Group.OWN_RIGHTS,
        request=m.CertificateList,
        route=Route("GET", "/v1/certificates", body="none"),
        command=("certificate", "list"),
        data_class=DataClass.SYSTEM,
    )
    def list_certificates(self, call: Call, request: m.CertificateList) -> m.CertificatePage:
        """List certificates of erasures: yours and those you asked for, or all of your tenant if that is your duty."""
        found = self.erasures.certificates_for(_reader(call), limit=request.limit + 1, after=request.after)
        shown = tuple(m.CertificateShown.of(one) for one in found[: request.limit])
        call.note(count=len(shown))
        return m.CertificatePage(certificates=shown, after=shown[-1].id if len(found) > request.limit else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OffboardingOperations:
    """Whole tenants leave: one operator asks, another one agrees. `customer` raises `NotFound` for who is none."""

    erasures: Erasures
    customer: Callable[[str], object]

    @operation(
        "offboarding.request",
        group=Group.OPERATE,
        request=m.Offboard,
        route=Route("POST", "/v1/offboardings", status=201),
        command=("offboarding", "request"),
        data_class=DataClass.SYSTEM,
    )
    def request_offboarding(self, call: Call, request: m.Offboard) -> m.OffboardingShown:
        """Ask to erase a whole tenant: its people, their data, accounts, rules and keys; a second operator agrees."""
        self.customer(request.tenant_id)
        erasure = self.erasures.request_tenant(
            request.tenant_id, actor=call.caller.actor, request=call.request_id, immediate=request.immediate
        )
        call.note(tenant=erasure.tenant, erasure=erasure.id)
        mine = erasure.actor == call.caller.actor  # an operator stands in no tenant
        return m.OffboardingShown.of(erasure, self.erasures.decisions(erasure.id), with_salt=mine)

    @operation(
        "offboarding.approve",
        group=Group.OPERATE,
        request=m.OffboardingDecided,
        route=Route("POST", "/v1/offboardings/{tenant_id}/approval"),
        command=("offboarding", "approve"),
        data_class=DataClass.SYSTEM,
    )
    def approve_offboarding(self, call: Call, request: m.OffboardingDecided) -> m.OffboardingShown:
        """Agree, as the second operator, to the erasure of a tenant: closed at once, erased after the delay."""
        waiting = self.erasures.offboarding_of(request.tenant_id)
        erasure = self.erasures.approve(
            waiting.tenant, waiting.id, actor=call.caller.actor, subject="", whole_tenant=True
        )
        call.note(tenant=erasure.tenant, erasure=erasure.id, **certificate_fact(erasure.certificate))
        return m.OffboardingShown.of(erasure, self.erasures.decisions(erasure.id))

    @operation(
        "offboarding.cancel",
        group=Group.OPERATE,
        request=m.OffboardingDecided,
        route=Route("POST", "/v1/offboardings/{tenant_id}/cancellation"),
        command=("offboarding", "cancel"),
        data_class=DataClass.SYSTEM,
    )
    def cancel_offboarding(self, call: Call, request: m.OffboardingDecided) -> m.OffboardingShown:
        """Call off the erasure of a tenant that has not begun; the tenant is open again."""
        waiting = self.erasures.offboarding_of(request.tenant_id)
        erasure = self.erasures.cancel(waiting.tenant, waiting.id, actor=call.caller.actor, whole_tenant=True)
        call.note(tenant=erasure.tenant, erasure=erasure.id)
        return m.OffboardingShown.of(erasure, self.erasures.decisions(erasure.id))

    @operation(
        "offboarding.list",
        group=Group.OPERATE,
        request=m.Nothing,
        route=Route("GET", "/v1/offboardings", body="none"),
        command=("offboarding", "list"),
        data_class=DataClass.SYSTEM,
    )
    def list_offboardings(self, call: Call, request: m.Nothing) -> m.OffboardingList:
        """List the erasures of whole tenants, newest first."""
        del request
        found = self.erasures.offboardings()
        call.note(count=len(found))
        shown = tuple(m.OffboardingShown.of(one, self.erasures.decisions(one.id)) for one in found)
        return m.OffboardingList(offboardings=shown)

    @operation(
        "offboarding.certificate",
        group=Group.OPERATE,
        request=m.OffboardingNamed,
        route=Route("GET", "/v1/offboardings/{tenant_id}/certificate", body="none"),
        command=("offboarding", "certificate"),
        data_class=DataClass.SYSTEM,
    )
    def offboarding_certificate(self, call: Call, request: m.OffboardingNamed) -> Binary:
        """Download the certificate of a tenant's erasure, to hand to who the tenant was."""
        erasure = self.erasures.offboarding_of(request.tenant_id)
        envelope = self.erasures.certificate(erasure.tenant, erasure.certificate or "")
        call.note(tenant=erasure.tenant, erasure=erasure.id, **certificate_fact(erasure.certificate))
        return Binary(envelope, ENVELOPE, f"{erasure.certificate}.json")


def _reader(call: Call) -> Reader:
    caller = call.caller
    return Reader(call.tenant, call.subject, caller.actor, caller.kind == "user" and not DUTY.isdisjoint(caller.roles))
