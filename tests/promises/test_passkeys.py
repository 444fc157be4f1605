"""Passkeys: the check passes on a whole installation, and sees each wall that is taken down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from promise_world import named, shown
from troth.identity.mfa.challenges import Challenges
from troth.identity.mfa.passkeys import Passkeys
from troth.identity.mfa.relying_party import RelyingParty
from troth.promises.check import Check, Result
from troth.promises.checks import passkeys
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", passkeys.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def _another_origin(honest: Passkeys) -> Passkeys:
    party = RelyingParty(honest.party.id, (*honest.party.origins, "https://phisher.example"))
    return replace(honest, party=party)


class _Forever(Challenges):
    def redeem(self, *_: object) -> None:
        """Whatever it is."""


def _no_challenges(honest: Passkeys) -> Passkeys:
    return replace(honest, challenges=_Forever(honest.database, honest.clock))


@pytest.mark.parametrize("lax", [_another_origin, _no_challenges])
def test_a_wall_that_is_gone_is_seen(lax: Callable[[Passkeys], Passkeys], system: System) -> None:
    identity = replace(system.identity, passkeys=lax(system.identity.passkeys))
    assert shown(named(passkeys.CHECKS, "passkeys"), replace(system, identity=identity)) is Result.FAIL
