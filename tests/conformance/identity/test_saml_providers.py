"""Sign-in through identity providers of others: our requests and metadata are read, all four shapes are taken."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Table

from database_world import opened
from saml_providers import SimpleSamlPhp, nanoidp, simplesamlphp, visit
from saml_town import BASE, SamlTown
from saml_world import provider_metadata
from troth.identity import store
from troth.identity.sso import store as sso_store
from troth.identity.sso.saml import certificates, metadata
from troth.identity.sso.saml import messages as m
from troth.identity.sso.saml.refusal import Reason, SamlRefused
from troth.identity.sso.saml.settings import Reading
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Unauthenticated
from unit.identity.world import World

SHAPES = {
    "assertion-signed": {"saml20.sign.assertion": True, "saml20.sign.response": False},
    "response-signed": {"saml20.sign.assertion": False, "saml20.sign.response": True},
    "both-signed": {"saml20.sign.assertion": True, "saml20.sign.response": True},
    # Version 1.19 encrypts by AES-CBC always, which is taken only in a signed Response (its own default).
    "signed-and-encrypted": {
        "saml20.sign.assertion": True,
        "saml20.sign.response": True,
        "assertion.encryption": True,
    },
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[SamlTown]:
    """A tenant on an empty database, in real time."""
    tables = [one for room in (store, sso_store) for one in vars(room).values() if isinstance(one, Table)]
    with opened("sqlite", tmp_path, tables) as database:
        yield SamlTown(World(database), SystemClock())


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleSamlPhp]:
    with simplesamlphp(tmp_path_factory.mktemp("simplesamlphp")) as running:
        yield running


@pytest.mark.parametrize("shape", SHAPES)
def test_simplesamlphp_signs_in_by_every_shape(town: SamlTown, provider: SimpleSamlPhp, shape: str) -> None:
    made = town.connect(provider.metadata())
    provider.know(town.door.metadata(made.id), **SHAPES[shape])
    begun = town.door.begin(made.id, None)
    form = visit(begun.location)
    assert form.action == f"{BASE}/sign-in/saml/{made.id}/acs"
    assert (b"EncryptedAssertion" in base64.b64decode(form.response)) == ("encryption" in str(SHAPES[shape]))
    done = town.finish(made.id, form.response, form.state, begun.browser)
    assert town.world.users.get(done.user).email == "ada@customer.example"
    assert town.world.users.get(done.user).display_name == "Ada Lovelace"
    with pytest.raises(Unauthenticated):  # the attempt is used up, so the same answer opens nothing again
        town.finish(made.id, form.response, form.state, begun.browser)


def test_simplesamlphp_refuses_a_request_that_our_key_did_not_sign(town: SamlTown, provider: SimpleSamlPhp) -> None:
    made, other = town.connect(provider.metadata()), town.connect(provider.metadata(), name="other")
    foreign = metadata.write(
        town.door.entity(made.id),
        town.door.acs(made.id),
        (town.door.connections.get(town.tenant, other.id).settings["own"]),
    )
    provider.know(foreign, **SHAPES["both-signed"])
    with pytest.raises(AssertionError):
        visit(town.door.begin(made.id, None).location)


def test_cbc_that_no_signature_covers_is_refused(town: SamlTown, provider: SimpleSamlPhp) -> None:
    made = town.connect(provider.metadata())
    provider.know(town.door.metadata(made.id), **SHAPES["signed-and-encrypted"] | {"saml20.sign.response": False})
    begun = town.door.begin(made.id, None)
    form = visit(begun.location)
    with pytest.raises(SamlRefused) as refused:
        town.finish(made.id, form.response, form.state, begun.browser)
    assert refused.value.reason is Reason.ENCRYPTION


def test_an_answer_for_another_attempt_is_refused(town: SamlTown, provider: SimpleSamlPhp) -> None:
    made = town.connect(provider.metadata())
    provider.know(town.door.metadata(made.id), **SHAPES["both-signed"])
    first, second = town.door.begin(made.id, None), town.door.begin(made.id, None)
    form, other = visit(first.location), visit(second.location)
    with pytest.raises(SamlRefused) as refused:
        town.finish(made.id, form.response, other.state, second.browser)
    assert refused.value.reason is Reason.UNSOLICITED


def test_nanoidp_signs_in(town: SamlTown, tmp_path: Path) -> None:
    """It names its services' certificates in its settings, so ours is made before it starts."""
    made = town.connect(provider_metadata("idp"))
    (own,) = certificates.read(made.settings["own"])
    home = tmp_path / "nanoidp"
    home.mkdir()
    with nanoidp(home, own.public_bytes(Encoding.PEM).decode()) as running:
        wish = m.SamlChange(
            connection_id=made.id,
            name="nanoidp",
            metadata=running.metadata(),
            domains=("customer.example",),
            reading=Reading(email_attribute="email"),
            just_in_time=True,
        )
        town.setup.change(town.tenant, wish)
        begun = town.door.begin(made.id, None)
        form = running.visit(begun.location)
    done = town.finish(made.id, form.response, form.state, begun.browser)
    assert town.world.users.get(done.user).email == "ada@customer.example"
