"""Fixtures of the keys room."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import DATABASES
from key_world import World


@pytest.fixture(params=DATABASES)
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A tree in one domain."""
    made = World(tmp_path, kind=request.param)
    yield made
    made.close()


@pytest.fixture(params=DATABASES)
def two_domains(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A tree in two domains."""
    made = World(tmp_path, domains=2, kind=request.param)
    yield made
    made.close()


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages that split after a few entries, so that a small test has a deep tree."""
    monkeypatch.setattr("troth.keys.btree.LEAF_MAX", 4)
    monkeypatch.setattr("troth.keys.btree.BRANCH_MAX", 4)
