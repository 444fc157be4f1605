"""Content at rest: sealed, classed, and never changed unseen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from promise_world import Broken, named, shown
from troth.kernel.errors import IntegrityError
from troth.promises.check import Check, Result
from troth.promises.checks import sealing
from troth.promises.status import Run
from troth.promises.system import System
from troth.vault import objects
from troth.vault.objects import KeepRequest, ObjectInfo


@pytest.mark.parametrize("check", sealing.CHECKS, ids=lambda check: check.id)
def test_kept_and_could_have_failed(check: Check, run_once: Callable[[Check], Run]) -> None:
    run = run_once(check)
    assert (run.result, run.control) == (Result.PASS, Result.FAIL)
    assert run.tested > 0


def test_a_spool_in_clear_is_seen(system: System) -> None:
    spool, real = system.base.settings.data.folder / "log" / "spool", system.vault.objects

    def keep(request: KeepRequest) -> ObjectInfo:
        spool.write_bytes(request.content)
        return real.keep(request)

    spooling: Any = Broken(real, keep=keep)
    try:
        broken = replace(system, vault=replace(system.vault, objects=spooling))
        assert shown(named(sealing.CHECKS, "sealed-at-rest"), broken) is Result.FAIL
    finally:
        spool.unlink()


def test_a_derived_object_of_a_laxer_class_is_seen(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "strictest", lambda classes: next(iter(classes)))
    assert shown(named(sealing.CHECKS, "classified"), system) is Result.FAIL


def test_a_tree_that_does_not_verify_is_seen(system: System) -> None:
    def verify() -> int:
        raise IntegrityError("A page was changed.")

    tree: Any = Broken(system.base.tree, verify=verify)
    broken = replace(system, base=replace(system.base, tree=tree))
    assert shown(named(sealing.CHECKS, "one-flipped-bit"), broken) is Result.FAIL
