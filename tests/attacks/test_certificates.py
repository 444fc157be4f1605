"""Client certificates over real TLS: who has none of ours stays outside, and who has one is still nobody alone."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certified_town import Device, Person, Shown, Town, asked, issuer_of, long_ago, now, town
from troth.identity.certificates.issuing import authority_certificate, fresh_key, leaf_certificate, pem_of
from troth.identity.certificates.proving import renewal_name
from troth.identity.certificates.reading import read_shown
from troth.identity.certificates.requesting import request_by


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with town(tmp_path_factory.mktemp("certificates")) as built:
        yield built


@pytest.fixture(scope="module")
def ada(home: Town) -> Person:
    return home.tenant("certified")


@pytest.fixture(scope="module")
def eve(home: Town, ada: Person) -> Person:
    return home.member(ada, "eve@certified.example.org")


@pytest.fixture(scope="module")
def laptop(home: Town, ada: Person) -> Device:
    return home.device(ada)


def test_a_device_with_its_persons_session_is_let_in(home: Town, ada: Person, laptop: Device) -> None:
    answer = home.ask("GET", "/v1/me", home.session(ada), laptop.shown)
    assert (answer.status, answer.body["id"]) == (200, ada.id)


def test_without_a_certificate_there_is_no_handshake(home: Town, ada: Person) -> None:
    assert home.ask("GET", "/livez").status == 0
    assert home.ask("GET", "/v1/me", home.session(ada)).status == 0
    assert home.ask("GET", "/livez", first=True).status == 200


def _self_signed(home: Town, laptop: Device) -> Shown:
    key, name = fresh_key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "me")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(now()).not_valid_after(now() + timedelta(hours=1))
    uri = x509.UniformResourceIdentifier(read_shown(laptop.shown.certificate).name.uri)
    builder = builder.add_extension(x509.SubjectAlternativeName([uri]), critical=False)
    return home.kept(pem_of(builder.sign(key, hashes.SHA256())), key)


def _of_another_authority(home: Town, laptop: Device) -> Shown:
    """The same name and even the same names of the authority, with another authority's key."""
    key, theirs = fresh_key(), fresh_key()
    issuer = authority_certificate(theirs, "localhost", now())
    name = read_shown(laptop.shown.certificate).name
    return home.kept(pem_of(leaf_certificate(name, key.public_key(), issuer, theirs, now())), key)


def _by_name_only(home: Town, laptop: Device) -> Shown:
    """It names our authority as its issuer; another key signed it."""
    issuer = issuer_of(home.parts.authorities.trusted()[-1])
    key, name = fresh_key(), read_shown(laptop.shown.certificate).name
    return home.kept(pem_of(leaf_certificate(name, key.public_key(), issuer, fresh_key(), now())), key)


def _for_servers(home: Town, laptop: Device) -> Shown:
    return _with(home, laptop, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]))


