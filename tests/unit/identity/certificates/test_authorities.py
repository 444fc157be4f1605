"""The authority: made once, followed in time, given up at once; its key is sealed where it lies."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from sqlalchemy import select, update

from troth.identity.certificates.authorities import ANNOUNCED, KEY, SEALED_FOR, Authorities
from troth.identity.certificates.issuing import AUTHORITY_LIFE, fresh_key
from troth.identity.certificates.store import authorities
from troth.kernel.errors import Unavailable
from unit.identity.certificates.fleet import DOMAIN, Fleet


def _issue(fleet: Fleet, by: Authorities | None = None) -> int:
    """The number of the authority that signs now."""
    made = (by or fleet.authorities).certify("ten_a", "device", "dev_b", fresh_key().public_key())
    signer = x509.load_pem_x509_certificate(made.authority.encode())
    x509.load_pem_x509_certificate(made.certificate.encode()).verify_directly_issued_by(signer)
    return {one.certificate: one.number for one in fleet.authorities.all()}[made.authority]


def _another_process(fleet: Fleet) -> Authorities:
    return Authorities(fleet.world.database, fleet.world.fields, fleet.world.clock, DOMAIN)


def test_the_first_is_made_on_first_use_and_stays(fleet: Fleet) -> None:
    assert fleet.authorities.all() == []
    (first,) = fleet.authorities.trusted()
    assert list(_another_process(fleet).trusted()) == [first]
    assert _issue(fleet) == 1
    certificate = x509.load_pem_x509_certificate(first.certificate.encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [one.value for one in names] == [f"spiffe://{DOMAIN}"]


def test_another_process_signs_with_the_same_key(fleet: Fleet) -> None:
    fleet.authorities.trusted()
    assert _issue(fleet, _another_process(fleet)) == 1


def test_the_key_does_not_lie_in_clear(fleet: Fleet) -> None:
    fleet.authorities.trusted()
    with fleet.world.database.read() as sql:
        sealed = sql.execute(select(authorities.c.key)).scalar_one()
    plain = fleet.world.fields.open(*SEALED_FOR, KEY, sealed)
    assert plain not in sealed
    assert plain[:1] == b"\x30"


def test_the_next_one_is_trusted_before_it_signs_and_the_last_one_after(fleet: Fleet) -> None:
    fleet.authorities.trusted()
    assert not fleet.authorities.upkeep()
    fleet.world.clock.forward(days=AUTHORITY_LIFE.days - 29)
    assert fleet.authorities.upkeep()
    assert not fleet.authorities.upkeep()
    assert [one.number for one in fleet.authorities.trusted()] == [1, 2]
    assert _issue(fleet) == 1
    fleet.world.clock.forward(seconds=ANNOUNCED / timedelta(seconds=1))
    assert _issue(fleet) == 2
    assert [one.number for one in fleet.authorities.trusted()] == [1, 2]
    fleet.world.clock.forward(days=30)
    assert [one.number for one in fleet.authorities.trusted()] == [2]


def test_who_was_away_for_long_finds_a_fresh_one(fleet: Fleet) -> None:
    fleet.authorities.trusted()
    fleet.world.clock.forward(days=200)
    assert _issue(fleet) == 2


def test_nothing_is_signed_that_outlives_its_authority(fleet: Fleet) -> None:
    first = fleet.authorities.trusted()[-1]
    fleet.world.clock.forward(days=AUTHORITY_LIFE.days, minutes=-30)
    with pytest.raises(Unavailable) as refusal:
        _issue(fleet)
    assert refusal.value.code == "no-authority"
    assert fleet.authorities.trusted() == [first]


def test_a_rotation_overlaps_and_a_distrust_does_not(fleet: Fleet) -> None:
    assert _issue(fleet) == 1
    assert fleet.authorities.rotate(distrust=False).number == 2
    assert _issue(fleet) == 1
    third = fleet.authorities.rotate(distrust=True)
    assert list(fleet.authorities.trusted()) == [third]
    assert _issue(fleet) == 3
    assert [one.distrusted_at is None for one in fleet.authorities.all()] == [False, False, True]


def test_a_rotation_needs_no_old_key(fleet: Fleet) -> None:
    fleet.authorities.trusted()
    with fleet.world.database.write() as sql:
        sql.execute(update(authorities).values(key=b"lost"))
    assert fleet.authorities.rotate(distrust=True).number == 2
    assert _issue(fleet) == 2
