"""Programs: the checks pass on a whole installation, and see each wall that is taken down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import named, shown
from troth.identity.oauth.endpoint import TokenEndpoint
from troth.identity.oauth.families import Families
from troth.identity.oauth.once import Once
from troth.identity.oauth.service_accounts import ServiceAccounts
from troth.promises.check import Check, Result
from troth.promises.checks import programs
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", programs.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


class _Again(Once):
    def require_first(self, *_: object) -> None:
        """Whatever it is."""


class _Merciful(Families):
    def end(self, session: str) -> None:
        """A replay is refused, and no more."""


def _replayed(endpoint: TokenEndpoint, base: Any) -> TokenEndpoint:
    return replace(endpoint, once=_Again(base.database, base.clock))


class _Undying(ServiceAccounts):
    def disable(self, tenant: str, service: str) -> int:
        """It stays."""
        del tenant, service
        return 0


def _undying(endpoint: TokenEndpoint, base: Any) -> TokenEndpoint:
    return replace(endpoint, services=_Undying(base.database, base.clock))


def _merciful(endpoint: TokenEndpoint, base: Any) -> TokenEndpoint:
    return replace(endpoint, families=_Merciful(base.database, base.clock, endpoint.sessions))


@pytest.mark.parametrize(
    ("name", "lax"),
    [("service-tokens", _replayed), ("service-tokens", _undying), ("refresh-tokens", _merciful)],
)
def test_a_wall_that_is_gone_is_seen(
    name: str, lax: Callable[[TokenEndpoint, Any], TokenEndpoint], system: System
) -> None:
    server = system.identity.authorization
    broken = replace(server, endpoint=lax(server.endpoint, system.base))
    identity = replace(system.identity, authorization=broken)
    assert shown(named(programs.CHECKS, name), replace(system, identity=identity)) is Result.FAIL
