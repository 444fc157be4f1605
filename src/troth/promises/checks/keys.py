"""Promises about keys: what the roots in use are, as their own providers show it when they are asked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from troth.kernel.errors import Unavailable
from troth.keys.lifecycle import State
from troth.keys.root_rows import RootRow, RootRows
from troth.keys.roots.local import LocalRoot
from troth.keys.roots.port import FILES, HARDWARE, KEY_SERVICE, Root
from troth.promises.check import Check, Facts
from troth.promises.system import System

_BAD = "eu-00000001-0000000000000000"


def _in_use(system: System) -> Iterable[tuple[Root, str]]:
    """The roots that seal the key tree now, each with its provider. Raises `Unavailable` when one is not set up."""
    domains = {one.name: one.root for one in system.base.domains}
    for row in _rows(system):
        if row.domain not in domains:
            raise Unavailable("A root in use belongs to a key domain that the settings do not name.", code="no-domain")
        yield domains[row.domain], row.root


def _rows(system: System) -> list[RootRow]:
    rows = RootRows(system.base.settings.data.jurisdiction)
    with system.base.database.read() as connection:
        return [row for row in rows.unfinished(connection) if row.state is State.ACTIVE]


def _in_hardware(roots: Iterable[tuple[Root, str]]) -> Facts:
    """Each root must be of the hardware class now, whatever was written down, and refuse an attempt to export it.

    A provider that is away raises: that is unknown, not kept.
    """
    looks = [(root.assurance, root.gives_out(name)) for root, name in roots]
    classes = {f"class_{one}": sum(seen == one for seen, _ in looks) for one in (FILES, KEY_SERVICE, HARDWARE)}
    exported = sum(out for _, out in looks)
    broken = sum(seen != HARDWARE or out for seen, out in looks)
    return Facts(len(looks), len(looks), broken, details=classes | {"exported": exported})


def _in_a_file() -> Facts:
    """The known-bad domain: a real one whose root is a file."""
    with tempfile.TemporaryDirectory(prefix="troth-probe-") as name:
        root = LocalRoot(Path(name) / "roots", "known-bad")
        root.create(_BAD)
        return _in_hardware([(root, _BAD)])


CHECKS = (
    Check(
        "roots-in-hardware",
        ("CRY-03",),
        "Every root in use is asked for in its own key domain: it must be of class A2 and an attempt to export it must "
        "fail. Files and software tokens such as SoftHSM (A0) and key services (A1) are no hardware and break the "
        "promise, so an installation with one of them shows it as not kept. That a token is hardware is its own word.",
        lambda system: _in_hardware(_in_use(system)),
        lambda _: _in_a_file(),
        scope="roots in use, in all key domains",
        population="roots in use",
    ),
)
