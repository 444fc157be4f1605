"""Where a place for backups says that it lies: a marker as the live stores have, claimed at the first backup.

A place that answers for another jurisdiction is refused at the start and before each run. One that holds something and
does not answer is refused too, unless a manifest that we signed stands in it: then it was ours before there were
markers, and gets one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from troth.backup import locations, places
from troth.backup.locations import Location
from troth.kernel.errors import Unavailable
from troth.settings.sections import BackupLocation
from troth.storage.placement import claim_store, mark, placed_folder, placed_store, wrong_placement

UNKNOWN = "unknown"


def claim(location: Location, keys: Mapping[str, bytes]) -> None:
    """Mark an empty place, or check whose it is; `keys` may have signed what is in it.

    Raises `Unavailable`: `wrong-placement`, or `no-placement` for one that holds something else and does not say.
    """
    store = location.store
    if placed_store(store) is None and next(iter(store.names()), None) is not None:
        if not any(one.manifest.jurisdiction == location.jurisdiction for one in places.readable(location, keys)):
            raise Unavailable(
                f"The backup location {location.name} holds something and does not say in which jurisdiction it lies; "
                "give backups a folder or prefix of their own. Nothing was written.",
                code="no-placement",
            )
        mark(store, location.jurisdiction)
    claim_store(store, f"backup location {location.name}", location.jurisdiction)


def stated(location: Location) -> str:
    """The jurisdiction that a place states itself; of an empty one, the setting's; else `unknown`."""
    found = placed_store(location.store)
    if found is None:
        return UNKNOWN if next(iter(location.store.names()), None) is not None else location.jurisdiction
    return found


def require_stated(chosen: Sequence[BackupLocation], keep_days: int) -> None:
    """At the start: raises `Unavailable` (wrong-placement) for a place that states another jurisdiction.

    What is away, or was not made yet, is looked at before it is used.
    """
    for at, place in enumerate(chosen, 1):
        name = f"place-{at}"
        if place.folder is not None:
            found = placed_folder(place.folder)
        else:
            try:
                found = placed_store(locations.opened_one(name, place, keep_days).store)
            except Unavailable:
                continue
        if found not in (None, place.jurisdiction):
            raise wrong_placement(f"backup location {name}", place.jurisdiction, str(found))
