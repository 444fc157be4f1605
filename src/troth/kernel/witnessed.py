"""What administers or destroys waits until somebody outside has seen the record of it."""

from __future__ import annotations

from typing import Protocol

from troth.kernel.operation import Group, Operation

_GROUPS = frozenset({Group.ADMINISTER, Group.OPERATE, Group.PRIVACY, Group.OWN_ERASURE})


class Witnessed(Protocol):
    """Knows how far witnesses have seen the log."""

    def require(self, log: str) -> None:
        """Return once all entries of `log` that are durable now are under a checkpoint that a quorum cosigned.

        Raises `Unavailable` (unwitnessed) when that takes too long. Not to be called on an event loop.
        """
        ...


def waits_for_witnesses(operation: Operation) -> bool:
    """True for what changes something in a group that administers or destroys; reading goes on without witnesses."""
    declared = operation.declaration
    reads = declared.route is not None and declared.route.method == "GET"
    return declared.group in _GROUPS and not reads
