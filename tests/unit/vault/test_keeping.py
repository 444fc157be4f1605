"""What is kept for a purpose ends with the consent; what only passes through ends with the stated ceiling."""

from __future__ import annotations

import pytest

from troth.kernel.data_class import DataClass
from troth.kernel.errors import Denied, Gone, Invalid
from troth.vault.certificate import verify_certificate
from troth.vault.deadlines import DAY_MS, MINUTE_MS
from vault_world import ANN, TENANT, VaultWorld


def test_nothing_is_kept_for_a_purpose_without_consent(world: VaultWorld) -> None:
    with pytest.raises(Denied) as refusal:
        world.keep(purpose="training")
    assert refusal.value.code == "no-consent"
    with pytest.raises(Invalid):
        world.keep(purpose="Any Purpose")
    assert list(world.blobs.names()) == []


def test_withdrawal_ends_what_was_kept_for_the_purpose_and_its_copies(world: VaultWorld) -> None:
    given = world.consents.grant(TENANT, ANN, "training", notice="v1")
    kept, plain = world.keep(purpose="training"), world.keep()
    copy = world.keep(derived_from=(kept.id,))
    world.consents.withdraw(TENANT, ANN, given.id)
    for one in (kept, copy):
        with pytest.raises(Gone):
            world.objects.open(TENANT, ANN, one.id)
    assert world.objects.open(TENANT, ANN, plain.id)
    swept = world.retention.sweep()
    assert (swept.ended, len(swept.certificates)) == (2, 1)
    envelope = world.erasures.certificate(TENANT, swept.certificates[0])
    certificate = verify_certificate(envelope, world.keys(), log_keys=[world.log_key()])
    assert (certificate.scope, set(certificate.objects.identifiers)) == ("retention", {kept.id, copy.id})
    assert certificate.assurance == {"local": "A0"}
    assert "No backups known" in certificate.backups


def test_a_consent_that_ends_is_the_deadline(world: VaultWorld) -> None:
    ends = world.ground.now() + DAY_MS
    world.consents.grant(TENANT, ANN, "training", notice="v1", expires_at=ends)
    assert world.keep(purpose="training").expires_at == ends


def test_a_renewed_consent_takes_over_what_the_old_one_kept(world: VaultWorld) -> None:
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    kept = world.keep(purpose="training")
    fresh = world.consents.grant(TENANT, ANN, "training", notice="v2")
    assert world.objects.open(TENANT, ANN, kept.id)
    world.consents.withdraw(TENANT, ANN, fresh.id)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)


def test_a_rule_for_a_purpose_shortens_that_purpose_alone(world: VaultWorld) -> None:
    world.consents.grant(TENANT, ANN, "training", notice="v1")
    kept, plain = world.keep(purpose="training"), world.keep()
    world.deadlines.set_rule(TENANT, DataClass.USER_GENERATED, 2, actor="usr_x", request="req_1", purpose="training")
    assert world.keep(purpose="training").expires_at == world.ground.now() + 2 * DAY_MS
    assert world.keep().expires_at == plain.expires_at
    world.clock.forward(days=2)
    assert world.retention.sweep().ended == 2
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    assert world.objects.open(TENANT, ANN, plain.id)


def test_what_passes_through_ends_with_the_ceiling(world: VaultWorld) -> None:
    kept = world.keep(transient=True, data_class=DataClass.ACCOUNT)
    assert kept.expires_at == kept.created_at + 60 * MINUTE_MS
    world.clock.forward(minutes=60)
    with pytest.raises(Gone):
        world.objects.open(TENANT, ANN, kept.id)
    assert world.retention.sweep().ended == 1
