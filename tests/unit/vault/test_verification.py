"""The public verifier: anybody may ask, a true certificate holds, a changed one is refused by name."""

from __future__ import annotations

import pytest

from troth.kernel.caller import anonymous
from troth.kernel.errors import Invalid
from troth.kernel.operation import Call
from troth.vault.verification import CertificateGiven, CertificateOperations
from vault_world import TENANT, VaultWorld


@pytest.fixture
def operations(world: VaultWorld) -> CertificateOperations:
    return CertificateOperations(signer=world.key, log_key=world.log_key)


def call(world: VaultWorld) -> Call:
    return Call(anonymous(), "req_verify", world.clock.now())


def test_true_certificate_holds(world: VaultWorld, operations: CertificateOperations) -> None:
    world.keep()
    done = world.erase()
    document = world.erasures.certificate(TENANT, done.certificate or "").decode()
    asked = call(world)
    held = operations.verify(asked, CertificateGiven(document=document))
    assert (held.certificate, held.scope, held.objects) == (done.certificate, "subject", 1)
    assert (held.assurance, held.roots_destroyed) == (("A0",), 1)
    assert asked.facts == {"certificate": done.certificate}


def test_changed_or_unreadable_document_is_refused(world: VaultWorld, operations: CertificateOperations) -> None:
    world.keep()
    done = world.erase()
    document = world.erasures.certificate(TENANT, done.certificate or "").decode()
    with pytest.raises(Invalid, match="envelope"):
        operations.verify(call(world), CertificateGiven(document=document.replace("payload", "payl0ad", 1)))
    with pytest.raises(Invalid):
        operations.verify(call(world), CertificateGiven.model_construct(document="\ud800"))
