"""One house for all flow tests: people come and go, the installation stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from house import House, house

REGISTERS = Path(__file__).parent / "registers"  # forms of our own: no code knows them
OWN_ACTIVITIES = Path(__file__).parent / "own_activities.yaml"  # what this deployment does beyond Troth


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(
        tmp_path_factory.mktemp("house"), governance={"registers": REGISTERS, "data_map": OWN_ACTIVITIES}
    ) as built:
        yield built
