"""The custody of one object: what the log says of it, from the moment it came in until its key was destroyed (AUD-06).

Every line is an entry of the tenant's log, with its index, so each can be proven by itself. Over the whole life stands
one sentence: whether there was a time outside an encrypted state. It is `unbroken` only when the log holds the
beginning, and the bytes that lie there now are as they were sealed; what cannot be told is `unknown`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from troth.audit.log import Filter, LogEntry, LogReader
from troth.kernel.errors import IntegrityError, NotFound
from troth.vault import store
from troth.vault.ground import Ground
from troth.vault.scrubbing import Scrub
from troth.vault.tables import ERASED, LIVE, Row

MOST = 1000  # entries in one answer
LOOKED = 100_000  # entries of the log that are searched for one answer, or for the beginning or the end
_EARLIER = 2_000  # places before the one where a moment should begin: times do not rise quite evenly
_PAGES = 3  # answers that are searched for the beginning or the end: others may stand before it in great number
UNBROKEN, UNKNOWN, BROKEN = "unbroken", "unknown", "broken"

INGEST, ACCESS, DERIVATION, DISCLOSURE, DELETION, OTHER = (
    "ingest", "access", "derivation", "disclosure", "deletion", "other",
)  # fmt: skip
_WHAT = {
    "object.kept": INGEST,
    "object.open": ACCESS,
    "object.show": ACCESS,
    "file.create": INGEST,
    "file.content": ACCESS,
    "file.show": ACCESS,
    "response.show": ACCESS,
    "video.content": ACCESS,
    "video.show": ACCESS,
    "asset.open": DISCLOSURE,
    "object.share": DISCLOSURE,
    "object.shared": DISCLOSURE,
    "object.delete": DELETION,
    "object.deleted": DELETION,
    "object.left": DELETION,
    "file.delete": DELETION,
    "response.delete": DELETION,
    "video.delete": DELETION,
    "retention.swept": DELETION,
    "image.edit": DERIVATION,
    "video.create": DERIVATION,
    "video.ended": DERIVATION,
    "video.remix": DERIVATION,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of the log about the object; `time` in epoch ms, `what` one of the words above."""

    index: int
    time: int
    what: str
    operation: str
    outcome: str
    actor: str
    request: str


@dataclass(frozen=True, slots=True)
class Chain:
    """An object's steps in order, and what they say together. `reasons`: codes of what cannot be told, or is wrong.

    `next` is the index from which to ask on; None when the whole log was looked at.
    """

    object: str
    state: str
    kept_at: int
    erased_at: int | None
    statement: str
    reasons: tuple[str, ...]
    steps: tuple[Step, ...]
    next: int | None
    derived_from: tuple[str, ...]


class Custody:
    """Reads the log and the object's row; opens nothing for anybody."""

    def __init__(self, ground: Ground, reader: LogReader, scrub: Scrub) -> None:
        self._ground = ground
        self._reader = reader
        self._scrub = scrub

    def of(
        self, tenant: str, object_id: str, *, owner: str | None = None, after: int | None = None, limit: int = MOST
    ) -> Chain:
        """The chain of an object of this tenant, or of this person's only, from index `after` on. Raises `NotFound`."""
        with self._ground.database.read() as connection:
            row = store.find(connection, tenant, owner, object_id) if owner else None
            rows = [row] if row else [] if owner else store.by_ids(connection, [object_id])
            parents = store.parents_of(connection, [object_id]).get(object_id, [])
        if not rows or rows[0].tenant != tenant:
            raise NotFound("There is no such object; use the id that it was kept under.")
        try:
            steps, following = self._steps(rows[0], rows[0].created_at if after is None else None, after, limit)
            reasons = self._reasons(rows[0], steps)
        except IntegrityError as error:  # an entry is not as it was placed, so none of them says anything
            steps, following, reasons = [], None, (error.code,)
        statement = UNBROKEN if not reasons else UNKNOWN if _UNTOLD.issuperset(reasons) else BROKEN
        said = (rows[0].state, rows[0].created_at, rows[0].erased_at, statement, reasons)
        return Chain(object_id, *said, tuple(steps), following, tuple(parents))

    def _steps(
        self, row: Row, since: int | None, after: int | None = None, limit: int = MOST
    ) -> tuple[list[Step], int | None]:
        """Oldest first, from index `after` or about the moment `since` on, and where to go on."""
        size = self._reader.size(row.tenant)
        at = after or 0
        if since is not None and size > LOOKED:
            at = max(0, self._reader.since(row.tenant, since) - _EARLIER)
        end = min(size, at + LOOKED)
        found: dict[int, LogEntry] = {}
        for name in filter(None, (row.id, row.erasure)):
            page = self._reader.stretch(row.tenant, Filter(naming=name), at, end, limit)
            end = page[-1].index + 1 if len(page) == limit else end
            found |= {one.index: one for one in page}
        mine = [found[index] for index in sorted(found) if index < end][:limit]
        end = mine[-1].index + 1 if len(mine) == limit else end
        steps = [step for one in mine if (step := _step(one)) is not None]
        return steps, end if end < size else None

    def _reasons(self, row: Row, steps: list[Step]) -> tuple[str, ...]:
        """The beginning and the end are looked for where they should stand, if they are not among the steps."""
        reasons = []
        if not self._stands(INGEST, row, row.created_at, steps):
            reasons.append("no-ingest")
        if row.state == LIVE:
            look = self._scrub.examine(row)
            reasons += ["key-not-usable"] if look.closed else [look.code] if look.code else []
        elif row.state == ERASED and not self._stands(DELETION, row, row.erased_at or row.created_at, steps):
            reasons.append("no-deletion")
        return tuple(reasons)

    def _stands(self, what: str, row: Row, moment: int, steps: list[Step]) -> bool:
        at: int | None = max(0, self._reader.since(row.tenant, moment) - _EARLIER)
        for _ in range(_PAGES):
            if at is None or any(one.what == what for one in steps):
                break
            steps, at = self._steps(row, None, at)
        return any(one.what == what for one in steps)


_UNTOLD = frozenset({"no-ingest", "key-not-usable", "no-deletion"})


def _step(entry: LogEntry) -> Step | None:
    """The entry as a step; opening records say nothing that their closing ones do not."""
    members: dict[str, Any] = json.loads(entry.leaf)
    if members.get("phase") == "opened":
        return None
    operation = str(members.get("op", ""))
    what = _WHAT.get(operation) or (DELETION if operation.startswith("erasure.") else OTHER)
    return Step(
        entry.index,
        int(members.get("time", 0)),
        what,
        operation,
        str(members.get("outcome", "")),
        str(members.get("actor", "")),
        str(members.get("request", "")),
    )
