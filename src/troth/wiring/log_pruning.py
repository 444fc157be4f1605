"""Builds what prunes the logs, with everything that still reads old entries."""

from __future__ import annotations

from troth.audit.believed_time import BelievedTime
from troth.audit.log import Filter
from troth.audit.pruning import Policy, Pruning
from troth.audit.publication import Places
from troth.kernel.epoch_log import OPERATION
from troth.kernel.errors import NotFound
from troth.promises.system import Base, Reviewing
from troth.wiring.log_places import far_mirror

_OPERATOR = "operator"
_NEWEST = 20  # epochs of key trees that are looked back on; an installation has a tree for its jurisdiction


def believed_time(base: Base) -> BelievedTime:
    """The clock for what cannot be brought back, by network time where servers for it are set up."""
    network = base.network_time
    return BelievedTime(base.database, base.clock, lambda: network.right() if network.configured else None)


def build_pruning(base: Base, reviewing: Reviewing) -> Pruning:
    """By `audit.keep_days`."""

    def epoch(log: str, size: int) -> int:
        """The start compares the key tree with its newest epoch in the operator log, however old that is."""
        if log != _OPERATOR:
            return size
        page = base.reader.page(log, Filter(operation=OPERATION), before=None, limit=_NEWEST)
        while not page.entries and page.next is not None:
            page = base.reader.page(log, Filter(operation=OPERATION), before=page.next, limit=_NEWEST)
        return page.entries[0].index if page.entries else size

    def unreviewed(log: str, size: int) -> int:
        """What nobody has reviewed yet stays until somebody has."""
        try:
            oldest = reviewing.watch.duty(log).oldest
        except NotFound:
            return size
        return size if oldest is None else oldest.index

    return Pruning(
        database=base.database,
        places=Places(base.mirror, None, far_mirror(base.settings)),
        recorder=base.outbox,
        clock=base.clock,
        time=believed_time(base),
        policy=Policy(base.settings.audit.keep_days),
        needed=(epoch, unreviewed),
        backups_days=base.settings.backup.keep_days,
    )
