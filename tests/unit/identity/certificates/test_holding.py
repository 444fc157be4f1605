"""A session and its device: bound at first use, useless apart, judged anew with every request."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from troth.identity.certificates.holding import Holding
from troth.identity.certificates.issuing import leaf_certificate, pem_of, supported_key
from troth.identity.certificates.names import SpiffeName
from troth.identity.certificates.reading import read_shown
from troth.identity.devices.shown import Scheme, Shown
from troth.identity.keys import NewKey
from unit.identity.certificates.fleet import DOMAIN, Fleet, altered, over
from unit.identity.passkey_world import refused
from unit.identity.world import TLS


def test_a_session_over_a_certificate_has_a_device(fleet: Fleet) -> None:
    ada, admin = fleet.person(), fleet.person("admin")
    held = fleet.enrolled(ada)
    fleet.world.clock.forward(minutes=5)
    caller = fleet.caller(fleet.token(ada), held.certificate)
    assert caller.subject == ada.id
    assert (caller.device.bound, caller.device.posture) == ("mtls", "unknown")
    assert caller.device.thumbprint == read_shown(held.certificate).thumbprint
    assert caller.device.age_seconds >= 300
    fleet.devices.confirm(ada.tenant, admin.id, held.holder)
    assert fleet.caller(fleet.token(ada), held.certificate).device.posture == "managed"


def test_a_proof_beside_a_certificate_is_not_judged_twice(fleet: Fleet) -> None:
    ada = fleet.person()
    held, shown = fleet.enrolled(ada), Shown(Scheme.DPOP, "a proof, not looked at yet", "GET", "/v1/me")
    assert fleet.sessions.at_once(fleet.token(ada), over(held.certificate), shown) is None
    refused("proof-invalid", lambda: fleet.sessions.authenticate(fleet.token(ada), TLS, shown))


def test_without_a_certificate_nothing_changes(fleet: Fleet) -> None:
    caller = fleet.caller(fleet.token(fleet.person()))
    assert caller.device.bound is None


def test_a_bound_session_is_of_no_use_without_its_device(fleet: Fleet) -> None:
    ada = fleet.person()
    held, other = fleet.enrolled(ada), fleet.enrolled(ada)
    token = fleet.token(ada)
    assert fleet.sessions.at_once(token, over(held.certificate)) is None  # the binding is to be written
    fleet.caller(token, held.certificate)
    (event,) = [one for one in fleet.world.recorder.entries if one.operation == "device.bound"]
    assert (event.log, event.actor, event.facts["object"]) == (ada.tenant, ada.id, held.holder)
    refused("certificate-required", lambda: fleet.caller(token))
    refused("certificate-of-another", lambda: fleet.caller(token, other.certificate))
    assert fleet.caller(token, held.certificate).device.bound == "mtls"
    if fleet.world.database.at_hand:
        refused("certificate-required", lambda: fleet.sessions.at_once(token, TLS))
        at_once = fleet.sessions.at_once(token, over(held.certificate))
        assert at_once is not None
        assert at_once.device.bound == "mtls"


def test_the_next_certificate_of_the_same_device_serves_the_session(fleet: Fleet) -> None:
    ada = fleet.person()
    held, token = fleet.enrolled(ada), fleet.token(ada)
    fleet.caller(token, held.certificate)
    renewed = fleet.enrolments.renew(over(held.certificate), None, "req_1")
    assert fleet.caller(token, renewed.certificate).device.bound == "mtls"


def test_somebody_elses_certificate_opens_nothing(fleet: Fleet) -> None:
    ada, eve = fleet.person(), fleet.person()
    hers, token = fleet.enrolled(eve), fleet.token(ada)
    refused("certificate-of-another", lambda: fleet.caller(token, hers.certificate))
    assert fleet.caller(token).subject == ada.id  # nothing was bound


def test_a_certificate_ends_with_its_hour_also_on_a_connection_that_goes_on(fleet: Fleet) -> None:
    ada = fleet.person()
    held, token = fleet.enrolled(ada), fleet.token(ada)
    fleet.caller(token, held.certificate)
    shown = read_shown(held.certificate)
    assert fleet.holding.require(over(held.certificate)).standing.id == held.holder
    fleet.world.clock.forward(minutes=29)
    fleet.caller(token, held.certificate)
    fleet.world.clock.forward(minutes=29)
    fleet.caller(token, held.certificate)
    fleet.world.clock.forward(minutes=2)
    refused("certificate-expired", lambda: fleet.caller(token, held.certificate))
    assert shown.ends_at - shown.begins_at == 62 * 60 * 1000


def test_a_revocation_counts_from_the_next_request_on(fleet: Fleet) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    fleet.devices.revoke(ada.tenant, held.holder)
    refused("device-revoked", lambda: fleet.caller(fleet.token(ada), held.certificate))


def test_a_distrusted_authority_takes_its_certificates_along(fleet: Fleet) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    fleet.authorities.rotate(distrust=False)
    fleet.caller(fleet.token(ada), held.certificate)
    fleet.authorities.rotate(distrust=True)
    refused("certificate-distrusted", lambda: fleet.caller(fleet.token(ada), held.certificate))


def test_a_key_over_a_certificate_has_a_device_and_is_not_bound(fleet: Fleet) -> None:
    ada, eve = fleet.person(), fleet.person()
    held, hers = fleet.enrolled(ada), fleet.enrolled(eve)
    token = fleet.world.keys.create(NewKey(ada.tenant, ada.id, "k", frozenset({"generate"}), 1)).token
    assert fleet.keys.authenticate(token, over(held.certificate)).device.bound == "mtls"
    assert fleet.keys.authenticate(token, TLS).device.bound is None
    refused("certificate-of-another", lambda: fleet.keys.authenticate(token, over(hers.certificate)))


@pytest.mark.parametrize("wrong", ["no name", "two names", "server", "any purpose", "authority", "not ours", "rubbish"])
def test_what_our_authority_would_never_issue_is_refused(fleet: Fleet, wrong: str) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    name = read_shown(held.certificate).name.uri
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    forged = {
        "no name": lambda: altered(fleet, held, names=[]),
        "two names": lambda: altered(fleet, held, names=[name, name + "x"]),
        "server": lambda: altered(fleet, held, ExtendedKeyUsage=server),
        "any purpose": lambda: altered(fleet, held, ExtendedKeyUsage=both),
        "authority": lambda: altered(fleet, held, BasicConstraints=x509.BasicConstraints(ca=True, path_length=None)),
        "not ours": lambda: altered(fleet, held, names=["spiffe://elsewhere.example/tenant/t/device/d"]),
        "rubbish": lambda: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    }[wrong]()
    refused("certificate-unfit", lambda: fleet.caller(fleet.token(ada), forged))


def test_the_forger_of_these_tests_can_make_a_good_one(fleet: Fleet) -> None:
    ada = fleet.person()
    assert fleet.caller(fleet.token(ada), altered(fleet, fleet.enrolled(ada))).device.bound == "mtls"


def test_a_certificate_of_one_device_with_the_key_or_tenant_of_another_is_refused(fleet: Fleet) -> None:
    ada = fleet.person()
    held, other = fleet.enrolled(ada), fleet.enrolled(ada)
    swapped = altered(fleet, held, names=[read_shown(other.certificate).name.uri])
    refused("device-revoked", lambda: fleet.caller(fleet.token(ada), swapped))
    moved = SpiffeName(DOMAIN, fleet.world.tenant("Other").id, "device", held.holder).uri
    refused("device-revoked", lambda: fleet.caller(fleet.token(ada), altered(fleet, held, names=[moved])))
    service = SpiffeName(DOMAIN, ada.tenant, "service", held.holder).uri
    refused("certificate-unfit", lambda: fleet.caller(fleet.token(ada), altered(fleet, held, names=[service])))


def test_another_installation_with_the_same_authority_is_another_trust_domain(fleet: Fleet) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    renamed = Holding(fleet.devices, "new.example.org", fleet.world.recorder)
    refused("certificate-unfit", lambda: renamed.require(over(held.certificate)))


def test_a_certificate_of_tomorrow_is_none_of_today(fleet: Fleet) -> None:
    ada = fleet.person()
    held = fleet.enrolled(ada)
    authority = fleet.authorities.trusted()[-1]
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    key = supported_key(x509.load_pem_x509_certificate(held.certificate.encode()).public_key())
    fleet.world.clock.forward(days=1)
    later = fleet.world.clock.now()
    fleet.world.clock.forward(days=-1)
    name = read_shown(held.certificate).name
    early = pem_of(leaf_certificate(name, key, issuer, fleet.authorities._key(authority), later))
    refused("certificate-expired", lambda: fleet.holding.require(over(early)))


def test_two_first_requests_at_once_bind_one_device(fleet: Fleet) -> None:
    ada = fleet.person()
    held, other = fleet.enrolled(ada), fleet.enrolled(ada)
    token = fleet.token(ada)
    unbound = fleet.world.sessions.authenticate(token, over(held.certificate))
    fleet.caller(token, held.certificate)
    mine = fleet.holding.require(over(held.certificate))
    fleet.holding._bind(unbound, mine)  # the same device came second: nothing to say
    theirs = fleet.holding.require(over(other.certificate))
    refused("certificate-of-another", lambda: fleet.holding._bind(replace(unbound), theirs))
