"""The first operator: both factors in force, and only one."""

from __future__ import annotations

import pyotp
import pytest

from troth.identity.sign_in import Credentials
from troth.kernel.errors import Conflict, Invalid
from unit.identity.world import TLS, World


def test_the_operator_signs_in_at_once_with_what_was_shown(world: World) -> None:
    made = world.bootstrap.operator("op@example.org", "eu")
    code = pyotp.TOTP(made.totp_secret).at(world.clock.now())
    done = world.signing_in.sign_in(Credentials("op@example.org", made.password, code), TLS, "req_1")
    caller = world.sessions.authenticate(done.session.token, TLS)
    assert (caller.kind, caller.authentication.assurance, done.missing) == ("operator", 2, ())
    assert len(made.recovery_codes) == 10
    assert pyotp.parse_uri(made.totp_uri).secret == made.totp_secret


def test_there_is_no_second_bootstrap(world: World) -> None:
    assert world.bootstrap.needed()
    world.bootstrap.operator("op@example.org", "eu")
    assert not world.bootstrap.needed()
    with pytest.raises(Conflict) as refusal:
        world.bootstrap.operator("other@example.org", "eu")
    assert refusal.value.code == "operator-exists"


def test_a_failed_bootstrap_can_be_repeated(world: World) -> None:
    with pytest.raises(Invalid):
        world.bootstrap.operator("not an address", "eu")
    world.bootstrap.operator("op@example.org", "eu")


def test_an_operator_whose_role_has_lapsed_is_none(world: World) -> None:
    world.bootstrap.operator("op@example.org", "eu")
    world.clock.forward(days=366)
    assert world.bootstrap.needed()
    world.bootstrap.operator("next@example.org", "eu")
    assert not world.bootstrap.needed()
