"""What the tests of passkeys share: a device, a registration, a sign-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from troth.identity.passkey_sign_in import Answer
from troth.identity.sign_in import SignedIn
from troth.kernel.caller import Caller
from troth.kernel.errors import TrothError
from troth.promises.authenticator import Authenticator
from unit.identity.world import TLS, World

ORIGIN = "https://troth.example.org"


def device(**how: Any) -> Authenticator:
    return Authenticator(ORIGIN, **how)


def adopt(world: World, caller: Caller, key: Authenticator, name: str = "My phone") -> Caller:
    """Register the device's passkey and show it; the caller with the fresh token."""
    done = world.own_passkeys.add(caller, key.create(world.own_passkeys.offer(caller)), name)
    caller = world.at_device(done.session.token)
    return world.at_device(world.own_passkeys.step_up(caller, key.get(world.own_passkeys.ask(caller))).token)


def enter(world: World, key: Authenticator, **wrong: Any) -> SignedIn:
    begun = world.by_passkey.begin(TLS)
    return world.by_passkey.finish(Answer(begun.attempt, key.get(begun.options, **wrong)), TLS, "req_1")


def refused(code: str, act: Callable[[], object]) -> TrothError:
    with pytest.raises(TrothError) as refusal:
        act()
    assert refusal.value.code == code
    return refusal.value
