"""The door's own rules: lasting names, one address, metadata that ends, one attempt for one connection."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import etree

import saml_world as w
from saml_town import SamlTown
from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.saml.refusal import Reason, SamlRefused
from troth.identity.sso.saml.settings import Reading
from troth.identity.sso.subjects import by_hand
from troth.kernel.errors import Conflict, Invalid, Unauthenticated
from unit.identity.world import TLS, World
from worlds import person

TRANSIENT = 'Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"'
MAILS = '<saml:Attribute Name="mail">{}</saml:Attribute>'
VALUE = "<saml:AttributeValue>{}</saml:AttributeValue>"


@pytest.fixture
def town(world: World) -> SamlTown:
    return SamlTown(world, world.clock)


def request_of(location: str) -> Any:
    query = parse_qs(urlsplit(location).query)
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))


def answered(town: SamlTown, made: SsoConnection, *, fresh: bool = False, **changes: Any) -> tuple[str, str, str]:
    """(Response, state, browser) of an honest provider, with changes."""
    begun = town.door.begin(made.id, None, fresh=fresh)
    query = parse_qs(urlsplit(begun.location).query)
    request = request_of(begun.location).get("ID")
    town.serial += 1
    now = town.clock.now()

    def at(seconds: float) -> str:
        return (now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    facts = w.Facts(
        destination=town.door.acs(made.id),
        recipient=town.door.acs(made.id),
        audience=town.door.entity(made.id),
        response_to=request,
        confirmation_to=request,
        issued=at(0),
        not_before=at(-30),
        not_on_or_after=at(300),
        confirmation_until=at(300),
        authenticated=at(-5),
        session_until=at(900),
        assertion_id=f"_a{town.serial}",
        attributes=MAILS.format(VALUE.format("ada@customer.example")),
    )
    response = base64.b64encode(w.assertion_signed(replace(facts, **changes)).encode()).decode()
    return response, query["RelayState"][0], begun.browser


def test_a_session_ends_when_the_providers_does(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    done = town.finish(made.id, *answered(town, made))
    assert done.session.expires_at <= (town.clock.now() + timedelta(seconds=900)).timestamp() * 1000


def test_a_name_that_does_not_last_is_no_subject(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    with pytest.raises(Unauthenticated) as refused:
        town.finish(made.id, *answered(town, made, name_attributes=TRANSIENT))
    assert refused.value.code == "sso-subject"
    reading = Reading(subject_attribute="mail", email_attribute="mail")
    lasting = town.connect(w.provider_metadata("idp"), name="lasting", reading=reading)
    assert town.finish(lasting.id, *answered(town, lasting, name_attributes=TRANSIENT)).user


NAMED = 'Format="urn:oasis:names:tc:SAML:{}"'
KINDS = [
    NAMED.format("2.0:nameid-format:persistent"),
    NAMED.format("2.0:nameid-format:persistent") + ' NameQualifier="https://other.example"',
    NAMED.format("2.0:nameid-format:persistent") + ' SPNameQualifier="https://affiliation.example"',
    NAMED.format("1.1:nameid-format:unspecified"),
    NAMED.format("1.1:nameid-format:emailAddress"),
]


def test_a_name_of_another_kind_is_another_person(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    first = town.finish(made.id, *answered(town, made, name_attributes=KINDS[0])).user
    usual = f'{KINDS[0]} NameQualifier="{made.issuer}" SPNameQualifier="{town.door.entity(made.id)}"'
    assert town.finish(made.id, *answered(town, made, name_attributes=usual)).user == first  # Core section 8.3.7
    for kind in KINDS[1:]:
        with pytest.raises(Unauthenticated) as refused:
            town.finish(made.id, *answered(town, made, name_attributes=kind))
        assert refused.value.code == "sso-link-waits", kind


def test_a_name_is_linked_by_hand_with_its_kind(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    with pytest.raises(Invalid, match="format of the name"):
        by_hand(made, "ada", None)
    ada = town.world.person(town.tenant, "member", email="ada@customer.example")
    subject = by_hand(made, w.Facts().name_id, "persistent")
    town.world.links.link(person("owner", tenant=town.tenant), made, ada.id, subject)
    assert town.finish(made.id, *answered(town, made, name_attributes=KINDS[0])).user == ada.id
    by_mail = town.connect(w.provider_metadata("idp"), reading=Reading(subject_attribute="mail"))
    assert by_hand(by_mail, "x", None) == by_hand(by_mail, "x", "email")


def test_a_fresh_look_is_asked_for_and_held(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    assert request_of(town.door.begin(made.id, None).location).get("ForceAuthn") is None
    assert request_of(town.door.begin(made.id, None, fresh=True).location).get("ForceAuthn") == "true"

    def earlier(seconds: int) -> str:
        return (town.clock.now() - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    with pytest.raises(SamlRefused) as refused:
        town.finish(made.id, *answered(town, made, fresh=True, authenticated=earlier(120)))
    assert refused.value.reason is Reason.AUTHENTICATION_OLD
    done = town.finish(made.id, *answered(town, made, authenticated=earlier(120)))
    assert town.world.sessions.authenticate(done.session.token, TLS).authentication.age_seconds == 120
    town.finish(made.id, *answered(town, made, fresh=True, authenticated=earlier(20)))


def test_of_two_addresses_none_counts(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    two = MAILS.format(VALUE.format("ada@customer.example") + VALUE.format("eve@customer.example"))
    with pytest.raises(Unauthenticated) as refused:
        town.finish(made.id, *answered(town, made, attributes=two))
    assert refused.value.code == "sso-address"


def test_an_answer_at_the_door_of_another_connection_is_refused(town: SamlTown) -> None:
    made, other = (town.connect(w.provider_metadata("idp"), name=name) for name in ("one", "other"))
    with pytest.raises(SamlRefused) as refused:
        town.finish(other.id, *answered(town, made))
    assert refused.value.reason is Reason.UNSOLICITED


def test_metadata_that_ended_opens_nothing(town: SamlTown) -> None:
    until = (town.clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = town.connect(w.provider_metadata("idp", validUntil=until))
    town.door.begin(made.id, None)
    town.world.clock.forward(seconds=86400)
    with pytest.raises(Conflict) as refused:
        town.door.begin(made.id, None)
    assert refused.value.code == "saml-metadata-expired"


def test_the_reason_is_in_the_tenants_log_alone(town: SamlTown) -> None:
    made = town.connect(w.provider_metadata("idp"))
    with pytest.raises(SamlRefused) as refused:
        town.finish(made.id, *answered(town, made, audience="https://other.example"))
    assert "audience" not in refused.value.advice
    entry = town.world.recorder.entries[-1]
    assert (entry.log, entry.operation, entry.code) == (town.tenant, "session.refused", "saml-refused")
    assert entry.facts == {"object": made.id, "reason": "audience"}
