"""The key tree of today, sent to every place as soon as an epoch ended.

A destroyed root takes every older tree with it, those in backups too: a backup made before an erasure opens only with
the tree of today. So that tree travels at once, apart from the hourly backups. It is harmless: pages open only under
roots that no place ever holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from sqlalchemy import select

from troth.backup import homes, rows
from troth.backup.locations import Location
from troth.backup.source import Source
from troth.kernel.errors import Conflict, TrothError, Unavailable
from troth.keys import pages
from troth.keys.recovery import Kept
from troth.keys.store import key_manifest, key_page, key_tree

FOLDER = "tree"
_PAGE_BYTES = 16 << 20  # a page, a manifest or a pack is far smaller
_DIGITS = 24  # of a digest in a name


class Shipping:
    """Sends the tree of one jurisdiction; remembers what every place has."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._database = source.database
        self._jurisdiction = source.jurisdiction
        self._shipped: dict[str, int] = {}  # place -> epoch

    def ship(self, locations: Sequence[Location]) -> int:
        """Send what places lack since the last epoch; how many places got it.

        Raises `Unavailable` (tree-not-shipped) when one could not be brought up to date; the next call tries again.
        """
        epoch = self._epoch()
        behind = [one for one in locations if self._shipped.get(one.name) != epoch]
        if not behind:
            return 0
        wanted, epoch = self._tree()
        failure: TrothError | None = None
        for location in behind:
            try:
                homes.claim(location, self._source.keys())
                _bring(location, wanted)
                self._shipped[location.name] = epoch
            except TrothError as error:
                failure = error
        if failure is not None:
            raise Unavailable(
                "A backup location does not take the newest key tree; it is tried again.", code="tree-not-shipped"
            ) from failure
        return len(behind)

    def _epoch(self) -> int:
        mine = key_tree.c.jurisdiction == self._jurisdiction
        with rows.snapshot(self._database) as connection:
            return int(connection.scalar(select(key_tree.c.epoch).where(mine)) or 0)

    def _tree(self) -> tuple[dict[str, bytes], int]:
        """Every page and the manifest of one moment, by name."""
        with rows.snapshot(self._database) as connection:
            mine = key_tree.c.jurisdiction == self._jurisdiction
            epoch = int(connection.scalar(select(key_tree.c.epoch).where(mine)) or 0)
            here = key_manifest.c.jurisdiction == self._jurisdiction
            bodies = connection.scalars(select(key_manifest.c.body).where(here, key_manifest.c.epoch == epoch))
            contents = [bytes(body) for body in bodies]
            listed = select(key_page.c.content).where(key_page.c.jurisdiction == self._jurisdiction)
            contents += [bytes(content) for content in connection.scalars(listed)]
        return {f"{FOLDER}/{pages.digest(one)[:_DIGITS]}": one for one in contents}, epoch


def shipped(location: Location) -> Kept:
    """What a place has of a tree; nothing when it cannot be read."""
    kept = Kept()
    try:
        names = list(location.store.names(f"{FOLDER}/"))
    except TrothError:
        return kept
    for name in names:
        with contextlib.suppress(TrothError):  # what is no page is of no use; the others may be
            kept.add(location.store.get(name, _PAGE_BYTES))
    return kept


def _bring(location: Location, wanted: dict[str, bytes]) -> None:
    """Add first, then drop what is not of the tree any more, so that there is always a whole one."""
    there = set(location.store.names(f"{FOLDER}/"))
    location.store.create_all([(name, content) for name, content in wanted.items() if name not in there])
    for name in there - wanted.keys():
        with contextlib.suppress(Conflict):  # locked: old pages are noise, and may stay until the lock ends
            location.store.delete(name)
