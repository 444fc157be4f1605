"""Builds the authority of certificates, and what it takes for devices and services to get one."""

from __future__ import annotations

from troth.identity.certificates.authorities import Authorities
from troth.identity.certificates.devices import Devices
from troth.identity.certificates.enrolment import Enrolments
from troth.identity.certificates.holding import Holding
from troth.identity.certificates.names import trust_domain
from troth.identity.certificates.operations import (
    AuthorityOperations,
    DeviceOperations,
    FleetOperations,
    ServiceCertificateOperations,
)
from troth.identity.certificates.parts import Certificates
from troth.identity.certificates.services import ServiceCertificates
from troth.identity.oauth.service_accounts import BY_CERTIFICATE, ServiceAccounts
from troth.identity.own_account import OwnAccount
from troth.kernel.clock import epoch_ms
from troth.promises.system import Base


def build_certificates(base: Base, own: OwnAccount) -> Certificates:
    """Nothing is made yet: the first authority comes with the first device, or with the listener."""
    database, clock, fields = base.database, base.clock, base.fields
    domain = trust_domain(base.settings.server.name)
    devices = Devices(database=database, fields=fields, clock=clock)
    authorities = Authorities(database, fields, clock, domain)
    holding = Holding(devices, domain, base.outbox)
    accounts = ServiceAccounts(database, clock)

    def stands(service: str) -> str | None:
        found = accounts.find(service)
        comes_so = found is not None and found.method == BY_CERTIFICATE
        return found.tenant if found and comes_so and found.in_force(epoch_ms(clock.now())) else None

    enrolments = Enrolments(devices=devices, authorities=authorities, holding=holding, own=own, recorder=base.outbox)
    services = ServiceCertificates(
        database=database,
        authorities=authorities,
        throttle=own.throttle,
        recorder=base.outbox,
        clock=clock,
        stands=stands,
        answers=lambda tenant, service: accounts.get(tenant, service).owner,
    )
    return Certificates(devices, authorities, holding, enrolments, services)


def certificate_operations(parts: Certificates) -> tuple[object, ...]:
    """What people, administrators and operators may ask."""
    return (
        DeviceOperations(enrolments=parts.enrolments, devices=parts.devices),
        FleetOperations(devices=parts.devices),
        ServiceCertificateOperations(services=parts.services),
        AuthorityOperations(authorities=parts.authorities),
    )
