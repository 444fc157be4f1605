"""What two operators put in force, as their log tells: the newest version cannot be taken back by editing its row."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from troth.audit.leaf import read_leaf
from troth.audit.log import Filter, LogReader
from troth.kernel.errors import NotFound
from troth.kernel.record import Outcome

PAPER, STATEMENT = "paper.approve", "privacy-statement.approve"
_LOG = "operator"
_AT_ONCE = 20  # entries
Told = tuple[str, str]
"""The object of an approval, such as `paper-2`, and the digest of what was approved."""

_reading = threading.Lock()
_known: WeakKeyDictionary[LogReader, dict[str, tuple[int, Told | None]]] = WeakKeyDictionary()  # read once a process


def taken_back(reader: LogReader, operation: str, stands: Mapping[str, str]) -> list[bool]:
    """[False] when the version that was approved last does not stand; else nothing.

    `stands`: object and digest of each version whose row says that it was approved. One that a restore lost does not
    stand either, until the next is approved. Raises `IntegrityError` (log-broken).
    """
    told = _newest(reader, operation)
    return [] if told is None or stands.get(told[0]) == told[1] else [False]


def _newest(reader: LogReader, operation: str) -> Told | None:
    """Found by the leaves, which nobody edits unseen, and not by their columns."""
    with _reading:
        known = _known.setdefault(reader, {})
        end, found = known.get(operation, (0, None))
        try:
            size = reader.size(_LOG)
        except NotFound:  # nothing was ever recorded
            return None
        known[operation] = size, _between(reader, operation, end, size) or found
        return known[operation][1]


def _between(reader: LogReader, operation: str, start: int, end: int) -> Told | None:
    before: int | None = end
    wanted = Filter(naming=operation, after=start - 1)
    while before is not None and before > start:
        page = reader.page(_LOG, wanted, before=before, limit=_AT_ONCE)
        for one in page.entries:
            if (told := _told(read_leaf(one.leaf), operation)) is not None:
                return told
        before = page.next
    return None


def _told(members: Mapping[str, Any], operation: str) -> Told | None:
    facts = members.get("facts", {})
    if (members.get("op"), members.get("outcome")) != (operation, Outcome.DONE) or "object" not in facts:
        return None
    return str(facts["object"]), str(facts.get("digest", ""))
