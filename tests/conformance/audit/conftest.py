"""Logs and the verifiers that judge them, made once for all conformance tests of the log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import opened
from log_verifiers import Page, page_verifier
from log_world import World
from tampering import Logs
from troth.audit import verifier_page
from troth.storage.blobs import LocalBlobs


@pytest.fixture(scope="package")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logs]:
    """Two tenants' logs of some hundred entries."""
    folder = tmp_path_factory.mktemp("logs")
    with opened("sqlite", folder) as database:
        world = World(database, LocalBlobs(folder / "blobs"), folder)
        yield Logs(world, folder)
        world.sequencer.stop()


@pytest.fixture(scope="package")
def page() -> Iterator[Page]:
    """The offline page's own script, in node."""
    with page_verifier(Path(verifier_page.__file__).with_name(verifier_page.NAME)) as running:
        yield running
