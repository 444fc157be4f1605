"""Counting what an erasure took, page by page: ids, classes, which went by key and which by their bytes alone. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from troth.kernel.outside import OutsideCopy
from troth.vault.certificate import listed
from troth.vault.tables import Row


class Tally:
    """What the pages so far add up to. It keeps the ids: some 100 bytes for each object."""

    def __init__(self) -> None:
        self._by_key: list[str] = []
        self._by_deletion: list[str] = []
        self._classes: Counter[str] = Counter()
        self._until = ""
        self._oldest: int | None = None
        self._erasures: set[str] = set()
        self._blobs = 0
        self._sent: dict[str, OutsideCopy] = {}

    def add(
        self,
        rows: Sequence[Row],
        blobs: int,
        sent: Iterable[OutsideCopy],
        *,
        earlier: Mapping[str, str] = MappingProxyType({}),
        completes: Iterable[str] = (),
    ) -> None:
        """One more page; `blobs` of it were deleted, `sent` is what vendors got with it.

        `earlier`: ids of which a copy from before stands under a key that still serves others, with its last day: those
        did not go by key in every backup. `completes`: erasures of which these rows are the rest.
        """
        self._erasures.update(completes)
        for row in rows:
            if row.unit_destroyed and row.id not in earlier:
                self._by_key.append(row.id)
            else:
                self._by_deletion.append(row.id)
                self._until = max(self._until, earlier.get(row.id) or row.period or "")
            self._classes[row.data_class] += 1
        self._erasures.update(row.erasure for row in rows if row.erasure)
        self._oldest = min([row.created_at for row in rows] + ([] if self._oldest is None else [self._oldest]))
        self._blobs += blobs
        for one in sent:
            self._sent[one.vendor] = _added(self._sent.get(one.vendor), one)

    def result(self) -> dict[str, Any]:
        """Plain JSON for the ledger."""
        return {
            "objects": listed([*self._by_key, *self._by_deletion]).model_dump(mode="json"),
            "by_key": listed(self._by_key).model_dump(mode="json"),
            "by_deletion": listed(self._by_deletion).model_dump(mode="json"),
            "until": self._until,
            "classes": dict(self._classes),
            "oldest": self._oldest,
            "erasures": sorted(self._erasures),
            "blobs": self._blobs,
            "vendors": [
                {"vendor": one.vendor, "requests": one.requests, "until": one.until}
                for _, one in sorted(self._sent.items())
            ],
        }


def _added(before: OutsideCopy | None, more: OutsideCopy) -> OutsideCopy:
    if before is None:
        return more
    open_ended = before.until is None or more.until is None
    until = None if open_ended else max(before.until or 0, more.until or 0)
    return OutsideCopy(more.vendor, before.requests + more.requests, until)
