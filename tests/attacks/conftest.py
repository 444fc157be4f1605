"""One house for all attacks: people come and go, the installation stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from house import House, house
from served import Served, served


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as built:
        yield built


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server process for attacks on bytes of the wire."""
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running
