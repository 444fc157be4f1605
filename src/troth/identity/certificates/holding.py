"""Who holds a session, seen from its device: asked on every request, so that a revocation counts at once.

A session that comes over a connection with a certificate belongs to that device from then on (RFC 8705 section 3, by
the device instead of one certificate, which lives an hour). It is of no use without a certificate of that device, and a
certificate is of no use without a session of its person: alone it stands for nobody.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.certificates.devices import Devices, Standing, revoked_device
from troth.identity.certificates.reading import Shown, read_shown, unfit
from troth.identity.certificates.store import device_sessions
from troth.identity.devices.shown import PLAIN
from troth.identity.devices.shown import Shown as Proofs
from troth.identity.store import OPERATORS
from troth.kernel.caller import Caller, Connection, Device
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Unauthenticated
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.storage.database import is_unique_violation
from troth.storage.prepared import PreparedSelect

_BOUND = PreparedSelect(select(device_sessions.c.device).where(device_sessions.c.session == bindparam("session")))
_PEOPLE = frozenset({"user", "operator", "api-key"})  # whose certificates are those of devices


class Sessions(Protocol):
    """Sessions, as `http.authenticate` asks for them."""

    def authenticate(self, token: str, connection: Connection, shown: Proofs) -> Caller:
        """The caller the token stands for. Raises `Unauthenticated`."""
        ...

    def at_once(self, token: str, connection: Connection, shown: Proofs) -> Caller | None:
        """The same where it needs no more than a short read on this thread; else None. Raises as `authenticate`."""
        ...

    def newcomer(self, connection: Connection, shown: Proofs) -> Caller:
        """A stranger who shows a key. Raises `Unauthenticated`."""
        ...


class Keys(Protocol):
    """API keys, as `http.authenticate` asks for them."""

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """As of `Sessions`."""
        ...

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """As of `Sessions`."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate that counts now, and the device that holds its key."""

    shown: Shown
    standing: Standing


@dataclass(frozen=True, slots=True)
class Holding:
    """Judges certificates that were shown, and what they say of a caller."""

    devices: Devices
    domain: str
    recorder: Recorder

    @as_system  # whose it is shows only now
    def require(self, connection: Connection) -> Held:
        """The device behind the connection's certificate, as both stand now.

        Raises `Unauthenticated`: `certificate-unfit`, `certificate-expired` (a connection may outlive its certificate),
        `certificate-distrusted`, `device-unknown`, `device-revoked`.
        """
        shown = valid(connection, "device", self.domain, epoch_ms(self.devices.clock.now()))
        standing = self.devices.standing(shown.name.id, shown.authority)
        if standing.tenant != shown.name.tenant or standing.key != shown.key:
            raise revoked_device()
        if not standing.trusted:
            raise distrusted()
        return Held(shown, standing)

    @as_system
    def judged(self, caller: Caller) -> Caller:
        """The caller with the device that answered for the request. Binds a session that was bound to none.

        Raises `Unauthenticated` as `require`, and `certificate-required`, `certificate-of-another`.
        """
        judged, binds = self._judged(caller)
        if binds is not None:
            self._bind(caller, binds)
        return judged

    @as_system
    def judged_at_once(self, caller: Caller) -> Caller | None:
        """The same by short reads, or None when there is something to write."""
        judged, binds = self._judged(caller)
        return judged if binds is None else None

    def _judged(self, caller: Caller) -> tuple[Caller, Held | None]:
        if caller.kind not in _PEOPLE:  # services and provisioning are judged where their tokens are
            return caller, None
        session = caller.authentication.credential or ""
        bound = self._bound(session) if caller.kind != "api-key" else None
        if not caller.connection.certificate:
            if bound is not None:
                advice = "This session belongs to a device; use it over the port for certificates, with its own."
                raise Unauthenticated(advice, code="certificate-required")
            return caller, None
        held = self.require(caller.connection)
        standing = held.standing
        if standing.user != caller.subject or bound not in (None, standing.id):
            raise of_another()
        return replace(caller, device=self._device(held)), held if self._binds(caller, bound) else None

    def _binds(self, caller: Caller, bound: str | None) -> bool:
        return bound is None and caller.kind != "api-key"

    def _device(self, held: Held) -> Device:
        age = (epoch_ms(self.devices.clock.now()) - held.standing.enrolled_at) // 1000
        return Device("mtls", held.shown.thumbprint, max(0, age), "managed" if held.standing.managed else "unknown")

    def _bound(self, session: str) -> str | None:
        rows = self.devices.database.rows(_BOUND, {"session": session})
        return str(rows[0][0]) if rows else None

    def _bind(self, caller: Caller, held: Held) -> None:
        row = {
            "session": caller.authentication.credential,
            "tenant": caller.tenant or OPERATORS,
            "device": held.standing.id,
        }
        try:
            with self.devices.database.write() as sql:
                sql.execute(insert(device_sessions), row)
                self.recorder.record_within(sql, self._event(caller, held))
        except Duplicate as error:  # two first requests at the same moment: both of one device, or one is a thief's
            if not is_unique_violation(error) or self._bound(str(row["session"])) != held.standing.id:
                raise of_another() from error

    def _event(self, caller: Caller, held: Held) -> Entry:
        session = caller.authentication.credential or ""
        return Entry(
            log=caller.tenant or OPERATORS,
            operation="device.bound",
            phase="event",
            outcome=Outcome.DONE,
            request=new_id("req"),
            actor=caller.actor,
            tenant=caller.tenant,
            time=epoch_ms(self.devices.clock.now()),
            facts={"object": held.standing.id, "session": session, "user": held.standing.user},
        )


