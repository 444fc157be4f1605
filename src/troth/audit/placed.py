"""Entries as they were placed: what a row says is shown only when its hash is the one in the tree.

A row that somebody changed in the database is so noticed when it is read, not only at the next audit. What this cannot
see: a row whose tile was changed with it (the checkpoint shows that to `troth audit verify`), and one that is found no
more because the columns beside its leaf were changed.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from sqlalchemy import Connection

from troth.audit import store
from troth.audit.merkle import HASH_BYTES, leaf_hash
from troth.audit.tiles import WIDTH
from troth.kernel.errors import IntegrityError


def require_placed(connection: Connection, number: int, rows: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The (index, leaf) rows of log `number`, when each hashes to what stands in its tile (RFC 6962, section 2.1).

    Raises `IntegrityError` (log-broken) at the first that does not.
    """
    found: list[tuple[int, bytes]] = []
    tiles: dict[int, bytes] = {}
    for index, leaf in rows:
        tile, at = divmod(index, WIDTH)
        if tile not in tiles:
            tiles[tile] = store.read_tile(connection, number, 0, tile)
        if not hmac.compare_digest(leaf_hash(bytes(leaf)), tiles[tile][at * HASH_BYTES : (at + 1) * HASH_BYTES]):
            raise IntegrityError(
                f"Entry {index} in the database is not the one that was placed in the log; run troth audit verify.",
                code="log-broken",
            )
        found.append((index, bytes(leaf)))
    return found
