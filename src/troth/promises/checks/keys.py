"""Promises about keys: what the roots in use are, as the key tables and their own domains tell it."""

from __future__ import annotations

from collections.abc import Sequence

from troth.keys.lifecycle import State
from troth.keys.root_rows import RootRow, RootRows
from troth.promises.check import Check, Facts
from troth.promises.system import System

_HARDWARE = frozenset({"A1", "A2"})  # a key service or a module that never gives its key out
_SOFTWARE = RootRow("known-bad", "eu-00000001-0000000000000000", 1, "A0", State.ACTIVE)


def _roots(system: System) -> Sequence[RootRow]:
    """The roots that seal the key tree now."""
    rows = RootRows(system.base.settings.data.jurisdiction)
    with system.base.database.read() as connection:
        return [row for row in rows.unfinished(connection) if row.state is State.ACTIVE]


def _in_hardware(roots: Sequence[RootRow]) -> Facts:
    software = [root for root in roots if root.assurance not in _HARDWARE]
    return Facts(population=len(roots), tested=len(roots), broken=len(software))


CHECKS = (
    Check(
        "roots-in-hardware",
        ("CRY-03",),
        "Every root key in use is asked for its assurance: software keys (A0, a file) break the promise, so an "
        "installation with local roots shows it as not kept. That a module refuses to export a key is not looked at.",
        lambda system: _in_hardware(_roots(system)),
        lambda _: _in_hardware([_SOFTWARE]),
    ),
)
