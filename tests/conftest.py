"""`--postgres` starts a private PostgreSQL server; database tests of every room then run on it and on SQLite."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

import postgres_server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run the database tests on a real PostgreSQL server too")
    parser.addoption("--house-on-postgres", action="store_true", help="run whole installations on PostgreSQL only")
    # Now, for conftests in folders named on the command line are imported before options are parsed.
    if {"--postgres", "--house-on-postgres"} & set(sys.argv) and "TROTH_TEST_POSTGRES_URL" not in os.environ:
        os.environ["TROTH_TEST_POSTGRES_URL"] = postgres_server.start(Path(mkdtemp(prefix="troth-tests-")))
    if "--house-on-postgres" in sys.argv:
        os.environ["TROTH_TEST_HOUSE"] = "postgresql"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs PostgreSQL is left out where none was asked for, and counted as deselected."""
    if "TROTH_TEST_POSTGRES_URL" in os.environ:
        return
    left_out = [item for item in items if item.get_closest_marker("postgres")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
