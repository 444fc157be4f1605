"""Tells the log of a tenant that a key of its people was shown where it may not be used: it may be stolen."""

from __future__ import annotations

from dataclasses import dataclass

from troth.identity.standing import Standing
from troth.identity.store import OPERATORS
from troth.kernel.caller import Connection
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.details import DetailSealer
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Outcome, Recorder


@dataclass(frozen=True, slots=True)
class Alarm:
    """Where refusals of genuine keys are told."""

    recorder: Recorder
    details: DetailSealer
    clock: Clock

    def elsewhere(self, key: str, owner: Standing, connection: Connection, code: str) -> None:
        """An event `key.refused` for the owner's own log; from where it came is sealed for the owner."""
        came = {"door": connection.origin.door, "address": connection.origin.address, "agent": connection.origin.agent}
        self.recorder.submit(
            Entry(
                log=owner.tenant,
                operation="key.refused",
                phase="event",
                outcome=Outcome.REFUSED,
                request=new_id("req"),
                actor="anonymous",
                tenant=None if owner.tenant == OPERATORS else owner.tenant,
                time=epoch_ms(self.clock.now()),
                code=code,
                facts={"key": key, "user": owner.user},
                sealed=self.details.seal((owner.tenant, owner.user), came),
            )
        )
