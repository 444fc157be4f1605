"""Metadata: what is read of a provider's, and what ours says while a key rotates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lxml import etree

import saml_world as w
from sso_world import LOOPBACK
from troth.identity.sso.fetching import Reach
from troth.identity.sso.saml import certificates, metadata
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Invalid

DS = f"{{{w.NS['ds']}}}"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"


def read(text: str, reach: Reach = Reach()) -> metadata.Provider:  # noqa: B008
    return metadata.read(text.encode(), w.NOW, reach)


def test_a_provider_is_read() -> None:
    until = w.NOW + timedelta(days=7)
    found = read(w.provider_metadata("idp", "next", validUntil=until.strftime("%Y-%m-%dT%H:%M:%SZ")))
    assert (found.entity, found.sso_url, found.valid_until) == (w.PROVIDER, w.SSO, epoch_ms(until))
    assert certificates.read(found.certificates) == (w.certificate("idp"), w.certificate("next"))


def test_a_provider_on_this_machine_may_speak_http_where_an_operator_said_so() -> None:
    address = "http://127.0.0.1:8080/sso"
    text = w.provider_metadata("idp").replace(w.SSO, address)
    assert read(text, LOOPBACK).sso_url == address
    with pytest.raises(Invalid):
        read(text)


ELSEWHERE = ["http://idp.example/", "//idp.example/", "https://a b/", "ftp://idp.example/", ""]
ELSEWHERE += ["https://troth.example@evil.example/", "https:///sso", "https://", "https://:pass@idp.example/"]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(w.provider_metadata("idp").replace(w.SSO, address))
    assert refused.value.code == "saml-metadata"


def test_two_roles_are_refused() -> None:
    text = w.provider_metadata("idp")
    role = text[text.index("<md:IDPSSODescriptor") : text.index("</md:EntityDescriptor>")]
    with pytest.raises(Invalid) as refused:
        read(text.replace(role, role * 2))
    assert refused.value.code == "saml-metadata"


def test_a_key_that_is_for_encryption_only_signs_nothing() -> None:
    with pytest.raises(Invalid) as refused:
        read(w.provider_metadata("idp").replace('use="signing"', 'use="encryption"'))
    assert refused.value.code == "saml-certificate"


def test_certificates_are_counted() -> None:
    with pytest.raises(Invalid):
        read(w.provider_metadata(*["idp"] * (certificates.MOST + 1)))


def test_ours_shows_both_certificates_while_a_key_rotates() -> None:
    pairs = [certificates.make("self", w.NOW) for _ in range(2)]
    own = tuple(certificate for _, certificate in pairs)
    root = etree.fromstring(metadata.write('https://troth.example/"&', "https://troth.example/acs", own))
    assert root.get("entityID") == 'https://troth.example/"&'
    shown = [(one.get("use"), one.findtext(f".//{DS}X509Certificate")) for one in root.iter(f"{MD}KeyDescriptor")]
    assert shown == [("signing", own[0]), ("signing", own[1]), ("encryption", own[1])]
    keys = certificates.keys(" ".join(key for key, _ in pairs))
    assert [key.public_key() for key in keys] == [one.public_key() for one in certificates.read(own)]
