"""What people, administrators and operators may ask about devices and their certificates."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from troth.identity.certificates import messages as m
from troth.identity.certificates.authorities import ASSURANCE, Authorities, Authority
from troth.identity.certificates.devices import Devices
from troth.identity.certificates.enrolment import Enrolments
from troth.identity.certificates.services import ServiceCertificates
from troth.identity.messages import Done, Nothing
from troth.identity.oauth.answering import require_responsible
from troth.identity.own_account import person_and_session
from troth.identity.store import OPERATORS
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Call, Group, Route, operation

_SMALL = 1 << 13


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceOperations:
    """One's own devices, and the certificates they get."""

    enrolments: Enrolments
    devices: Devices

    @operation(
        "device.enrol",
        group=Group.OWN_ACCOUNT,
        request=m.DeviceEnrol,
        route=Route("POST", "/v1/devices", status=201, max_bytes=_SMALL),
        command=("device", "enrol"),
        data_class=DataClass.ACCOUNT,
    )
    def enrol(self, call: Call, request: m.DeviceEnrol) -> m.Certified:
        """Enrol a device by its key; prove your session anew first when it is not fresh."""
        done = self.enrolments.enrol(call.caller, request.name, request.request)
        call.note(object=done.holder, certificate=done.serial, expires=done.ends_at)
        return m.Certified.model_validate(done)

    @operation(
        "device.renew",
        group=Group.SIGN_IN,
        request=m.DeviceRenew,
        route=Route("POST", "/v1/devices/renewal", max_bytes=_SMALL),
        command=("device", "renew"),
        data_class=DataClass.ACCOUNT,
    )
    def renew(self, call: Call, request: m.DeviceRenew) -> m.Certified:
        """Get the next certificate for an enrolled device, by its present one or by its key."""
        done = self.enrolments.renew(call.caller.connection, request.request, call.request_id)
        call.note(object=done.holder, certificate=done.serial, expires=done.ends_at)
        return m.Certified.model_validate(done)

    @operation(
        "device.list",
        group=Group.OWN_ACCOUNT,
        request=Nothing,
        route=Route("GET", "/v1/devices", body="none"),
        command=("device", "list"),
        data_class=DataClass.ACCOUNT,
    )
    def list(self, call: Call, request: Nothing) -> m.DeviceList:
        """List your enrolled devices, revoked ones among them."""
        del request
        person, _ = person_and_session(call.caller)
        mine = self.devices.of_person(call.caller.tenant or OPERATORS, person)
        return m.DeviceList(devices=tuple(m.DeviceShown.model_validate(one) for one in mine))

    @operation(
        "device.revoke",
        group=Group.OWN_ACCOUNT,
        request=m.DeviceNamed,
        route=Route("DELETE", "/v1/devices/{device_id}", body="none"),
        command=("device", "revoke"),
        data_class=DataClass.ACCOUNT,
    )
    def revoke(self, call: Call, request: m.DeviceNamed) -> m.DeviceRevoked:
        """Take a lost device out at once; sessions that were bound to it end."""
        person, _ = person_and_session(call.caller)
        tenant = call.caller.tenant or OPERATORS
        _, ended = self.devices.revoke(tenant, request.device_id, user=person)
        call.note(object=request.device_id, count=ended)
        return m.DeviceRevoked(sessions=ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetOperations:
    """The devices of a tenant's people."""

    devices: Devices

    @operation(
        "device.inventory",
        group=Group.ADMINISTER,
        request=Nothing,
        route=Route("GET", "/v1/fleet", body="none"),
        command=("device", "inventory"),
        data_class=DataClass.ACCOUNT,
    )
    def inventory(self, call: Call, request: Nothing) -> m.DeviceList:
        """List the enrolled devices of your tenant's people."""
        del request
        all_of_them = self.devices.of_tenant(call.tenant)
        return m.DeviceList(devices=tuple(m.DeviceShown.model_validate(one) for one in all_of_them))

    @operation(
        "device.confirm",
        group=Group.ADMINISTER,
        request=m.DeviceNamed,
        route=Route("POST", "/v1/fleet/{device_id}/confirm", body="none"),
        command=("device", "confirm"),
        data_class=DataClass.ACCOUNT,
    )
    def confirm(self, call: Call, request: m.DeviceNamed) -> Done:
        """Answer for somebody else's device for half a year: its posture is managed then."""
        owner = self.devices.confirm(call.tenant, call.subject, request.device_id)
        call.note(object=request.device_id, user=owner)
        return Done()

    @operation(
        "device.withdraw",
        group=Group.ADMINISTER,
        request=m.DeviceNamed,
        route=Route("DELETE", "/v1/fleet/{device_id}", body="none"),
        command=("device", "withdraw"),
        data_class=DataClass.ACCOUNT,
    )
    def withdraw(self, call: Call, request: m.DeviceNamed) -> m.DeviceRevoked:
        """Take anybody's device out at once; sessions that were bound to it end."""
        owner, ended = self.devices.revoke(call.tenant, request.device_id)
        call.note(object=request.device_id, user=owner, count=ended)
        return m.DeviceRevoked(sessions=ended)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCertificateOperations:
    """Certificates of service accounts."""

    services: ServiceCertificates

    @operation(
        "service.certify",
        group=Group.ADMINISTER,
        request=m.ServiceCertify,
        route=Route("POST", "/v1/services/{service_id}/certificate", status=201, max_bytes=_SMALL),
        command=("service", "certify"),
        data_class=DataClass.ACCOUNT,
    )
    def certify(self, call: Call, request: m.ServiceCertify) -> m.Certified:
        """Bring the key of a service account, which you answer for (or as an owner); a former key counts no more."""
        responsible = require_responsible(call.caller, self.services.answers(call.tenant, request.service_id))
        done = self.services.certify(call.tenant, request.service_id, request.request)
        call.note(object=done.holder, certificate=done.serial, expires=done.ends_at, **responsible)
        return m.Certified.model_validate(done)

    @operation(
        "service.renew",
        group=Group.SIGN_IN,
        request=m.ServiceRenew,
        route=Route("POST", "/v1/services/renewal", max_bytes=_SMALL),
        command=("service", "renew"),
        data_class=DataClass.ACCOUNT,
    )
    def renew(self, call: Call, request: m.ServiceRenew) -> m.Certified:
        """Get the next certificate for a service account, by its present one or by its key."""
        done = self.services.renew(call.caller.connection, request.request, call.request_id)
        call.note(object=done.holder, certificate=done.serial, expires=done.ends_at)
        return m.Certified.model_validate(done)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityOperations:
    """The authority that signs them."""

    authorities: Authorities

    @operation(
        "authority.list",
        group=Group.PUBLIC,
        request=Nothing,
        route=Route("GET", "/v1/authorities", body="none"),
        command=("authority", "list"),
    )
    def list(self, call: Call, request: Nothing) -> m.AuthorityList:
        """List the authorities of device certificates; they are public."""
        del call, request
        shown = tuple(_shown(one) for one in self.authorities.all())
        return m.AuthorityList(trust_domain=self.authorities.domain, authorities=shown)

    @operation(
        "authority.rotate",
        group=Group.OPERATE,
        request=m.AuthorityRotate,
        route=Route("POST", "/v1/authorities", status=201, max_bytes=1 << 12),
        command=("authority", "rotate"),
    )
    def rotate(self, call: Call, request: m.AuthorityRotate) -> m.AuthorityShown:
        """Make a fresh authority; devices notice nothing, unless the older ones are distrusted."""
        made = self.authorities.rotate(distrust=request.distrust)
        call.note(key=f"aut_{made.number}", state="distrusted" if request.distrust else "overlapping")
        return _shown(made)


def _shown(one: Authority) -> m.AuthorityShown:
    members = {name: value for name, value in asdict(one).items() if name != "identifier"}
    return m.AuthorityShown(**members, assurance=ASSURANCE)
