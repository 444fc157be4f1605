"""The key tree's epochs as the operator log has them; implements `kernel.epoch_log.EpochLog`."""

from __future__ import annotations

import json

from troth.audit.log import Filter, LogReader
from troth.kernel.epoch_log import OPERATION, LoggedEpoch
from troth.kernel.errors import IntegrityError, NotFound

_LOG = "operator"
_AT_ONCE = 20  # entries; several jurisdictions may share a log


class LoggedEpochs:
    """Finds the newest entry of a jurisdiction, however far back it stands."""

    def __init__(self, reader: LogReader) -> None:
        self._reader = reader

    def newest(self, jurisdiction: str) -> LoggedEpoch | None:
        """The newest epoch in the log, or None when there never was one. Raises `IntegrityError` for a broken entry."""
        before: int | None = None
        while True:
            try:
                page = self._reader.page(_LOG, Filter(operation=OPERATION), before=before, limit=_AT_ONCE)
            except NotFound:
                return None
            for entry in page.entries:
                if (found := _read(entry.leaf, jurisdiction)) is not None:
                    return found
            if page.next is None:
                return None
            before = page.next


def _read(leaf: bytes, jurisdiction: str) -> LoggedEpoch | None:
    try:
        facts = json.loads(leaf)["facts"]
        return LoggedEpoch(int(facts["epoch"]), facts["digest"]) if facts["jurisdiction"] == jurisdiction else None
    except (ValueError, KeyError, TypeError) as error:
        raise IntegrityError(
            "An entry about key epochs cannot be read; check the log.", code="key-epoch-log"
        ) from error
