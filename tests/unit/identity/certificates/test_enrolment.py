"""Enrolment by a person who is there, renewal by the device's key."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519

from troth.identity.certificates.proving import PROOF_MS, renewal_name
from troth.identity.certificates.reading import read_shown
from troth.identity.certificates.requesting import PrivateKey
from troth.identity.throttle import NETWORK
from troth.kernel.clock import epoch_ms
from unit.identity.certificates.fleet import Fleet, fresh_key, over, request_of
from unit.identity.passkey_world import refused
from unit.identity.world import TLS


def _proof(fleet: Fleet, key: PrivateKey, device: str, off: int = 0) -> str:
    return request_of(key, renewal_name(device, epoch_ms(fleet.world.clock.now()) + off))


@pytest.mark.parametrize("kind", ["P-256", "Ed25519"])
def test_a_person_who_just_signed_in_enrols_a_device(fleet: Fleet, kind: str) -> None:
    ada = fleet.person()
    key = fresh_key() if kind == "P-256" else ed25519.Ed25519PrivateKey.generate()
    done = fleet.enrolled(ada, key, "my laptop")
    shown = read_shown(done.certificate)
    assert (shown.name.tenant, shown.name.kind, shown.name.id) == (ada.tenant, "device", done.holder)
    assert x509.load_pem_x509_certificate(done.certificate.encode()).public_key() == key.public_key()
    assert done.ends_at == shown.ends_at
    assert [one.name for one in fleet.devices.of_person(ada.tenant, ada.id)] == ["my laptop"]
    assert done.authority == fleet.authorities.trusted()[-1].certificate


def test_what_a_request_asks_for_is_not_taken_over(fleet: Fleet) -> None:
    ada = fleet.person()
    caller = fleet.world.at_device(fleet.token(ada))
    subject = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("spiffe://troth.example.org/tenant/a/b/c")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    wish = builder.add_extension(subject, critical=True).sign(fresh_key(), hashes.SHA256())
    done = fleet.enrolments.enrol(caller, "x", wish.public_bytes(Encoding.PEM).decode())
    assert read_shown(done.certificate).name.id == done.holder


def test_a_copied_session_enrols_nothing(fleet: Fleet) -> None:
    copied = fleet.world.sessions.authenticate(fleet.token(fleet.person()), TLS)
    refused("device-unbound", lambda: fleet.enrolments.enrol(copied, "x", request_of(fresh_key())))


def test_an_old_or_weak_session_enrols_nothing(fleet: Fleet) -> None:
    ada = fleet.person()
    stale = fleet.world.sessions.authenticate(fleet.token(ada), TLS)
    fleet.world.clock.forward(minutes=16)
    stale = fleet.world.sessions.by(fleet.world.clock).authenticate(fleet.token(ada), TLS)
    fleet.world.clock.forward(minutes=16)
    from dataclasses import replace  # noqa: PLC0415

    old = replace(stale, authentication=replace(stale.authentication, age_seconds=16 * 60))
    refused("step-up-required", lambda: fleet.enrolments.enrol(old, "x", request_of(fresh_key())))
    bare = fleet.world.person(fleet.acme.id, "member")
    weak = fleet.world.caller(bare)
    refused("step-up-required", lambda: fleet.enrolments.enrol(weak, "x", request_of(fresh_key())))
    assert fleet.devices.of_tenant(fleet.acme.id) == []


def test_a_key_of_the_api_enrols_nothing(fleet: Fleet) -> None:
    from troth.identity.keys import NewKey  # noqa: PLC0415

    ada = fleet.person()
    token = fleet.world.keys.create(NewKey(ada.tenant, ada.id, "k", frozenset({"generate"}), 1)).token
    caller = fleet.world.keys.authenticate(token, TLS)
    refused("unauthenticated", lambda: fleet.enrolments.enrol(caller, "x", request_of(fresh_key())))


def test_renewal_over_the_present_certificate(fleet: Fleet) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    fleet.world.clock.forward(minutes=40)
    done = fleet.enrolments.renew(over(held.certificate), None, "req_7")
    assert done.holder == held.holder
    assert done.ends_at == held.ends_at + 40 * 60 * 1000
    assert read_shown(done.certificate).key == read_shown(held.certificate).key
    (event,) = [one for one in fleet.world.recorder.entries if one.operation == "device.renewed"]
    assert (event.log, event.actor, event.request) == (ada.tenant, held.holder, "req_7")
    assert event.facts["certificate"] == done.serial
    (mine,) = fleet.devices.of_person(ada.tenant, ada.id)
    assert mine.renewed_at == mine.enrolled_at + 40 * 60 * 1000


def test_a_certificate_that_is_over_renews_nothing_but_its_key_does(fleet: Fleet) -> None:
    ada, key = fleet.person(), fresh_key()
    held = fleet.enrolled(ada, key)
    fleet.world.clock.forward(days=3)
    refused("certificate-expired", lambda: fleet.enrolments.renew(over(held.certificate), None, "req_1"))
    done = fleet.enrolments.renew(TLS, _proof(fleet, key, held.holder), "req_1")
    assert read_shown(done.certificate).name == read_shown(held.certificate).name


def test_a_renewal_needs_something_to_go_by(fleet: Fleet) -> None:
    refused("certificate-required", lambda: fleet.enrolments.renew(TLS, None, "req_1"))


def test_a_proof_is_of_now_and_of_the_right_key(fleet: Fleet) -> None:
    ada, key = fleet.person(), fresh_key()
    held = fleet.enrolled(ada, key)

    def renew(request: str) -> object:
        return fleet.enrolments.renew(TLS, request, "req_1")

    refused("renewal-stale", lambda: renew(_proof(fleet, key, held.holder, -PROOF_MS - 1)))
    refused("renewal-stale", lambda: renew(_proof(fleet, key, held.holder, PROOF_MS + 1)))
    refused("device-revoked", lambda: renew(_proof(fleet, fresh_key(), held.holder)))
    refused("device-unknown", lambda: renew(_proof(fleet, key, "dev_" + "a" * 26)))
    refused("bad-certificate-request", lambda: renew(request_of(key, "laptop")))
    refused("bad-certificate-request", lambda: renew("-----BEGIN"))
    assert renew(_proof(fleet, key, held.holder, PROOF_MS))


def test_who_was_revoked_or_shut_out_renews_nothing(fleet: Fleet) -> None:
    ada, bob, key = fleet.person(), fleet.person(), fresh_key()
    admin = fleet.world.caller(fleet.person("admin"))
    hers, his = fleet.enrolled(ada, key), fleet.enrolled(bob)
    fleet.devices.revoke(ada.tenant, hers.holder)
    fleet.world.users.disable(admin, bob.id)
    refused("device-revoked", lambda: fleet.enrolments.renew(over(hers.certificate), None, "req_1"))
    refused("device-revoked", lambda: fleet.enrolments.renew(TLS, _proof(fleet, key, hers.holder), "req_1"))
    refused("device-revoked", lambda: fleet.enrolments.renew(over(his.certificate), None, "req_1"))
    assert [one for one in fleet.world.recorder.entries if one.operation == "device.renewed"] == []


def test_a_broken_record_renews_nothing(fleet: Fleet) -> None:
    held = fleet.enrolled(fleet.person())
    fleet.world.recorder.broken = True
    refused("no-record", lambda: fleet.enrolments.renew(over(held.certificate), None, "req_1"))


def test_guesses_from_one_network_are_slowed_down(fleet: Fleet) -> None:
    for _ in range(NETWORK.free + 1):
        refused("certificate-required", lambda: fleet.enrolments.renew(TLS, None, "req_1"))
    refused("sign-in-throttled", lambda: fleet.enrolments.renew(TLS, None, "req_1"))


def test_the_parts_make_the_next_authority_in_time(fleet: Fleet) -> None:
    first = fleet.parts.bundle()
    assert first.count("BEGIN CERTIFICATE") == 1
    fleet.world.clock.forward(days=70)
    fleet.parts.sweep()
    assert fleet.parts.bundle().startswith(first)
    assert fleet.parts.bundle().count("BEGIN CERTIFICATE") == 2
