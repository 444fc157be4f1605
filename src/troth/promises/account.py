"""A synthetic account with everything that an account can have, and what tables and files hold of it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select

from troth.identity.keys import CreatedKey, NewKey
from troth.identity.known_devices import KnownDevices
from troth.identity.privacy import PrivacySettings
from troth.identity.sessions import Proof
from troth.identity.store import users as people
from troth.identity.users import NewUser, Users
from troth.promises.probe import SERVICE, Probe
from troth.promises.system import System
from troth.storage.database import metadata

_CHUNK = 1 << 20  # bytes of a file that are searched at a time
_COARSE = 2.0  # seconds that a file system's times may lag


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with an address, a password, a second factor and an API key; `mark` stands in address, name and key."""

    person: Probe
    email: str
    password: str
    mark: str
    totp: str
    recovery_codes: tuple[str, ...]
    key: CreatedKey


def account(system: System, tenant: str, users: Users | None = None) -> Account:
    """A fresh account with a row in every table that has one for people. Whoever makes it erases it."""
    identity, mark = system.identity, secrets.token_hex(12)
    address = f"{mark}@example.org"
    made = (users or identity.users).create(NewUser(tenant, address, mark, frozenset({"member"}), SERVICE))
    offer = identity.bootstrap.totp.install(tenant, made.id, address)
    identity.sessions.open(made.id, Proof("password+totp", 2), "loopback")
    key = identity.keys.create(NewKey(tenant, made.id, mark, frozenset({"own-data"}), 1))
    codes = identity.bootstrap.recovery.renew(made.id)
    KnownDevices(system.base.database, system.base.clock).remember(made.id, None)
    PrivacySettings(system.base.database).change(made.id, "analytics", "aggregate")
    return Account(Probe(system, tenant, made.id), address, made.password, mark, offer.secret, codes, key)


def rows_of(system: System, user: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of an account in every table that refers to people, found through the schema: a new table too."""
    found = {}
    with system.base.database.read() as connection:
        for name, table in metadata.tables.items():
            for column in _of_people(table):
                rows = connection.execute(select(table).where(column == user)).mappings()
                found[name] = [dict(row) for row in rows]
    return found


def _of_people(table: Table) -> list[Any]:
    if table is people:
        return [people.c.id]
    return [column for column in table.columns if any(key.column is people.c.id for key in column.foreign_keys)]


def forms(text: bytes) -> list[bytes]:
    """How a text stands in bytes: as it is, in hex, and in base64 at each of the three places it can begin."""
    found = [text, text.hex().encode(), text.hex().upper().encode()]
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + text)
        sure = encoded[4 if shift else 0 : len(encoded) - 4]  # the ends depend on the neighbours
        found += [sure, sure.translate(bytes.maketrans(b"+/", b"-_"))]
    return found


def found_in(folders: Iterable[Path], texts: Iterable[bytes], since: float, *, deep: int = 64) -> set[bytes]:
    """The texts that stand, in any form, in a name or content of a file changed since a moment.

    Fresh random texts cannot stand in older files. Folders below the depth `deep` are left out.
    """
    wanted, found = {text: forms(text) for text in texts}, set[bytes]()
    for path in changed(folders, since, deep):
        for content in chain([path.name.encode()], chunks(path)):
            found |= {text for text, written in wanted.items() if any(one in content for one in written)}
    return found


def changed(folders: Iterable[Path], since: float, deep: int = 64) -> Iterator[Path]:
    """Files that changed since a moment."""
    for folder in folders:
        try:
            entries = list(folder.iterdir())
        except OSError:  # deleted meanwhile, or somebody else's
            continue
        for path in entries:
            if path.is_symlink():
                continue
            if path.is_dir() and deep:
                yield from changed([path], since, deep - 1)
            elif path.is_file() and _touched(path, since):
                yield path


def _touched(path: Path, since: float) -> bool:
    try:
        return path.stat().st_mtime >= since - _COARSE
    except OSError:
        return False


def chunks(path: Path) -> Iterator[bytes]:
    """A file in pieces that overlap, so that nothing is cut in two."""
    tail = b""
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield tail + piece
                tail = piece[-512:]
    except OSError:
        return
