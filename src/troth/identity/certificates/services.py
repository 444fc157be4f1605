"""Certificates of service accounts: an administrator brings the key once, and the key renews by itself.

What a service account is, and whether it stands, others know; here is only which key answers for it. A certificate of a
service is no credential: it gets tokens at the token endpoint, bound to it (RFC 8705 section 2.1.1).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.identity.certificates.authorities import Authorities, Certified
from troth.identity.certificates.holding import distrusted, valid
from troth.identity.certificates.issuing import key_digest, read_request, supported_key
from troth.identity.certificates.proving import proven, require_shown
from troth.identity.certificates.store import authorities, services
from troth.identity.throttle import Throttle, network_bucket
from troth.kernel.caller import Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, NotFound, Unauthenticated
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system
from troth.storage.database import Database, is_unique_violation
from troth.storage.prepared import PreparedSelect

_TRUSTED = (
    select(authorities.c.number)
    .where(authorities.c.identifier == bindparam("authority"), authorities.c.distrusted_at.is_(None))
    .exists()
)
_KEY = PreparedSelect(select(services.c.tenant, services.c.key, _TRUSTED).where(services.c.service == bindparam("id")))


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCertificates:
    """Which key answers for which service account."""

    database: Database
    authorities: Authorities
    throttle: Throttle
    recorder: Recorder
    clock: Clock
    stands: Callable[[str], str | None]
    """Told a service account: its tenant, if it comes with a certificate and is in force; else None."""
    answers: Callable[[str, str], str | None] = lambda _tenant, _service: None
    """Told tenant and service account: who answers for it. Raises `NotFound`."""

    def certify(self, tenant: str, service: str, request: str) -> Certified:
        """The first certificate of a service account, or of its next key: what the former one has ends now.

        Raises `NotFound`, `Invalid`, `Conflict` (`service-key-known`), `Unavailable`.
        """
        if self.stands(service) != tenant:
            raise NotFound("There is no such service account that comes with a certificate.", code="service-not-found")
        key, now = supported_key(read_request(request).public_key()), self._now()
        row = {"tenant": tenant, "key": key_digest(key), "enrolled_at": now}
        try:
            with self.database.write() as sql:
                sql.execute(delete(services).where(services.c.service == service, services.c.tenant == tenant))
                sql.execute(insert(services), {"service": service, "renewed_at": now, **row})
        except Duplicate as error:
            if not is_unique_violation(error):
                raise
            advice = "This key belongs to a service account already; make a fresh one."
            raise Conflict(advice, code="service-key-known") from error
        return self.authorities.certify(tenant, "service", service, key)

    @as_system  # nobody is known yet
    def renew(self, connection: Connection, request: str | None, call: str) -> Certified:
        """The next certificate for the same key, as of devices. The tenant's log gets `service.renewed`.

        Raises `Unauthenticated`, `Invalid`, `TooMany`, `Unavailable`.
        """
        with self.throttle.attempt([network_bucket(connection.network)]):
            if request is None:
                key = require_shown(connection)
                service, tenant = self._require(connection)
            else:
                service, key = proven(request, self._now())
                tenant = self._standing(service, key_digest(key), "")[0]
        done = self.authorities.certify(tenant, "service", service, key)
        with self.database.write() as sql:
            sql.execute(update(services).where(services.c.service == service).values(renewed_at=self._now()))
            self.recorder.record_within(sql, self._event(tenant, done, call))
        return done

    @as_system
    def certified(self, connection: Connection) -> str | None:
        """The service account that the connection's certificate names, if certificate, key and account hold now."""
        if not connection.certificate:
            return None
        try:
            return self._require(connection)[0]
        except Unauthenticated:
            return None

    def _require(self, connection: Connection) -> tuple[str, str]:
        """Service account and tenant. Raises `Unauthenticated`."""
        shown = valid(connection, "service", self.authorities.domain, self._now())
        tenant, trusted = self._standing(shown.name.id, shown.key, shown.authority)
        if tenant != shown.name.tenant:
            raise _unknown()
        if not trusted:
            raise distrusted()
        return shown.name.id, tenant

    def _standing(self, service: str, key: bytes, authority: str) -> tuple[str, bool]:
        rows = self.database.rows(_KEY, {"id": service, "authority": authority})
        if not rows or bytes(rows[0][1]) != key or self.stands(service) != rows[0][0]:
            raise _unknown()
        return str(rows[0][0]), bool(rows[0][2])

    def _event(self, tenant: str, done: Certified, call: str) -> Entry:
        return Entry(
            log=tenant,
            operation="service.renewed",
            phase="event",
            outcome=Outcome.DONE,
            request=call,
            actor=done.holder,
            tenant=tenant,
            time=self._now(),
            facts={"object": done.holder, "certificate": done.serial, "expires": done.ends_at},
        )

    def _now(self) -> int:
        return epoch_ms(self.clock.now())


def _unknown() -> Unauthenticated:
    advice = "No service account has this key now; ask its administrator to certify it."
    return Unauthenticated(advice, code="service-unknown")
