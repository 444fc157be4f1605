"""The scrub: stored objects are read again, one after the other, and every byte is checked (promise MON-09).

Objects go by the order in which they were kept, so the one that was looked at longest ago is always next; after the
last a new round begins. What is read is decrypted into a buffer that is wiped: content goes nowhere, nobody opened it,
and it does not count as an opening. A job calls `run` every minute; where it stands is in the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, delete, func, insert, select

from troth.kernel.errors import Conflict, Gone, IntegrityError, NotFound
from troth.kernel.ids import new_id
from troth.kernel.record import Entry, Fact, Outcome
from troth.kernel.scope import SYSTEM, as_system
from troth.keys.tree import Use
from troth.vault import framing
from troth.vault.deadlines import DAY_MS
from troth.vault.facts import open_facts
from troth.vault.ground import Ground
from troth.vault.object_info import facts_of
from troth.vault.tables import LIVE, Row, insert_missing, objects, rows_of, scrub_findings, scrub_rounds

_ONE = "this"
_PAGE = 64  # objects between two notes of where the scrub stands
_MB = 1 << 20
_ACTOR = "svc_scrub"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the scrub has come. Times in epoch ms; `findings` are objects that are not as they were kept."""

    position: int = 0
    began_at: int = 0
    ended_at: int | None = None
    examined: int = 0
    closed: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """What one object showed: bytes read, whether its key could not be used, and the code of what is wrong."""

    size: int
    closed: bool = False
    code: str | None = None


class Scrub:
    """Reads what lies in the object store. `megabytes`: most in one run; `days`: time between beginnings of rounds."""

    def __init__(self, ground: Ground, *, megabytes: int = 64, days: int = 7) -> None:
        self._ground = ground
        self._most = megabytes * _MB
        self.days = days

    @as_system
    def run(self) -> Standing:
        """Go on until the limit of bytes is reached or the round is over. Raises `Unavailable` when keys are away."""
        now, read = self._begun(), 0
        if now.position == 0 and now.ended_at and self._ground.now() - now.began_at < self.days * DAY_MS:
            return now
        if now.position == 0:
            now = replace(now, began_at=self._ground.now(), examined=0, closed=0)
        while read < self._most:
            with self._ground.database.read() as connection:
                query = select(objects).where(objects.c.seq > now.position, objects.c.state == LIVE)
                rows = rows_of(connection, query.order_by(objects.c.seq).limit(_PAGE))
            looks = [self.examine(row) for row in rows]
            read += sum(look.size for look in looks)
            now = self._noted(now, rows, looks)
            if not rows:
                break
        return now

    def examine(self, row: Row) -> Look:
        """Whether framing, every segment's tag and the sealed name of an object are as they were kept."""
        try:
            sealed = self._ground.blobs.get(row.blob or "")
        except NotFound:
            return self._unless_changed(row, Look(0, code="blob-missing"))
        except IntegrityError as error:
            return self._unless_changed(row, Look(0, code=error.code))
        try:
            unit = self._ground.tree.key(bytes.fromhex(row.unit), Use.PRIVACY)
            framing.require_whole(sealed, facts_of(row), unit)
            open_facts(row.facts or b"", facts_of(row), unit)
        except (Conflict, Gone):  # exposed and not moved yet, or destroyed meanwhile
            return Look(len(sealed), closed=True)
        except (IntegrityError, NotFound) as error:
            return self._unless_changed(row, Look(len(sealed), code=error.code))
        return Look(len(sealed))

    def standing(self) -> Standing:
        """Where it stands, for pages and checks."""
        with self._ground.database.read(SYSTEM) as connection:
            return _standing(connection)

    def _unless_changed(self, row: Row, look: Look) -> Look:
        """What is wrong counts only while the row still says the same: objects are moved and erased meanwhile."""
        with self._ground.database.read() as connection:
            now = rows_of(connection, select(objects).where(objects.c.seq == row.seq))
        same = now and (now[0].state, now[0].blob, now[0].unit) == (row.state, row.blob, row.unit)
        return look if same else replace(look, code=None)

    def _begun(self) -> Standing:
        with self._ground.database.write() as connection:
            blank = {"position": 0, "began_at": 0, "examined": 0, "closed": 0}
            insert_missing(connection, scrub_rounds, {"name": _ONE, **blank})
            return _standing(connection)

    def _noted(self, now: Standing, rows: Sequence[Row], looks: Sequence[Look]) -> Standing:
        """Keep where it stands, with what was found, in one transaction; without rows the round is over."""
        now = replace(
            now,
            position=rows[-1].seq if rows else 0,
            examined=now.examined + len(rows),
            closed=now.closed + sum(look.closed for look in looks),
            ended_at=now.ended_at if rows else self._ground.now(),
        )
        with self._ground.database.write() as connection:
            for row, look in zip(rows, looks, strict=True):
                self._judged(connection, row, look)
            if not rows:
                gone = select(objects.c.id).where(objects.c.state == LIVE)
                connection.execute(delete(scrub_findings).where(scrub_findings.c.object.not_in(gone)))
            values = {name: getattr(now, name) for name in ("position", "began_at", "ended_at", "examined", "closed")}
            connection.execute(scrub_rounds.update().values(values))
            now = replace(now, findings=_findings(connection))
            if not rows:
                counts: dict[str, Fact] = {"count": now.examined, "withheld": now.closed, "objects": now.findings}
                self._told(connection, "scrub.done", Outcome.DONE, counts)
        return now

    def _judged(self, connection: Connection, row: Row, look: Look) -> None:
        known = scrub_findings.c.object == row.id
        there = connection.execute(select(scrub_findings.c.code).where(known)).scalar()
        if look.code is None:
            if there and not look.closed:
                connection.execute(delete(scrub_findings).where(known))
            return
        if there is None:
            found = {"object": row.id, "tenant": row.tenant, "code": look.code, "found_at": self._ground.now()}
            connection.execute(insert(scrub_findings), found)
        facts: dict[str, Fact] = {"object": row.id, "tenant": row.tenant}
        self._told(connection, "scrub.mismatch", Outcome.FAILED, facts, look.code)

    def _told(
        self, connection: Connection, name: str, outcome: Outcome, facts: dict[str, Fact], code: str | None = None
    ) -> None:
        at, request = self._ground.now(), new_id("scr")
        entry = Entry("operator", name, "event", outcome, request, _ACTOR, None, at, code=code, facts=facts)
        self._ground.event(connection, entry)


def _standing(connection: Connection) -> Standing:
    row = connection.execute(select(scrub_rounds)).mappings().first()
    if row is None:
        return Standing(findings=_findings(connection))
    return Standing(**{name: value for name, value in row.items() if name != "name"}, findings=_findings(connection))


def _findings(connection: Connection) -> int:
    return int(connection.scalar(select(func.count()).select_from(scrub_findings)) or 0)
