from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from database_world import opened
from rights_world import RightsWorld
from troth.mail.desk import MailDesk
from vault_world import TENANT, VaultWorld

DOMAIN = "desk.example.org"
TO = f"privacy+{TENANT}@{DOMAIN}"


@pytest.fixture
def rights(tmp_path: Path) -> Iterator[RightsWorld]:
    with opened("sqlite", tmp_path) as database:
        vault = VaultWorld(database, tmp_path)
        yield RightsWorld(vault)
        vault.close()


@pytest.fixture
def desk(rights: RightsWorld) -> MailDesk:
    return MailDesk(intake=rights.intake, outgoing=rights.outgoing, domain=DOMAIN, known=lambda one: one == TENANT)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
