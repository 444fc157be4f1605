"""Certificates of service accounts: by an administrator once, by the key from then on."""

from __future__ import annotations

from troth.identity.certificates.proving import renewal_name
from troth.identity.certificates.reading import read_shown
from troth.kernel.clock import epoch_ms
from troth.kernel.ids import new_id
from unit.identity.certificates.fleet import Fleet, fresh_key, over, request_of
from unit.identity.passkey_world import refused
from unit.identity.world import TLS


def account(fleet: Fleet) -> str:
    """A service account in force that comes with a certificate."""
    service = new_id("svc")
    fleet.standing[service] = fleet.acme.id
    return service


def test_a_service_is_named_by_its_certificate_while_all_of_it_stands(fleet: Fleet) -> None:
    parts, service, key = fleet.services, account(fleet), fresh_key()
    made = parts.certify(fleet.acme.id, service, request_of(key))
    shown = read_shown(made.certificate)
    assert (shown.name.kind, shown.name.id, shown.name.tenant) == ("service", service, fleet.acme.id)
    assert parts.certified(over(made.certificate)) == service
    assert parts.certified(TLS) is None
    del fleet.standing[service]
    assert parts.certified(over(made.certificate)) is None


def test_a_certificate_of_a_device_names_no_service_and_the_other_way_round(fleet: Fleet) -> None:
    service = account(fleet)
    ada = fleet.person()
    assert fleet.services.certified(over(fleet.enrolled(ada).certificate)) is None
    made = fleet.services.certify(fleet.acme.id, service, request_of(fresh_key()))
    refused("certificate-unfit", lambda: fleet.caller(fleet.token(ada), made.certificate))


def test_a_service_of_another_tenant_or_of_none_is_not_found(fleet: Fleet) -> None:
    service, elsewhere = account(fleet), fleet.world.tenant("Other").id
    request = request_of(fresh_key())
    refused("service-not-found", lambda: fleet.services.certify(elsewhere, service, request))
    unknown = new_id("svc")
    here = fleet.acme.id
    refused("service-not-found", lambda: fleet.services.certify(here, unknown, request))


def test_the_next_key_ends_what_the_former_one_has(fleet: Fleet) -> None:
    parts, here, service = fleet.services, fleet.acme.id, account(fleet)
    former = parts.certify(here, service, request_of(fresh_key()))
    fresh = parts.certify(here, service, request_of(fresh_key()))
    assert parts.certified(over(former.certificate)) is None
    refused("service-unknown", lambda: parts.renew(over(former.certificate), None, "req_1"))
    assert parts.certified(over(fresh.certificate)) == service


def test_one_key_serves_one_service(fleet: Fleet) -> None:
    key, here = fresh_key(), fleet.acme.id
    fleet.services.certify(here, account(fleet), request_of(key))
    other = account(fleet)
    refused("service-key-known", lambda: fleet.services.certify(here, other, request_of(key)))


def test_a_service_renews_by_its_certificate_and_by_its_key(fleet: Fleet) -> None:
    parts, service, key = fleet.services, account(fleet), fresh_key()
    held = parts.certify(fleet.acme.id, service, request_of(key))
    clock = fleet.world.clock
    clock.forward(minutes=30)
    renewed = parts.renew(over(held.certificate), None, "req_5")
    assert parts.certified(over(renewed.certificate)) == service
    clock.forward(hours=5)
    assert parts.certified(over(renewed.certificate)) is None
    proof = request_of(key, renewal_name(service, epoch_ms(clock.now())))
    assert parts.certified(over(parts.renew(TLS, proof, "req_6").certificate)) == service
    events = [one for one in fleet.world.recorder.entries if one.operation == "service.renewed"]
    assert [(one.actor, one.request) for one in events] == [(service, "req_5"), (service, "req_6")]
    strange = request_of(fresh_key(), renewal_name(service, epoch_ms(clock.now())))
    refused("service-unknown", lambda: parts.renew(TLS, strange, "req_7"))
    refused("certificate-required", lambda: parts.renew(TLS, None, "req_8"))


def test_a_distrusted_authority_takes_them_along(fleet: Fleet) -> None:
    service = account(fleet)
    held = fleet.services.certify(fleet.acme.id, service, request_of(fresh_key()))
    fleet.authorities.rotate(distrust=True)
    assert fleet.services.certified(over(held.certificate)) is None
    refused("certificate-distrusted", lambda: fleet.services.renew(over(held.certificate), None, "req_1"))
