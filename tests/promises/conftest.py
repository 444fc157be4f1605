"""One fresh installation for all tests of checks: built by the wiring, as `troth serve` builds it, in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from troth.promises.check import Check
from troth.promises.status import Run
from troth.promises.system import System
from troth.settings.load import load
from troth.wiring import Troth, opened


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troth]:
    folder = tmp_path_factory.mktemp("installation")
    with opened(load(data={"folder": folder / "data", "keys": folder / "keys"})) as troth:
        yield troth


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Another installation, for tests that break parts: what a broken part leaves behind is not the first one's."""
    folder = tmp_path_factory.mktemp("workshop")
    with opened(load(data={"folder": folder / "data", "keys": folder / "keys"})) as troth:
        yield troth.system


@pytest.fixture(scope="module")
def run_once(installation: Troth) -> Callable[[Check], Run]:
    """Runs a check through the real runner, the first time that a test asks for it."""
    runs: dict[str, Run] = {}

    def run(check: Check) -> Run:
        if check.id not in runs:
            runs[check.id] = installation.runner.run(check)
        return runs[check.id]

    return run
