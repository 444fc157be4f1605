"""A place where a backup is put together again, apart from everything that serves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from troth.kernel.personal import Holder
from troth.keys.tree import KeyTree
from troth.storage.blobs import BlobStore, BulkStore
from troth.storage.database import Database


@dataclass(frozen=True, slots=True)
class Quarantine:
    """An installation that was built on an empty folder and never started; its roots are today's and only open.

    `open_object` gives an object's bytes by tenant, subject and id. `rebuild` makes rows that backups leave out again
    from the entries of the operator's log, and says how many; `close` lets go of everything.
    """

    database: Database
    objects: BulkStore
    mirror: BlobStore
    tree: KeyTree
    holders: Sequence[Holder]
    open_object: Callable[[str, str, str], bytes]
    now: Callable[[], int]
    rebuild: Callable[[Sequence[bytes]], int]
    close: Callable[[], None]
