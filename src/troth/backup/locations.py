"""Where backups go: at least two places inside the jurisdiction, each a folder or a bucket."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from troth.kernel.errors import Denied, Invalid, Unavailable
from troth.settings.sections import Backup, BackupLocation, Data
from troth.storage.blobs import BulkStore, LocalBlobs
from troth.storage.private import private_folder
from troth.storage.s3_blobs import Bucket, S3Blobs, read_credentials

LEAST = 2  # places that must have a backup before it counts as complete (promise BCK-03)


@dataclass(frozen=True, slots=True)
class Location:
    """One place. `device` tells places on one disk apart from places that fail apart; 0 for a bucket."""

    name: str
    jurisdiction: str
    store: BulkStore
    device: int = 0


def configured(settings: Backup, data: Data) -> list[BackupLocation]:
    """The places of the settings, or two folders beside the data folder.

    Raises `Denied` (wrong-jurisdiction) for a place elsewhere, `Invalid` for fewer than two or one inside the data.
    """
    places = list(settings.locations) or _default(data)
    if len(places) < LEAST:
        raise Invalid("Backups need at least two locations (TROTH_BACKUP__LOCATIONS).", code="bad-setting")
    for one in places:
        require_usable(one, data)
    return places


def opened(places: Sequence[BackupLocation], keep_days: int) -> list[Location]:
    """The places, ready to use.

    Raises `Unavailable` for a folder or credentials file, `Invalid` for an object lock longer than the retention.
    """
    return [opened_one(f"place-{at}", one, keep_days) for at, one in enumerate(places, 1)]


def failure_domains(locations: Sequence[Location]) -> int:
    """How many of the places fail apart, as far as this machine can tell: folders on one disk count once."""
    devices = [one.device for one in locations]
    return len({device for device in devices if device}) + devices.count(0)


def _default(data: Data) -> list[BackupLocation]:
    beside = data.folder.parent / f"{data.folder.name}-backups"
    return [BackupLocation(jurisdiction=data.jurisdiction, folder=beside / name) for name in ("a", "b")]


def require_usable(place: BackupLocation, data: Data) -> None:
    """Raises `Denied` (wrong-jurisdiction) for a place elsewhere, `Invalid` for one that is half named or live data."""
    if place.jurisdiction != data.jurisdiction:
        raise Denied(
            "A backup location stands in another jurisdiction than this installation; name one inside it.",
            code="wrong-jurisdiction",
        )
    if (place.folder is None) == (place.bucket is None):
        raise Invalid("A backup location has either a folder or a bucket.", code="bad-setting")
    if place.bucket is not None and (place.credentials is None or not place.endpoint or not place.region):
        raise Invalid("A bucket needs an endpoint, a region and a credentials file.", code="bad-setting")
    if place.folder is not None:
        folder = place.folder.resolve()
        for live in (data.folder.resolve(), data.keys.resolve()):
            if folder.is_relative_to(live) or live.is_relative_to(folder):
                raise Invalid("A backup folder and a live folder must not lie inside each other.", code="bad-setting")


def opened_one(name: str, place: BackupLocation, keep_days: int) -> Location:
    """One place under its name. Raises as `opened`."""
    if place.folder is not None:
        private_folder(place.folder)
        return Location(name, place.jurisdiction, LocalBlobs(place.folder), Path(place.folder).stat().st_dev)
    assert place.credentials is not None
    keys = read_credentials(place.credentials)
    store = S3Blobs(
        Bucket(place.bucket or "", place.prefix.strip("/"), place.region or "", place.endpoint or "", *keys)
    )
    days = None
    with contextlib.suppress(Unavailable):  # a place that is away fails when it is used, alone; the others go on
        days = store.lock_days()
    if days is not None and days > keep_days:
        raise Invalid(
            f"The bucket locks objects for {days} days, longer than backups are kept ({keep_days} days); "
            "shorten its default retention, or raise TROTH_BACKUP__KEEP_DAYS.",
            code="lock-too-long",
        )
    return Location(name, place.jurisdiction, store)
