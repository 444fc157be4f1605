"""Bundles of a tenant for another installation: what the log says of each that was ever packed."""

from __future__ import annotations

from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogReader
from troth.kernel.errors import NotFound
from troth.storage.database import Database

ORIGIN = "opr_tenant-move"  # the command on this machine; the log has an index of actors
PACKED = "tenant.packed"
_MOST = 64


def packed(database: Database, tenant: str) -> list[dict[str, str | int]]:
    """For each packing, oldest first (of the newest 64): its id, the jurisdiction it was for, and when (epoch ms).

    A bundle is sealed for the other installation, outside the key tree, and nobody here can see whether it still
    exists: so each is told for ever. What the log has not taken in yet is not found.
    """
    try:
        page = LogReader(database).page(tenant, Filter(operation=PACKED, actor=ORIGIN), before=None, limit=_MOST)
    except NotFound:
        return []
    found = [read_leaf(one.leaf) for one in reversed(page.entries)]
    return [
        {"move": one["request"], "jurisdiction": one["facts"]["jurisdiction"], "packed_at": one["time"]}
        for one in found
    ]
