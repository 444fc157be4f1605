"""One-time codes: the vectors of RFC 6238, drift, one use, enrolment."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pyotp
import pytest

from troth.identity.mfa.totp import matching_step
from troth.kernel.errors import Conflict, Unauthenticated
from unit.identity.world import World

# RFC 6238 appendix B, SHA-1: moment and the last six digits of the eight.
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
SECRET = pyotp.TOTP(base64.b32encode(b"12345678901234567890").decode())


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_vectors_of_the_standard(seconds: int, code: str) -> None:
    assert matching_step(SECRET, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


@pytest.mark.parametrize(("late", "accepted"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_one_step_of_drift_to_either_side(late: int, accepted: bool) -> None:
    code, now = SECRET.generate_otp(1000), datetime.fromtimestamp(30_000 + late, UTC)
    if accepted:
        assert matching_step(SECRET, code, now) == 1000
    else:
        with pytest.raises(Unauthenticated):
            matching_step(SECRET, code, now)


@pytest.mark.parametrize("code", ["", "28708", "2870822", "abcdef", "²87082", "287082\0", "٢٨٧٠٨٢"])
def test_what_is_not_six_digits_is_wrong(code: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        matching_step(SECRET, code, datetime.fromtimestamp(59, UTC))
    assert refusal.value.code == "totp-wrong"


def test_spaces_in_a_code_are_read_over() -> None:
    assert matching_step(SECRET, "287 082", datetime.fromtimestamp(59, UTC)) == 1


def test_a_code_works_once(world: World) -> None:
    person = world.settled(world.tenant().id)
    code = world.code(person)
    world.totp.use(person.tenant, person.id, code)
    with pytest.raises(Unauthenticated) as refusal:
        world.totp.use(person.tenant, person.id, code)
    assert refusal.value.code == "totp-replayed"


def test_an_older_code_does_not_work_after_a_newer_one(world: World) -> None:
    person = world.settled(world.tenant().id)
    older = world.code(person)
    world.clock.forward(seconds=30)
    world.totp.use(person.tenant, person.id, world.code(person))
    with pytest.raises(Unauthenticated) as refusal:
        world.totp.use(person.tenant, person.id, older)
    assert refusal.value.code == "totp-replayed"


def test_of_many_requests_with_one_code_one_passes(world: World) -> None:
    person = world.settled(world.tenant().id)
    code = world.code(person)

    def attempt(_: int) -> bool:
        try:
            world.totp.use(person.tenant, person.id, code)
        except Unauthenticated:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


def test_an_offer_counts_only_once_confirmed(world: World) -> None:
    person = world.person(world.tenant().id)
    offer = world.totp.offer(person.tenant, person.id, person.email)
    assert not world.totp.confirmed(person.id)
    code = pyotp.TOTP(offer.secret).at(world.clock.now())
    with pytest.raises(Unauthenticated):
        world.totp.use(person.tenant, person.id, code)
    with pytest.raises(Unauthenticated):
        world.totp.confirm(person.tenant, person.id, f"{(int(code) + 1) % 1_000_000:06}")
    world.totp.confirm(person.tenant, person.id, code)
    assert world.totp.confirmed(person.id)
    with pytest.raises(Unauthenticated) as refusal:
        world.totp.use(person.tenant, person.id, code)
    assert refusal.value.code == "totp-replayed"


def test_a_second_offer_leaves_the_first_secret_in_force_until_confirmed(world: World) -> None:
    person = world.settled(world.tenant().id)
    world.totp.offer(person.tenant, person.id, person.email)
    world.totp.use(person.tenant, person.id, world.code(person))


def test_confirming_without_an_offer_is_a_conflict(world: World) -> None:
    person = world.settled(world.tenant().id)
    with pytest.raises(Conflict):
        world.totp.confirm(person.tenant, person.id, world.code(person))


@pytest.mark.parametrize(("minutes", "in_time"), [(14.9, True), (15, False), (600, False)])
def test_an_offer_waits_a_quarter_of_an_hour(world: World, minutes: float, in_time: bool) -> None:
    person = world.person(world.tenant().id)
    offer = world.totp.offer(person.tenant, person.id, person.email)
    world.clock.forward(minutes=minutes)
    code = pyotp.TOTP(offer.secret).at(world.clock.now())
    if in_time:
        world.totp.confirm(person.tenant, person.id, code)
        assert world.totp.confirmed(person.id)
        return
    with pytest.raises(Conflict) as refusal:
        world.totp.confirm(person.tenant, person.id, code)
    assert refusal.value.code == "totp-not-offered"
    assert not world.totp.confirmed(person.id)


def test_the_uri_is_what_authenticator_apps_read(world: World) -> None:
    person = world.person(world.tenant().id, email="ada@example.org")
    offer = world.totp.offer(person.tenant, person.id, "ada@example.org")
    parsed = pyotp.parse_uri(offer.uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.issuer, parsed.digits, parsed.interval) == (offer.secret, "Troth", 6, 30)
    assert len(base64.b32decode(offer.secret)) >= 20


def test_an_installed_secret_is_in_force_and_its_first_code_unused(world: World) -> None:
    person = world.person(world.tenant().id)
    offer = world.totp.install(person.tenant, person.id, person.email)
    world.totp.use(person.tenant, person.id, pyotp.TOTP(offer.secret).at(world.clock.now()))