@dataclass(frozen=True, slots=True)
class SessionsOfDevices:
    """Sessions of which each is also asked for the certificate of its device."""

    inner: Sessions
    holding: Holding

    def authenticate(self, token: str, connection: Connection, shown: Proofs = PLAIN) -> Caller:
        """The caller with the device. Raises `Unauthenticated`, also as `Holding.judged`."""
        return self.holding.judged(self.inner.authenticate(token, connection, shown))

    def at_once(self, token: str, connection: Connection, shown: Proofs = PLAIN) -> Caller | None:
        """The same by short reads on this thread, or None. Raises as `authenticate`."""
        if connection.certificate and shown.proof is not None:
            return None  # a proof counts once, and the session may have to be bound to the device: one way judges both
        caller = self.inner.at_once(token, connection, shown)
        return None if caller is None else self.holding.judged_at_once(caller)

    def newcomer(self, connection: Connection, shown: Proofs) -> Caller:
        """Nobody yet: a certificate stands for no person."""
        return self.inner.newcomer(connection, shown)


@dataclass(frozen=True, slots=True)
class KeysOfDevices:
    """API keys, which may come over a certificate of their owner's device and of nobody else's."""

    inner: Keys
    holding: Holding

    def authenticate(self, token: str, connection: Connection) -> Caller:
        """As of `SessionsOfDevices`."""
        return self.holding.judged(self.inner.authenticate(token, connection))

    def at_once(self, token: str, connection: Connection) -> Caller | None:
        """As of `SessionsOfDevices`."""
        caller = self.inner.at_once(token, connection)
        return None if caller is None else self.holding.judged_at_once(caller)


def of_another() -> Unauthenticated:
    """The refusal for a session that belongs to another device or person than the certificate."""
    advice = "This certificate belongs to another device or person than what signs in; use your own."
    return Unauthenticated(advice, code="certificate-of-another")


def valid(connection: Connection, kind: str, domain: str, now: int) -> Shown:
    """The connection's certificate, if it is one of that kind and trust domain, and holds `now` (epoch ms).

    Raises `Unauthenticated`: `certificate-unfit`, `certificate-expired`.
    """
    shown = read_shown(connection.certificate)
    if shown.name.trust_domain != domain or shown.name.kind != kind:
        raise unfit()
    if not shown.begins_at <= now < shown.ends_at:
        raise Unauthenticated("This certificate is over; renew it and connect again.", code="certificate-expired")
    return shown


def distrusted() -> Unauthenticated:
    """The refusal for a certificate of an authority that was given up."""
    advice = "The authority that signed this certificate is not trusted any more; renew the certificate."
    return Unauthenticated(advice, code="certificate-distrusted")