def _with(home: Town, laptop: Device, *changed: x509.ExtensionType) -> Shown:
    """The device's certificate signed anew by the real authority with other extensions of the same kinds."""
    real = x509.load_pem_x509_certificate(laptop.shown.certificate.encode())
    issuer = issuer_of(home.parts.authorities.trusted()[-1])
    builder = x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(issuer.subject)
    builder = builder.public_key(real.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(real.not_valid_before_utc).not_valid_after(real.not_valid_after_utc)
    others = {type(one): one for one in changed}
    for extension in real.extensions:
        value = others.get(type(extension.value), extension.value)
        builder = builder.add_extension(value, critical=extension.critical)
    return home.kept(pem_of(builder.sign(home.authority_key(), hashes.SHA256())), laptop.key)


def _expired(home: Town, laptop: Device) -> Shown:
    return home.signed(laptop, at=long_ago())


def _of_tomorrow(home: Town, laptop: Device) -> Shown:
    return home.signed(laptop, at=now() + timedelta(days=1))


@pytest.mark.parametrize(
    "forged", [_self_signed, _of_another_authority, _by_name_only, _for_servers, _expired, _of_tomorrow]
)
def test_a_certificate_that_is_none_of_ours_or_not_of_now_fails_in_the_handshake(
    home: Town, ada: Person, laptop: Device, forged: object
) -> None:
    assert callable(forged)
    assert home.ask("GET", "/v1/me", home.session(ada), forged(home, laptop)).status == 0


def test_what_our_own_authority_signed_by_mistake_is_refused_at_the_first_request(
    home: Town, ada: Person, laptop: Device
) -> None:
    uri = read_shown(laptop.shown.certificate).name.uri
    names = [x509.UniformResourceIdentifier(uri), x509.UniformResourceIdentifier(uri + "2")]
    wrong = {
        "two URIs": _with(home, laptop, x509.SubjectAlternativeName(names)),
        "no URI": _with(home, laptop, x509.SubjectAlternativeName([x509.DNSName("localhost")])),
        "both purposes": _with(
            home, laptop, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
        ),
        "another trust domain": home.signed(laptop, trust_domain="elsewhere.example"),
        "a service": home.signed(laptop, kind="service"),
    }
    for name, shown in wrong.items():
        answer = home.ask("GET", "/v1/me", home.session(ada), shown)
        assert (answer.status, answer.code) == (401, "certificate-unfit"), name
    moved = home.signed(laptop, tenant=home.tenant("elsewhere").tenant)
    answer = home.ask("GET", "/v1/me", home.session(ada), moved)
    assert (answer.status, answer.code) == (401, "device-revoked")


def test_a_certificate_alone_is_nobody(home: Town, laptop: Device) -> None:
    for path in ("/v1/me", "/v1/sessions", "/v1/devices"):
        assert home.ask("GET", path, shown=laptop.shown).status == 401
    assert home.ask("GET", "/v1/promises", shown=laptop.shown).status == 200


def test_a_stolen_token_is_worth_nothing_without_its_device(
    home: Town, ada: Person, eve: Person, laptop: Device
) -> None:
    token, hers = home.session(ada), home.device(eve)
    assert home.ask("GET", "/v1/me", token, laptop.shown).status == 200
    plain = home.ask("GET", "/v1/me", token, first=True)
    assert (plain.status, plain.code) == (401, "certificate-required")
    other = home.ask("GET", "/v1/me", token, hers.shown)
    assert (other.status, other.code) == (401, "certificate-of-another")
    spare = home.device(ada)
    another = home.ask("GET", "/v1/me", token, spare.shown)
    assert (another.status, another.code) == (401, "certificate-of-another")
    assert home.ask("GET", "/v1/me", token, laptop.shown).status == 200


def test_a_certificate_of_another_person_or_tenant_opens_no_session(home: Town, ada: Person, eve: Person) -> None:
    stranger = home.tenant("strangers")
    for thief in (home.device(eve), home.device(stranger)):
        token = home.session(ada)
        answer = home.ask("GET", "/v1/me", token, thief.shown)
        assert (answer.status, answer.code) == (401, "certificate-of-another")
        assert home.ask("GET", "/v1/me", token, first=True).status == 200  # nothing was bound


@pytest.mark.parametrize(
    "name", ["X-Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "Client-Cert", "SSL_CLIENT_CERT"]
)
def test_headers_that_speak_of_certificates_are_never_believed(
    home: Town, ada: Person, laptop: Device, name: str
) -> None:
    token = home.session(ada)
    assert home.ask("GET", "/v1/me", token, laptop.shown).status == 200
    certificate = laptop.shown.certificate
    uri = read_shown(certificate).name.uri
    for value in (quote(certificate), certificate.replace("\n", " "), f"URI={uri}", ":" + certificate[28:80] + ":"):
        headers = {name: value, "X-Forwarded-Proto": "https", "X-Client-Verify": "SUCCESS"}
        answer = home.ask("GET", "/v1/me", token, first=True, headers=headers)
        assert (answer.status, answer.code) == (401, "certificate-required")


def test_a_revocation_counts_on_a_connection_that_is_open(home: Town, ada: Person) -> None:
    lost, kept = home.device(ada), home.session(ada)
    bound = home.session(ada)
    with home.line(lost.shown) as line:
        assert asked(line, "GET", "/v1/me", bound).status == 200
        gone = home.ask("DELETE", f"/v1/devices/{lost.id}", kept, first=True)
        assert gone.body == {"sessions": 1}
        assert asked(line, "GET", "/v1/me", bound).code == "session-unknown"
        assert asked(line, "GET", "/v1/me", home.session(ada)).code == "device-revoked"
        assert asked(line, "POST", "/v1/devices/renewal").code == "device-revoked"


def test_an_administrator_takes_a_device_out_and_nobody_of_elsewhere_does(home: Town, ada: Person, eve: Person) -> None:
    hers = home.device(eve)
    stranger = home.tenant("others")
    for who, path in ((stranger, "/v1/fleet"), (stranger, "/v1/devices"), (ada, "/v1/devices")):
        assert home.act(who, "DELETE", f"{path}/{hers.id}").status == 404
    assert home.act(eve, "DELETE", f"/v1/fleet/{hers.id}").status == 403
    assert home.act(ada, "DELETE", f"/v1/fleet/{hers.id}").status == 200
    assert home.ask("GET", "/v1/me", home.session(eve), hers.shown).code == "device-revoked"


def test_renewal_over_the_present_certificate_and_by_the_key(home: Town, ada: Person, laptop: Device) -> None:
    by_certificate = home.ask("POST", "/v1/devices/renewal", shown=laptop.shown)
    assert by_certificate.status == 200
    fresh = home.kept(by_certificate.body["certificate"], laptop.key)
    assert home.ask("GET", "/v1/me", home.session(ada), fresh).status == 200
    proof = request_by(laptop.key, renewal_name(laptop.id, int(now().timestamp() * 1000)))
    assert home.ask("POST", "/v1/devices/renewal", first=True, request=proof).status == 200
    stranger = request_by(fresh_key(), renewal_name(laptop.id, int(now().timestamp() * 1000)))
    assert home.ask("POST", "/v1/devices/renewal", first=True, request=stranger).code == "device-revoked"
    assert home.ask("POST", "/v1/devices/renewal", first=True).code == "certificate-required"


def test_tls_below_1_3_is_not_spoken(home: Town, laptop: Device) -> None:
    context = ssl.create_default_context(cafile=home.stage.authority)
    context.load_cert_chain(*laptop.shown.files)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(("127.0.0.1", home.second), 20) as plain,
        pytest.raises(OSError, match=r"(?i)protocol|alert|reset|eof"),
        context.wrap_socket(plain, server_hostname="localhost"),
    ):
        pass
    context.maximum_version = context.minimum_version = ssl.TLSVersion.TLSv1_3  # the control: all else was right
    with (
        socket.create_connection(("127.0.0.1", home.second), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as spoken,
    ):
        assert spoken.version() == "TLSv1.3"


def test_no_session_is_resumed(home: Town, laptop: Device) -> None:
    """A resumed session would bring a certificate back without a look at its time."""
    context = ssl.create_default_context(cafile=home.stage.authority)
    context.load_cert_chain(*laptop.shown.files)
    with (
        socket.create_connection(("127.0.0.1", home.second), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        assert secured.recv(64).startswith(b"HTTP/1.1 200")
        assert secured.session is None or not secured.session.has_ticket


def test_an_exposed_authority_is_given_up_and_devices_go_on_by_their_keys(
    home: Town, ada: Person, laptop: Device
) -> None:
    before = home.ask("POST", "/v1/devices/renewal", shown=laptop.shown).body["certificate"]
    old = home.kept(before, laptop.key)
    assert home.act(ada, "POST", "/v1/authorities").status == 403
    assert home.act(home.operator, "POST", "/v1/authorities", distrust=True).status == 201
    refused = home.ask("GET", "/v1/me", home.session(ada), old)
    assert refused.code == "certificate-distrusted"
    home.learn()
    proof = request_by(laptop.key, renewal_name(laptop.id, int(now().timestamp() * 1000)))
    made = home.ask("POST", "/v1/devices/renewal", first=True, request=proof)
    fresh = home.kept(made.body["certificate"], laptop.key)
    assert home.ask("GET", "/v1/me", home.session(ada), fresh).status == 200
    listed = home.ask("GET", "/v1/authorities", first=True).body["authorities"]
    assert listed[0]["distrusted_at"] is not None
    assert listed[-1]["distrusted_at"] is None
    object.__setattr__(laptop, "shown", fresh)  # for whatever test comes next, in whatever order
    home.machines.clear()


def test_everything_is_in_the_tenants_log(home: Town, ada: Person) -> None:
    device = home.device(ada)
    assert home.ask("GET", "/v1/me", home.session(ada), device.shown).status == 200
    assert home.ask("POST", "/v1/devices/renewal", shown=device.shown).status == 200
    assert home.ask("DELETE", f"/v1/devices/{device.id}", home.session(ada), first=True).status == 200
    home.installation.troth.system.base.sequencer.flush()
    entries = home.act(ada, "GET", "/v1/activity?limit=60").body["entries"]
    said = {one["operation"] for one in entries if one.get("facts", {}).get("object") == device.id}
    assert {"device.enrol", "device.bound", "device.renewed", "device.revoke"} <= said
