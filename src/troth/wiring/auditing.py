"""What auditors do: rooms over the registers of their tenant, and the promises in OSCAL."""

from __future__ import annotations

import json

from troth.governance.room.evidence import Proven, RunSeen
from troth.governance.room.operations import RoomOperations
from troth.governance.room.rooms import Rooms
from troth.kernel.errors import Unavailable
from troth.kernel.scope import as_system
from troth.promises.oscal.operations import OscalOperations
from troth.promises.period.operations import PeriodOperations
from troth.promises.room_looks import RoomLooks
from troth.promises.room_papers import RoomPapers
from troth.promises.run_log import LOG
from troth.promises.runner import Runner
from troth.promises.system import Base, Governance


def auditing_operations(
    base: Base, governance: Governance, runner: Runner, periods: PeriodOperations
) -> tuple[object, ...]:
    """The operations of the auditor's room and of OSCAL."""

    @as_system  # runs stand in the log of the service, whoever looks at them
    def proven(run: RunSeen) -> Proven:
        entries = base.reader.of_requests(LOG, {run.record})
        found = next((one for one in entries if json.loads(one.leaf).get("facts", {}).get("link") == run.link), None)
        if found is None:
            raise Unavailable("The entry is not in the log yet; try again in a second.", code="no-proof")
        key = str(base.sequencer.origins.key(LOG))
        return Proven(found.index, found.leaf.decode(), base.prover.proof(LOG, found.index), key)

    papers = RoomPapers(periods, lambda: runner, base.settings.server.name)
    rooms = Rooms(governance.registers, RoomLooks(base.database, lambda: runner, proven), papers)
    return RoomOperations(rooms), OscalOperations(runner, base.settings.server.name)
