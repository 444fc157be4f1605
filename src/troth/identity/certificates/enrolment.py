"""How devices get certificates: enrolled by a person who just proved who they are, renewed by the device's own key."""

from __future__ import annotations

from dataclasses import dataclass, replace

from troth.identity.certificates.authorities import Authorities, Certified
from troth.identity.certificates.devices import Devices, Enrolment, Standing, revoked_device
from troth.identity.certificates.holding import Holding
from troth.identity.certificates.issuing import PublicKey, key_digest, read_request, supported_key
from troth.identity.certificates.proving import proven, require_shown
from troth.identity.own_account import OwnAccount, person_and_session
from troth.identity.store import OPERATORS
from troth.identity.throttle import network_bucket
from troth.kernel.caller import Caller, Connection
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Denied
from troth.kernel.record import Entry, Outcome, Recorder
from troth.kernel.scope import as_system

_ENOUGH = 2  # authenticator assurance level that enrols


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolments:
    """Issues certificates."""

    devices: Devices
    authorities: Authorities
    holding: Holding
    own: OwnAccount
    recorder: Recorder

    def enrol(self, caller: Caller, name: str, request: str) -> Certified:
        """A device of the caller, and its first certificate. `request`: PEM of a PKCS#10 request by the device's key.

        Raises `Denied` as `OwnAccount.require_held`, `Invalid`, `Conflict`, `Unavailable`.
        """
        person, _ = person_and_session(caller)
        self.own.require_held(caller)
        if caller.authentication.assurance < _ENOUGH:
            raise Denied("Set up a second factor before you enrol a device.", code="step-up-required")
        key = supported_key(read_request(request).public_key())
        self.authorities.trusted()  # before anything is kept: without one there is nothing to enrol for
        tenant = caller.tenant or OPERATORS
        device = self.devices.add(Enrolment(tenant, person, name, key_digest(key)))
        return self.authorities.certify(tenant, "device", device, key)

    @as_system  # a device stands for nobody who could have a scope
    def renew(self, connection: Connection, request: str | None, call: str) -> Certified:
        """The next certificate for the same key, over a connection with the present one, or for a fresh `request`.

        See `proving`. The tenant's log gets `device.renewed`. Raises `Unauthenticated`, `Invalid`, `TooMany`,
        `Unavailable`.
        """
        with self.own.throttle.attempt([network_bucket(connection.network)]):
            standing, key = self._shown(connection) if request is None else self._proven(request)
        done = self.authorities.certify(standing.tenant, "device", standing.id, key)
        with self.devices.database.write() as sql:
            self.devices.renewed(sql, standing.id)
            self.recorder.record_within(sql, self._event(standing, done, call))
        return done

    def _shown(self, connection: Connection) -> tuple[Standing, PublicKey]:
        key = require_shown(connection)
        return self.holding.require(connection).standing, key

    def _proven(self, request: str) -> tuple[Standing, PublicKey]:
        device, key = proven(request, self._now())
        standing = self.devices.standing(device)
        if standing.key != key_digest(key):
            raise revoked_device()  # who does not hold the key learns nothing of the device
        return standing, key

    def _event(self, standing: Standing, done: Certified, call: str) -> Entry:
        entry = Entry(
            log=standing.tenant,
            operation="device.renewed",
            phase="event",
            outcome=Outcome.DONE,
            request=call,
            actor=standing.id,
            tenant=standing.tenant,
            time=self._now(),
            facts={"object": standing.id, "user": standing.user, "certificate": done.serial, "expires": done.ends_at},
        )
        return replace(entry, tenant=None) if standing.tenant == OPERATORS else entry

    def _now(self) -> int:
        return epoch_ms(self.devices.clock.now())
