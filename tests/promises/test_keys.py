"""Keys: an installation whose roots are not in hardware says so, whatever interface they are used through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from root_world import KINDS, Provider
from troth.kernel.errors import Unavailable
from troth.keys.lifecycle import State as Lifecycle
from troth.keys.root_rows import RootRow
from troth.promises.check import Check, Result, judge
from troth.promises.checks import keys
from troth.promises.status import Run, State
from troth.promises.system import System
from troth.wiring import Troth

NAME = "eu-00000001-00112233aabbccdd"


class Module:
    """A token that says it is hardware; `out`: it gives its keys away all the same."""

    assurance = "A2"

    def __init__(self, *, out: bool = False) -> None:
        self._out = out

    def gives_out(self, _root: str) -> bool:
        return self._out


def seen(*roots: Any) -> Result:
    return judge(keys._in_hardware([(root, NAME) for root in roots]))


def test_software_roots_break_the_promise(run_once: Callable[[Check], Run], installation: Troth) -> None:
    run = run_once(keys.CHECKS[0])
    assert (run.result, run.control) == (Result.FAIL, Result.FAIL)
    states = {promise.id: standing.state for promise, standing in installation.runner.table()}
    assert states["CRY-03"] is State.NOT_KEPT


def test_roots_in_hardware_keep_it() -> None:
    assert seen(Module()) is Result.PASS
    assert seen(Module(), Module()) is Result.PASS


def test_hardware_that_gives_its_key_out_breaks_it() -> None:
    assert seen(Module(), Module(out=True)) is Result.FAIL


@pytest.mark.parametrize("kind", KINDS)
def test_real_software_providers_break_it_alone_and_beside_hardware(tmp_path: Path, kind: str) -> None:
    root = Provider(kind, tmp_path / "provider").root()
    root.create(NAME)
    assert seen(root) is seen(Module(), root) is Result.FAIL
    found = keys._in_hardware([(root, NAME)])
    assert found.details["exported"] == (kind == "local")
    assert found.details[f"class_{root.assurance}"] == 1


def test_no_root_at_all_proves_nothing() -> None:
    assert seen() is Result.ERROR


def test_a_provider_that_is_away_is_no_answer(tmp_path: Path) -> None:
    provider = Provider("pkcs11", tmp_path / "provider")
    root = provider.root()
    root.create(NAME)
    provider.away()
    with pytest.raises(Unavailable):
        seen(Module(), root)
    provider.back()


def test_a_root_of_a_domain_without_a_setting_is_no_answer(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_rows", lambda _: [RootRow("forgotten", NAME, 1, "A2", Lifecycle.ACTIVE)])
    with pytest.raises(Unavailable):
        list(keys._in_use(system))
