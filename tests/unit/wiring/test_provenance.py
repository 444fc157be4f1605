"""The certificate of content credentials is renewed on the machine itself, by a command that leaves entries."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select

from troth.gateway.provenance.authority import LEAF_DAYS, Authority
from troth.kernel.clock import SystemClock
from troth.kernel.errors import Invalid, Unavailable
from troth.kernel.scope import SYSTEM
from troth.promises.system import Base
from troth.settings.load import Settings
from troth.settings.sections import Data, Gateway
from troth.storage.database import Database
from troth.storage.outbox import Outbox, outbox
from troth.wiring.provenance import build_credentials, renew
from worlds import MovableClock


def test_the_next_start_has_the_new_leaf_and_the_log_says_so(tmp_path: Path) -> None:
    data = Data(folder=tmp_path, keys=tmp_path / "keys")
    before = Authority(data.keys / "credentials", SystemClock())
    renew(Settings(data=data))
    after = Authority(data.keys / "credentials", SystemClock())
    assert after.anchor == before.anchor
    assert after.chain != before.chain
    said = entries_of(tmp_path)
    assert said.count(b'"credentials.renewed"') == 2
    assert said.index(b'"pending"') < said.index(b'"done"')


def entries_of(folder: Path) -> bytes:
    with Database(f"sqlite:///{folder / 'troth.db'}").read(SYSTEM) as connection:
        return b"".join(connection.scalars(select(outbox.c.leaf).order_by(outbox.c.seq)))


def keys_in(data: Data) -> list[str]:
    return sorted(path.name for path in (data.keys / "credentials").glob("leaf*.key"))


def test_the_command_makes_one_key_even_when_the_time_had_come(tmp_path: Path) -> None:
    data = Data(folder=tmp_path, keys=tmp_path / "keys")
    Authority(data.keys / "credentials", MovableClock(SystemClock().now() - timedelta(days=LEAF_DAYS - 80)))
    renew(Settings(data=data))
    assert keys_in(data) == ["leaf-2.key", "leaf.key"]
    assert entries_of(tmp_path).count(b'"credentials.renewed"') == 2


def test_a_key_that_a_start_makes_is_in_the_log(tmp_path: Path) -> None:
    settings = Settings(data=Data(folder=tmp_path, keys=tmp_path / "keys"))
    renew(settings)  # makes the database and the folder
    late = MovableClock(SystemClock().now() + timedelta(days=LEAF_DAYS - 80))
    base, before = late_base(settings, late), entries_of(tmp_path).count(b'"credentials.renewed"')
    build_credentials(base)
    assert keys_in(settings.data) == ["leaf-2.key", "leaf-3.key", "leaf.key"]
    assert entries_of(tmp_path).count(b'"credentials.renewed"') == before + 2
    build_credentials(base)
    assert entries_of(tmp_path).count(b'"credentials.renewed"') == before + 2


def late_base(settings: Settings, clock: MovableClock) -> Base:
    """Of a running installation, what signing asks for."""
    database = Database(f"sqlite:///{settings.data.folder / 'troth.db'}")
    return cast("Base", SimpleNamespace(settings=settings, clock=clock, outbox=Outbox(database)))


@pytest.mark.parametrize("name", ["nowhere", "local"])
def test_only_a_domain_that_can_sign_is_taken(tmp_path: Path, name: str) -> None:
    wanted = Settings(data=Data(folder=tmp_path, keys=tmp_path / "keys"), gateway=Gateway(credentials_domain=name))
    with pytest.raises(Invalid) as refusal:
        renew(wanted)
    assert refusal.value.code == "signer-domain"


def test_the_first_keys_are_in_the_log_and_only_the_first(tmp_path: Path) -> None:
    settings = Settings(data=Data(folder=tmp_path, keys=tmp_path / "keys"))
    renew(settings)  # makes the database, and with it a folder
    clock = MovableClock(SystemClock().now())
    base, before = late_base(settings, clock), entries_of(tmp_path).count(b'"credentials.created"')
    assert before == 2  # begun and done
    shutil.rmtree(settings.data.keys / "credentials")
    for _ in range(2):
        build_credentials(base)
    assert entries_of(tmp_path).count(b'"credentials.created"') == before + 2
    said = entries_of(tmp_path)
    assert said.rindex(b'"pending"') < said.rindex(b'"done"')


def test_without_an_entry_no_key_is_made(tmp_path: Path) -> None:
    class Silent:
        def record(self, *_: object) -> None:
            raise Unavailable("The log is away.", code="log-away")

    settings = Settings(data=Data(folder=tmp_path, keys=tmp_path / "keys"))
    base = cast("Base", SimpleNamespace(settings=settings, clock=SystemClock(), outbox=Silent()))
    with pytest.raises(Unavailable):
        build_credentials(base)
    assert not (settings.data.keys / "credentials").exists()
