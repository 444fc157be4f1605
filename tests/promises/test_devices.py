"""Devices with certificates: the checks pass on a whole installation, and see each wall that is taken down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import Broken, named, shown
from troth.identity.certificates.holding import Held, Holding, SessionsOfDevices
from troth.identity.certificates.reading import read_shown
from troth.kernel.caller import Caller, Connection
from troth.promises.check import Check, Result
from troth.promises.checks import devices
from troth.promises.status import Run
from troth.promises.system import System

SESSIONS = named(devices.CHECKS, "devices-sessions-stay-on-theirs")


def test_kept_and_could_have_failed(run_once: Callable[[Check], Run]) -> None:
    run = run_once(SESSIONS)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested == 6


def test_a_server_without_a_listener_could_not_look(run_once: Callable[[Check], Run]) -> None:
    run = run_once(named(devices.CHECKS, "devices-handshake"))
    assert (run.result, run.control) == (Result.ERROR, Result.FAIL)


class _Trusting(Holding):
    """Believes whatever a certificate says."""

    __slots__ = ()

    def require(self, connection: Connection) -> Held:
        held = read_shown(connection.certificate)
        return Held(held, self.devices.standing(held.name.id))


class _Forgetful(Holding):
    """Binds nothing."""

    __slots__ = ()

    def _bind(self, caller: Caller, held: Held) -> None:
        """Forget it."""


def _everything_stands(honest: Holding) -> Holding:
    """Revoked devices stand."""
    seen: dict[str, Any] = {}

    def standing(device: str, authority: str = "") -> Any:
        seen[device] = seen.get(device) or honest.devices.standing(device, authority)
        return seen[device]

    broken: Any = Broken(honest.devices, standing=standing)
    return Holding(broken, honest.domain, honest.recorder)


@pytest.mark.parametrize(
    "lax",
    [
        lambda honest: _Trusting(honest.devices, honest.domain, honest.recorder),
        lambda honest: _Forgetful(honest.devices, honest.domain, honest.recorder),
        _everything_stands,
    ],
    ids=["believes certificates", "binds nothing", "forgets revocations"],
)
def test_a_wall_that_is_gone_is_seen(lax: Callable[[Holding], Holding], system: System) -> None:
    holding = lax(system.identity.certificates.holding)
    lenient = SessionsOfDevices(system.identity.authorization.credentials, holding)
    identity = replace(system.identity, device_sessions=lenient)
    assert shown(SESSIONS, replace(system, identity=identity)) is Result.FAIL
