"""A whole installation with people in it and places for its backups; nothing in it is a stand-in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from troth.backup import places
from troth.backup.backups import Backups
from troth.backup.locations import Location
from troth.backup.places import Held
from troth.backup.restoring import Restored
from troth.kernel.data_class import DataClass
from troth.kernel.errors import Gone, NotFound
from troth.kernel.ids import new_id
from troth.kernel.scope import SYSTEM, within
from troth.settings.key_domains import Keys
from troth.settings.load import Settings
from troth.settings.sections import Backup, BackupLocation, Data, Server
from troth.vault.objects import KeepRequest
from troth.wiring import Troth, build
from troth.wiring.backup import build_backups
from troth.wiring.restoring import remaining


@dataclass
class Someone:
    """A person of a tenant, with what they kept by object id."""

    tenant: str
    subject: str
    kept: dict[str, bytes] = field(default_factory=dict)
    account: bytes = b""  # a sealed field


def backup_settings(
    folder: Path, locations: tuple[BackupLocation, ...] | None = None, keys: Keys | None = None
) -> Settings:
    """Data, keys and two places below `folder`."""
    places = locations or tuple(BackupLocation(jurisdiction="eu", folder=folder / "places" / name) for name in "ab")
    return Settings(
        data=Data(folder=folder / "data", keys=folder / "keys"),
        server=Server(name="troth.test"),
        backup=Backup(locations=places, keep_days=7),
        keys=keys or Keys(),
    )


class World:
    """An installation that runs in this process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.troth = build(settings)
        self.troth.start()
        self.backups: Backups = build_backups(self.troth.system.base)

    @property
    def base(self) -> Any:
        return self.troth.system.base

    def tenant(self, name: str) -> str:
        return self.troth.system.identity.tenants.create(name, "eu").id

    def someone(self, tenant: str, count: int = 3, *, own: bool = False) -> Someone:
        """A person with an account (sealed fields) and objects."""
        person = Someone(tenant, new_id("usr"))
        person.account = self.base.fields.seal(tenant, person.subject, "name", b"a name")
        for _ in range(count):
            self.keep(person, own=own)
        return person

    def keep(self, person: Someone, size: int = 500, *, own: bool = False) -> str:
        content = os.urandom(size)
        info = self.troth.system.vault.objects.keep(
            KeepRequest(
                tenant=person.tenant,
                subject=person.subject,
                data_class=DataClass.USER_GENERATED,
                kind="upload",
                media_type="application/octet-stream",
                name="file",
                content=content,
                own_unit=own,
            )
        )
        person.kept[info.id] = content
        return info.id

    def erase(self, person: Someone, **members: Any) -> Any:
        erasures = self.troth.system.vault.erasures
        return erasures.request(person.tenant, person.subject, actor=person.subject, request=new_id("req"), **members)

    def locations(self) -> list[Location]:
        return self.backups.places()

    def close(self) -> None:
        self.troth.stop()


@contextmanager
def world(
    folder: Path, locations: tuple[BackupLocation, ...] | None = None, keys: Keys | None = None
) -> Iterator[World]:
    """An installation for the length of a block."""
    with within(SYSTEM):
        made = World(backup_settings(folder, locations, keys))
        try:
            yield made
        finally:
            made.close()


def held(settings: Settings, backup: str | None = None, place: int = 0) -> Held:
    """A backup as one place holds it, without an installation."""
    with remaining(settings) as left:
        return places.chosen(left.places[place], left.keys, backup)


def restore(settings: Settings, folder: Path, backup: str | None = None, **members: Any) -> Restored:
    """Restore a backup (the newest) from the first place into `folder`, with whatever is left of the installation."""
    with within(SYSTEM), remaining(settings) as left:
        newest = places.chosen(left.places[0], left.keys, None)
        wanted = places.chosen(left.places[0], left.keys, backup)
        return left.restoring(newest).into(folder, wanted, **members)


def opened(settings: Settings, folder: Path, *people: Someone) -> dict[str, bytes]:
    """What opens of these people's things on a restored folder; nothing is started, so the living one may go on."""
    there = settings.model_copy(update={"data": settings.data.model_copy(update={"folder": folder})})
    troth = build(there)
    with within(SYSTEM):
        try:
            return dict(_things(troth, people))
        finally:
            troth.stop()


def _things(troth: Troth, people: tuple[Someone, ...]) -> Iterator[tuple[str, bytes]]:
    for person in people:
        for one in person.kept:
            try:
                yield one, troth.system.vault.objects.open(person.tenant, person.subject, one)[1]
            except (Gone, NotFound):
                continue


@contextmanager
def started(settings: Settings, folder: Path) -> Iterator[Troth]:
    """The installation on another data folder, with the same keys, as after going live."""
    there = settings.model_copy(update={"data": settings.data.model_copy(update={"folder": folder})})
    troth = build(there)
    with within(SYSTEM):
        try:
            troth.start()
            yield troth
        finally:
            troth.stop()
