"""Wrong secrets stay outside, and guessing grows slow."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from promise_world import Broken, named, shown
from troth.identity import keys
from troth.identity.mfa.recovery import RecoveryCodes
from troth.identity.mfa.totp import Totp
from troth.identity.passwords import Passwords
from troth.identity.throttle import Throttle
from troth.promises.check import Check, Result
from troth.promises.checks import secrets
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", secrets.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


@pytest.mark.parametrize(("owner", "method"), [(Totp, "use"), (RecoveryCodes, "use"), (Passwords, "verify")])
def test_what_takes_any_secret_is_seen(
    owner: type, method: str, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner, method, lambda *_: None)
    assert shown(named(secrets.CHECKS, "wrong-secrets-refused"), system) is Result.FAIL


def test_a_code_that_works_twice_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def use(self: Totp, tenant: str, user: str, code: str) -> None:
        real(self, tenant, user, code)
        self._put(user, last_step=0)

    real = Totp.use
    monkeypatch.setattr(Totp, "use", use)
    assert shown(named(secrets.CHECKS, "wrong-secrets-refused"), system) is Result.FAIL


def test_a_key_whose_secret_is_not_compared_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "hmac", Broken(keys.hmac, compare_digest=lambda *_: True))
    assert shown(named(secrets.CHECKS, "wrong-secrets-refused"), system) is Result.FAIL


def test_a_sign_in_that_nobody_slows_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "admit", lambda _self, _buckets: None)
    assert shown(named(secrets.CHECKS, "guessing-slowed"), system) is Result.FAIL
