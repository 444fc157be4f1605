"""What the doors may ask of the vault."""

from __future__ import annotations

from dataclasses import dataclass

from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation
from troth.vault import messages as m
from troth.vault.consent import Consents
from troth.vault.dsse import ENVELOPE
from troth.vault.erasure import Erasures
from troth.vault.export import Exporter
from troth.vault.objects import Objects


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectOperations:
    """One's own objects: list, look, open, delete, take away."""

    objects: Objects
    erasures: Erasures
    exporter: Exporter

    @operation(
        "object.list",
        group=Group.OWN_DATA,
        request=m.ObjectList,
        route=Route("GET", "/v1/objects", body="none"),
        command=("object", "list"),
        data_class=DataClass.USER_GENERATED,
    )
    def list_objects(self, call: Call, request: m.ObjectList) -> m.ObjectPage:
        """List your objects, newest first; also while their use is restricted."""
        which = {"kind": request.kind, "limit": request.limit, "after": request.after}
        found = self.objects.list(call.tenant, call.subject, **which, duty=True, filed=False)  # type: ignore[arg-type]
        call.note(count=len(found))
        after = found[-1].id if len(found) == request.limit else None
        return m.ObjectPage(objects=tuple(m.ObjectShown.of(one) for one in found), after=after)

    @operation(
        "object.show",
        group=Group.OWN_DATA,
        request=m.ObjectNamed,
        route=Route("GET", "/v1/objects/{object_id}", body="none"),
        command=("object", "show"),
        data_class=DataClass.USER_GENERATED,
    )
    def show_object(self, call: Call, request: m.ObjectNamed) -> m.ObjectShown:
        """Show what one of your objects is; also while its use is restricted."""
        which = call.tenant, call.subject, request.object_id
        info = self.objects.info(*which, duty=True)
        call.note(object=info.id)
        return m.ObjectShown.of(info, usable=self.objects.usable(*which))

    @operation(
        "object.open",
        group=Group.OWN_DATA,
        request=m.ObjectNamed,
        route=Route("GET", "/v1/objects/{object_id}/content", body="none"),
        command=("object", "open"),
        data_class=DataClass.USER_GENERATED,
    )
    def open_object(self, call: Call, request: m.ObjectNamed) -> Binary:
        """Open one of your objects."""
        info, content = self.objects.open(call.tenant, call.subject, request.object_id)
        call.note(object=info.id, bytes=len(content))
        return Binary(content, info.media_type, info.name or None)

    @operation(
        "object.delete",
        group=Group.OWN_DATA,
        request=m.ObjectNamed,
        route=Route("DELETE", "/v1/objects/{object_id}", body="none"),
        command=("object", "delete"),
        data_class=DataClass.USER_GENERATED,
    )
    def delete_object(self, call: Call, request: m.ObjectNamed) -> m.ErasureShown:
        """Erase one of your objects and everything derived from it; the answer names the certificate."""
        self.objects.require_own(call.tenant, call.subject, request.object_id)
        erasure = self.erasures.request(
            call.tenant, call.subject, actor=call.caller.actor, request=call.request_id, object_id=request.object_id
        )
        call.note(object=request.object_id, erasure=erasure.id, **certificate_fact(erasure.certificate))
        return m.ErasureShown.of(erasure, with_salt=True)

    @operation(
        "data.export",
        group=Group.OWN_DATA,
        request=m.Nothing,
        route=Route("POST", "/v1/export"),
        command=("data", "export"),
        data_class=DataClass.USER_GENERATED,
    )
    def export_data(self, call: Call, request: m.Nothing) -> Binary:
        """Take away a copy of everything that is kept about you, as a zip with a manifest."""
        del request
        archive, count = self.exporter.export(call.tenant, call.subject)
        call.note(count=count, bytes=len(archive))
        return Binary(archive, "application/zip", "my-data.zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentOperations:
    """One's own consents."""

    consents: Consents

    @operation(
        "consent.list",
        group=Group.OWN_RIGHTS,
        request=m.Nothing,
        route=Route("GET", "/v1/consents", body="none"),
        command=("consent", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list_consents(self, call: Call, request: m.Nothing) -> m.ConsentHistory:
        """List your consents with their history."""
        del request
        found, now = self.consents.history(call.tenant, call.subject), self.consents.now()
        objected = self.consents.objected(call.tenant, call.subject)
        return m.ConsentHistory(consents=tuple(m.ConsentShown.of(one, now, objected) for one in found))

    @operation(
        "consent.grant",
        group=Group.OWN_DATA,
        request=m.ConsentGrant,
        route=Route("POST", "/v1/consents", status=201),
        command=("consent", "grant"),
        data_class=DataClass.ACCOUNT,
    )
    def grant_consent(self, call: Call, request: m.ConsentGrant) -> m.ConsentShown:
        """Consent to one purpose."""
        given = self.consents.grant(
            call.tenant,
            call.subject,
            request.purpose,
            notice=request.notice,
            expires_at=request.expires_at,
            request=call.request_id,
        )
        call.note(consent=given.id, purpose=given.purpose)
        return m.ConsentShown.of(given, self.consents.now())

    @operation(
        "consent.withdraw",
        group=Group.OWN_RIGHTS,
        request=m.ConsentNamed,
        route=Route("DELETE", "/v1/consents/{consent_id}", body="none"),
        command=("consent", "withdraw"),
        data_class=DataClass.ACCOUNT,
    )
    def withdraw_consent(self, call: Call, request: m.ConsentNamed) -> m.ConsentShown:
        """Withdraw a consent; it takes effect at once."""
        ended = self.consents.withdraw(call.tenant, call.subject, request.consent_id, request=call.request_id)
        call.note(consent=ended.id, purpose=ended.purpose)
        return m.ConsentShown.of(ended, self.consents.now())

    @operation(
        "consent.receipt",
        group=Group.OWN_RIGHTS,
        request=m.ConsentNamed,
        route=Route("GET", "/v1/consents/{consent_id}/receipt", body="none"),
        command=("consent", "receipt"),
        data_class=DataClass.ACCOUNT,
    )
    def consent_receipt(self, call: Call, request: m.ConsentNamed) -> Binary:
        """Get a signed receipt of a consent and of its withdrawal."""
        receipt = self.consents.receipt(call.tenant, call.subject, request.consent_id)
        call.note(consent=request.consent_id)
        return Binary(receipt, ENVELOPE, f"{request.consent_id}.json")


def certificate_fact(identifier: str | None) -> dict[str, str]:
    """The audit fact that names a certificate, when there is one."""
    return {"certificate": identifier} if identifier else {}
