"""`--postgres` starts a private PostgreSQL server; database tests of every room then run on it and on SQLite."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import mkdtemp

import pytest

import postgres_server

# One thread for the matrices of the model tier, as the command line has it: threads that spin starve the others.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["XDG_CONFIG_HOME"] = mkdtemp(prefix="troth-tests-config-")  # what a command keeps of a sign-in


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run the database tests on a real PostgreSQL server too")
    parser.addoption("--house-on-postgres", action="store_true", help="run whole installations on PostgreSQL only")
    # Now, for conftests in folders named on the command line are imported before options are parsed.
    if {"--postgres", "--house-on-postgres"} & set(sys.argv) and "TROTH_TEST_POSTGRES_URL" not in os.environ:
        os.environ["TROTH_TEST_POSTGRES_URL"] = postgres_server.start(Path(mkdtemp(prefix="troth-tests-")))
    if "--house-on-postgres" in sys.argv:
        os.environ["TROTH_TEST_HOUSE"] = "postgresql"
    # A database for each process of pytest-xdist: who writes the log holds a lock of the whole database.
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker and "TROTH_TEST_POSTGRES_URL" in os.environ:
        os.environ["TROTH_TEST_POSTGRES_URL"] = postgres_server.another(os.environ["TROTH_TEST_POSTGRES_URL"], worker)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Content that is no text is named by its argument: a clock in it would give each worker its own list of tests."""
    return argname if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What needs PostgreSQL is left out where none was asked for, and counted as deselected."""
    if "TROTH_TEST_POSTGRES_URL" in os.environ:
        return
    left_out = [item for item in items if item.get_closest_marker("postgres")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)
