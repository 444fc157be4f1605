"""What auditors do: rooms over the registers of their tenant, and the promises in OSCAL."""

from __future__ import annotations

from troth.governance.room.operations import RoomOperations
from troth.governance.room.rooms import Rooms
from troth.promises.oscal.operations import OscalOperations
from troth.promises.period.operations import PeriodOperations
from troth.promises.room_looks import RoomLooks
from troth.promises.room_papers import RoomPapers
from troth.promises.runner import Runner
from troth.promises.system import Base, Governance


def auditing_operations(
    base: Base, governance: Governance, runner: Runner, periods: PeriodOperations
) -> tuple[object, ...]:
    """The operations of the auditor's room and of OSCAL."""
    papers = RoomPapers(periods, lambda: runner, base.settings.server.name)
    rooms = Rooms(governance.registers, RoomLooks(base.database, lambda: runner), papers)
    return RoomOperations(rooms), OscalOperations(runner, base.settings.server.name)
