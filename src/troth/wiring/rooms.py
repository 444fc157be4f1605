"""Builds what registers show of other rooms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from troth.backup.backups import Event
from troth.gateway.vendors.record import VendorRecord
from troth.governance.data_map.map import DataMap
from troth.governance.house import House
from troth.governance.sources.continuity import BackupSets, Drills
from troth.governance.sources.duties import AccessReviews, Appeals, LegalHolds, RightsRequests
from troth.governance.sources.mapped import Activities
from troth.governance.sources.port import Source
from troth.governance.sources.proofs import Consents, LogReviews, PreservedEvidence
from troth.governance.sources.rooms import Rooms
from troth.governance.sources.suppliers import Agreements, SubProcessors, Suppliers, Transfers
from troth.kernel.scope import SYSTEM, within
from troth.promises.system import Base, System


def build_rooms(base: Base, system: Callable[[], System], of: DataMap) -> Rooms:
    """The sources of registers. `of`: what is done with data here. `system` is asked when somebody looks: it is built
    after this."""
    house = House(base.database, base.clock)

    def vendors() -> Sequence[VendorRecord]:
        return system().gateway.vendors.all()

    def named() -> str | None:
        found = house.named()
        return found.tenant if found else None

    def history(operation: str) -> Sequence[Event]:
        with within(SYSTEM):  # the operators' log; the house alone is shown it
            return system().backups.history(operation)

    wish = base.settings
    sources: dict[str, Source] = {
        "access-reviews": AccessReviews(base.database),
        "activities": Activities(base.settings.data.jurisdiction, of),
        "agreements": Agreements(vendors),
        "appeals": Appeals(base.database),
        "backups": BackupSets(history, wish.backup.keep_days),
        "consents": Consents(base.database),
        "drills": Drills(history, 2 * wish.backup.every_minutes),
        "holds": LegalHolds(base.database),
        "log-reviews": LogReviews(base.database, wish.reviews.due_days),
        "preserved": PreservedEvidence(base.database),
        "requests": RightsRequests(base.database),
        "sub-processors": SubProcessors(vendors),
        "transfers": Transfers(vendors),
        "vendors": Suppliers(vendors),
    }
    return Rooms(sources, named)
