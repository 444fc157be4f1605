"""A synthetic account with everything that an account can have, and what tables and files hold of it."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Table, insert, select

from troth.identity.certificates.devices import Enrolment
from troth.identity.devices.holding import DeviceKey
from troth.identity.governing.reasons import ELEVATION
from troth.identity.governing.store import break_glass, elevations, items
from troth.identity.keys import CreatedKey, NewKey
from troth.identity.known_devices import KnownDevices
from troth.identity.mfa.passkeys import Owner
from troth.identity.mfa.relying_party import Registered
from troth.identity.oauth.device_codes import Decider, DeviceCodes
from troth.identity.oauth.families import Families, Family
from troth.identity.oauth.service_accounts import NewServiceAccount, ServiceAccounts
from troth.identity.privacy import PrivacySettings
from troth.identity.provisioned import members as scim_members
from troth.identity.provisioned import people as scim_people
from troth.identity.scim.reading import PROFILE
from troth.identity.sessions import Proof
from troth.identity.sso.connections import SsoConnection
from troth.identity.sso.rules import Rules
from troth.identity.sso.subjects import Subject
from troth.identity.store import users as people
from troth.identity.users import NewUser, Users
from troth.kernel.ids import new_id
from troth.promises.probe import SERVICE, Probe
from troth.promises.system import System
from troth.storage.database import metadata

_CHUNK = 1 << 20  # bytes of a file that are searched at a time
_SQLITE = ".db"  # with `-wal`, `-shm` and `-journal` behind it
_CAT = "/bin/cat"
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
    session = identity.sessions.open(made.id, Proof("password+totp", 2), "loopback")
    _linked(system, tenant, made.id, mark, session.id)
    _programs(system, tenant, made.id, session.id)
    _provisioned(system, tenant, made.id, mark)
    _governed(system, tenant, made.id, mark)
    key = identity.keys.create(NewKey(tenant, made.id, mark, frozenset({"own-data"}), 1))
    never = Registered(secrets.token_bytes(16), mark.encode(), 0, backed_up=False)  # no device has it
    identity.passkeys.add(Owner(tenant, made.id), never, mark)
    identity.certificates.devices.add(Enrolment(tenant, made.id, mark, secrets.token_bytes(32)))
    codes = identity.bootstrap.recovery.renew(made.id)
    KnownDevices(system.base.database, system.base.clock).remember(made.id, None)
    PrivacySettings(system.base.database).change(made.id, "analytics", "aggregate")
    return Account(Probe(system, tenant, made.id), address, made.password, mark, offer.secret, codes, key)


def _programs(system: System, tenant: str, user: str, session: str) -> None:
    """A code that a device showed, a refresh token, a service account that is off: nothing that anybody can use."""
    database, clock, key = system.base.database, system.base.clock, DeviceKey()
    codes, services = DeviceCodes(database, clock), ServiceAccounts(database, clock)
    codes.decide(codes.begin(key.thumbprint, "loopback").user_code, Decider(user, session, 2, 0), approve=False)
    Families(database, clock, system.identity.sessions).begin(Family(session, user, key.thumbprint, 0))
    wish = NewServiceAccount(
        tenant=tenant, owner=user, name="probe", scopes=frozenset({"own-data"}), days=1, jwk=key.jwk
    )
    services.disable(tenant, services.create(wish).id)


def _provisioned(system: System, tenant: str, user: str, mark: str) -> None:
    """What a provider says of a person, and a group that it pushed. No such connection is kept."""
    said = system.base.fields.seal(tenant, user, PROFILE, json.dumps({"givenName": mark}).encode())
    row = {"user": user, "tenant": tenant, "connection": "sso_probe", "profile": said, "made": False, "gone": False}
    with system.base.database.write() as sql:
        sql.execute(insert(scim_people), row | {"changed_at": 0})
        sql.execute(insert(scim_members), {"group": new_id("grp"), "user": user, "tenant": tenant})


def _governed(system: System, tenant: str, user: str, mark: str) -> None:
    """A role that was lent and is over, a designation that is over, and what a review of access said."""
    reason = system.base.fields.seal(tenant, user, ELEVATION, mark.encode())
    whose = {"user": user, "tenant": tenant, "role": "member", "expires_at": 0}
    over = {"kind": "elevation", "state": "ended", "minutes": 1, "asked_at": 0, "warned_day": 0}
    with system.base.database.write() as sql:
        sql.execute(insert(elevations), whose | over | {"id": new_id("elv"), "reason": reason})
        sql.execute(insert(break_glass), whose | {"designated_by": SERVICE, "designated_at": 0})
        sql.execute(insert(items), whose | {"campaign": new_id("rev"), "granted_by": SERVICE, "granted_at": 0})


def _linked(system: System, tenant: str, user: str, subject: str, session: str) -> None:
    """What single sign-on keeps of a person: a link, and that it opened a session. No such connection is kept."""
    never = SsoConnection(
        id=new_id("sso"),
        tenant=tenant,
        kind="oidc",
        name="probe",
        issuer="https://probe.invalid",
        client_id=None,
        rules=Rules(),
        settings={},
        domains=(),
        just_in_time=False,
        enforced=False,
        enabled=False,
        created_at=0,
        changed_at=0,
    )
    links = system.identity.links
    sealed = links.sealed(never, user, Subject(subject))
    with system.base.database.write() as sql:
        link = links.add(sql, never, user, Subject(subject), confirmed=False, sealed=sealed)
        links.opening(sql, link.id, session, None)


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
        with _opened(path) as file:
            while piece := file.read(_CHUNK):
                yield tail + piece
                tail = piece[-512:]
    except OSError:
        return


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """The file to read. One of SQLite is read by a process of its own.

    Closing any descriptor of it would drop every lock that this process holds on it (POSIX advisory locks), and the
    next program would take the living database for one that nobody has open (sqlite.org/howtocorrupt, section 2.2).
    """
    if not path.suffix.startswith(_SQLITE):
        with path.open("rb") as file:
            yield file
        return
    command = [_CAT, "--", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:  # noqa: S603 - no input of strangers
        assert child.stdout is not None
        yield child.stdout
