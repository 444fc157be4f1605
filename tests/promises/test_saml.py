"""SAML: the check passes on a whole installation, and sees each wall that is taken down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from promise_world import named, shown
from troth.identity.sso.saml import grammar
from troth.promises.check import Check, Result
from troth.promises.checks import saml
from troth.promises.status import Run
from troth.promises.system import System


@pytest.mark.parametrize("check", saml.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_door_that_looks_at_no_signature_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def unverified(document: bytes, element: Any, certificates: Sequence[Any], *rest: Any) -> Any:
        return element

    monkeypatch.setattr("troth.identity.sso.saml.response.verified", unverified)
    monkeypatch.setattr(grammar, "check", lambda root, expected: None)
    assert shown(named(saml.CHECKS, "saml"), system) is Result.FAIL
