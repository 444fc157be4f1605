"""Builds what registers show of other rooms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from troth.gateway.vendors.record import VendorRecord
from troth.governance.house import House
from troth.governance.sources.duties import AccessReviews, Appeals, LegalHolds, RightsRequests
from troth.governance.sources.mapped import Activities
from troth.governance.sources.port import Source
from troth.governance.sources.rooms import Rooms
from troth.governance.sources.suppliers import Agreements, SubProcessors, Suppliers
from troth.promises.system import Base, System


def build_rooms(base: Base, system: Callable[[], System]) -> Rooms:
    """The sources of registers. `system` is asked for when somebody looks: it is built after this."""
    house = House(base.database, base.clock)

    def vendors() -> Sequence[VendorRecord]:
        return system().gateway.vendors.all()

    def named() -> str | None:
        found = house.named()
        return found.tenant if found else None

    sources: dict[str, Source] = {
        "access-reviews": AccessReviews(base.database),
        "activities": Activities(base.settings.data.jurisdiction),
        "agreements": Agreements(vendors),
        "appeals": Appeals(base.database),
        "holds": LegalHolds(base.database),
        "requests": RightsRequests(base.database),
        "sub-processors": SubProcessors(vendors),
        "vendors": Suppliers(vendors),
    }
    return Rooms(sources, named)
