"""Devices of people: enrolled by their owner, answered for by an administrator, revoked at once by either.

A row is one key. Whoever holds it gets certificates of one hour as long as the device, its person and their tenant
stand; nothing of that is read from a certificate. Revocation counts from the next request on, also for certificates
that still run, so there is neither CRL nor OCSP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update
from sqlalchemy import Connection as Sql
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.certificates.store import authorities, device_sessions, devices, services
from troth.identity.store import sessions, users
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Gone, NotFound, Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.personal import PersonalFields
from troth.storage.database import Database, is_unique_violation
from troth.storage.prepared import PreparedSelect

NAME = "device-name"
MOST_DEVICES = 20  # of one person, those that were revoked left aside
MANAGED_MS = 180 * 24 * 3600 * 1000  # an administrator's word for a device lapses after half a year

_TRUSTED = (
    select(authorities.c.number)
    .where(authorities.c.identifier == bindparam("authority"), authorities.c.distrusted_at.is_(None))
    .exists()
)
_STANDING = PreparedSelect(
    select(
        devices.c.tenant,
        devices.c.user,
        devices.c.key,
        devices.c.enrolled_at,
        devices.c.confirmed_at,
        devices.c.revoked_at,
        users.c.active,
        _TRUSTED.label("trusted"),
    )
    .join(users, users.c.id == devices.c.user)
    .where(devices.c.id == bindparam("device"))
)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A device to be: whose it is, what they call it, and its key (SHA-256 of the SubjectPublicKeyInfo)."""

    tenant: str
    user: str
    name: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """What a device is right now. `managed`: an administrator answered for it within the last half year."""

    id: str
    tenant: str
    user: str
    key: bytes
    enrolled_at: int
    managed: bool
    trusted: bool  # the authority that was asked about


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device as its owner and their administrators see it. Times in epoch milliseconds."""

    id: str
    user: str
    name: str
    posture: str
    enrolled_at: int
    renewed_at: int
    confirmed_at: int | None
    revoked_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """All devices of all people."""

    database: Database
    fields: PersonalFields
    clock: Clock

    def add(self, wish: Enrolment) -> str:
        """Keep a device; its id. Raises `Conflict`: `device-known` (a key that was here before), `too-many-devices`."""
        now, device = self._now(), new_id("dev")
        row = {
            "id": device,
            "tenant": wish.tenant,
            "user": wish.user,
            "name": self.fields.seal(wish.tenant, wish.user, NAME, wish.name.encode()),
            "key": wish.key,
            "enrolled_at": now,
            "renewed_at": now,
        }
        mine = select(func.count()).select_from(devices).where(devices.c.user == wish.user)
        try:
            with self.database.write() as sql:
                if sql.execute(mine.where(devices.c.revoked_at.is_(None))).scalar_one() >= MOST_DEVICES:
                    advice = f"You have {MOST_DEVICES} devices; revoke one that you do not use."
                    raise Conflict(advice, code="too-many-devices")
                sql.execute(insert(devices), row)
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            raise Conflict("This key was enrolled before; make a fresh one.", code="device-known") from error
        return device

    def of_person(self, tenant: str, user: str) -> Sequence[DeviceInfo]:
        """The devices of one person, newest first, revoked ones among them."""
        return self._shown((devices.c.tenant == tenant) & (devices.c.user == user))

    def holdings(self, tenant: str, user: str) -> list[tuple[str, str, dict[str, Any]]]:
        """The same as the right of access shows it: kind, id and content."""
        found = self.of_person(tenant, user)
        times = ("enrolled_at", "renewed_at", "confirmed_at", "revoked_at")
        shown = [{"name": one.name} | {name: getattr(one, name) for name in times} for one in found]
        return [("device", one.id, content) for one, content in zip(found, shown, strict=True)]

    def of_tenant(self, tenant: str) -> Sequence[DeviceInfo]:
        """The devices of everybody in a tenant, newest first, without those that were revoked."""
        return self._shown((devices.c.tenant == tenant) & devices.c.revoked_at.is_(None))

    def standing(self, device: str, authority: str = "") -> Standing:
        """What it is now, by one short read. Raises `Unauthenticated` (`device-unknown`, `device-revoked`).

        The scope must reach it: a request's device is found as the system.
        """
        rows = self.database.rows(_STANDING, {"device": device, "authority": authority})
        if not rows:
            raise unknown_device()
        tenant, user, key, enrolled_at, confirmed_at, revoked_at, active, trusted = rows[0]
        if revoked_at is not None or not active:
            raise revoked_device()
        return Standing(device, tenant, user, bytes(key), enrolled_at, self._managed(confirmed_at), bool(trusted))

    def renewed(self, sql: Sql, device: str) -> None:
        """A certificate was issued. Raises `Unauthenticated` when the device was revoked meanwhile."""
        standing = update(devices).where(devices.c.id == device, devices.c.revoked_at.is_(None))
        if not sql.execute(standing.values(renewed_at=self._now())).rowcount:
            raise revoked_device()

    def confirm(self, tenant: str, administrator: str, device: str) -> str:
        """An administrator answers for a device of somebody else; whose it is. Raises `NotFound`, `Denied`."""
        with self.database.write() as sql:
            owner = self._owner(sql, tenant, device)
            if owner == administrator:
                advice = "Nobody answers for their own device; ask another administrator."
                raise Denied(advice, code="own-device")
            sql.execute(update(devices).where(devices.c.id == device).values(confirmed_at=self._now()))
        return owner

    def revoke(self, tenant: str, device: str, *, user: str | None = None) -> tuple[str, int]:
        """Take a device out at once, with every session bound to it; whose it was, and how many sessions ended.

        `user`: only if it is theirs. Raises `NotFound`.
        """
        with self.database.write() as sql:
            owner = self._owner(sql, tenant, device)
            if user not in (None, owner):
                raise no_such_device()
            sql.execute(update(devices).where(devices.c.id == device).values(revoked_at=self._now()))
            bound = select(device_sessions.c.session).where(device_sessions.c.device == device)
            ended = sql.execute(delete(sessions).where(sessions.c.id.in_(bound))).rowcount
            sql.execute(delete(device_sessions).where(device_sessions.c.device == device))
        return owner, ended

    def sweep(self) -> int:
        """Forget which device sessions belonged to that are over; how many there were."""
        over = device_sessions.c.session.not_in(select(sessions.c.id))
        with self.database.write() as sql:
            return sql.execute(delete(device_sessions).where(over)).rowcount

    def _owner(self, sql: Sql, tenant: str, device: str) -> str:
        mine = select(devices.c.user).where(
            devices.c.id == device, devices.c.tenant == tenant, devices.c.revoked_at.is_(None)
        )
        owner: str | None = sql.execute(mine.with_for_update()).scalar()
        if owner is None:
            raise no_such_device()
        return owner

    def _shown(self, which: ColumnElement[bool]) -> Sequence[DeviceInfo]:
        newest = select(devices).where(which).order_by(devices.c.enrolled_at.desc(), devices.c.id)
        with self.database.read() as sql:
            rows = sql.execute(newest).all()
        return [
            DeviceInfo(
                row.id,
                row.user,
                self._name(row),
                "managed" if self._managed(row.confirmed_at) else "unknown",
                row.enrolled_at,
                row.renewed_at,
                row.confirmed_at,
                row.revoked_at,
            )
            for row in rows
        ]

    def _name(self, row: Any) -> str:
        try:
            return self.fields.open(row.tenant, row.user, NAME, row.name).decode()
        except Gone:  # its person is being erased
            return ""

    def _managed(self, confirmed_at: int | None) -> bool:
        return confirmed_at is not None and self._now() < confirmed_at + MANAGED_MS

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def close(sql: Sql, tenant: str) -> None:
    """Drop the keys of a tenant's services; the devices went with their people."""
    sql.execute(delete(services).where(services.c.tenant == tenant))


def forget(sql: Sql, user: str) -> list[str]:
    """Drop the devices of a person, and which sessions were bound to them; the ids that went."""
    mine = select(devices.c.id).where(devices.c.user == user)
    gone = list(sql.execute(mine).scalars())
    sql.execute(delete(device_sessions).where(device_sessions.c.device.in_(mine)))
    sql.execute(delete(devices).where(devices.c.user == user))
    return gone


def no_such_device() -> NotFound:
    """The refusal for a device that is nobody's, somebody else's, or was revoked."""
    return NotFound("There is no such device; list the devices to see their ids.", code="device-not-found")


def unknown_device() -> Unauthenticated:
    """The refusal for a certificate whose device is not here."""
    return Unauthenticated("This device is not enrolled here; enrol it.", code="device-unknown")


def revoked_device() -> Unauthenticated:
    """The refusal for a device that was revoked, or whose person was shut out."""
    return Unauthenticated("This device was revoked; enrol another with a fresh key.", code="device-revoked")
