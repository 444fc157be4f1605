"""`--postgres` starts a private PostgreSQL server; database tests of every room then run on it and on SQLite."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp

import pytest

import postgres_server


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="run the database tests on a real PostgreSQL server too")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--postgres") and "TROTH_TEST_POSTGRES_URL" not in os.environ:
        os.environ["TROTH_TEST_POSTGRES_URL"] = postgres_server.start(Path(mkdtemp(prefix="troth-tests-")))
