"""Where the logs are mirrored and remembered, and the replay that needs no running server."""

from __future__ import annotations

from troth.audit.origins import Origins
from troth.audit.publication import Places
from troth.audit.replay import Replay, Replayed
from troth.backup import locations
from troth.backup.locations import Location
from troth.kernel.clock import SystemClock
from troth.kernel.errors import NotFound, Unavailable
from troth.keys.signing import LocalSigner
from troth.settings.load import Settings
from troth.settings.sections import Data
from troth.storage.blobs import BulkStore, LocalBlobs
from troth.storage.database import Database
from troth.storage.isolation import settle
from troth.storage.placement import claim_store
from troth.storage.private import only_ours

_FAR = "mirror of the log in the second region"
_LONGEST_LOCK = 3650  # days: an object lock only keeps what nobody wants gone


def mirror_of(data: Data) -> LocalBlobs:
    """The mirror beside the data."""
    return LocalBlobs(data.folder / "log")


def guard_of(data: Data) -> LocalBlobs:
    """What was signed last, beside the keys."""
    return LocalBlobs(data.keys / "log-guard")


def far_mirror(settings: Settings) -> BulkStore | None:
    """The store of `far_location`; None without one."""
    location = far_location(settings)
    return None if location is None else location.store


def far_location(settings: Settings) -> Location | None:
    """The mirror in the second region, claimed for our jurisdiction; None without one.

    Raises `Denied` for one elsewhere, `Invalid` for a half-named one, `Unavailable` for a folder that cannot be made or
    that states another jurisdiction. A bucket that is away is asked again before each signature.
    """
    chosen = settings.audit.mirror
    if chosen is None:
        return None
    locations.require_usable(chosen, settings.data)
    location = locations.opened_one("log-mirror", chosen, _LONGEST_LOCK)
    try:
        claim_store(location.store, _FAR, settings.data.jurisdiction)
    except Unavailable as error:
        if error.code in ("wrong-placement", "no-placement"):
            raise
    return location


def replayed(settings: Settings) -> list[Replayed]:
    """Bring the logs of a stopped installation up to what was signed; raises as `Replay.run`, `NotFound` without one.

    Nothing but the database is opened: the key tree of an older database must not be looked at before its log is whole.
    """
    data = settings.data
    if not (data.keys / "signing").is_dir() or not (data.database_url or (data.folder / "troth.db").exists()):
        raise NotFound("There is no installation in these folders; set TROTH_DATA__FOLDER and TROTH_DATA__KEYS.")
    only_ours()
    database = Database(data.database_url or f"sqlite:///{data.folder / 'troth.db'}")
    try:
        settle(database, owner_url=data.database_owner_url, single_role=data.database_single_role)
        signer = LocalSigner.open(data.keys / "signing", settings.server.name)
        places = Places(mirror_of(data), guard_of(data), far_mirror(settings))
        return Replay(database, places, Origins.of(signer, settings.server.name), SystemClock()).run()
    finally:
        database.close()
