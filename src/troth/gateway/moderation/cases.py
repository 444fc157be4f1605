"""Cases: what was refused or flagged, who looked at it, and how the person's appeal ended.

A case is written in the transaction of the closing record of its request: both are there or neither. Its content is
sealed under the person's key. The statement of reasons follows Regulation (EU) 2022/2065 (DSA) Art. 17(3), the appeal
its Art. 20: decided by a person, who did not decide before.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from troth.gateway.moderation.policy import HELP, Action, Periods
from troth.gateway.moderation.tables import ANSWER, APPEAL, CONTENT, STATEMENT, cases
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Gone, NotFound
from troth.kernel.ids import id_from_bytes
from troth.kernel.operation import Call
from troth.kernel.personal import PersonalFields
from troth.kernel.record import Change
from troth.storage.database import Database
from troth.vault import fences
from troth.vault.store import ERASED

NOTED, OPEN, DECIDED, APPEALED, CLOSED = "noted", "open", "decided", "appealed", "closed"
UPHELD, OVERTURNED = "upheld", "overturned"
MOST = 4000  # characters of a text that a case keeps
_DAY, _HOUR = 86_400_000, 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was judged, and what came of it. `content` is for the reviewer; none when nobody may see it here."""

    side: str
    medium: str
    category: str
    score: float
    action: Action
    policy: str
    content: dict[str, str] | None = field(default=None, repr=False)


class Cases:
    """The register of cases."""

    def __init__(self, database: Database, fields: PersonalFields, clock: Clock, periods: Periods) -> None:
        self._database, self._fields, self._clock, self.periods = database, fields, clock, periods

    def now(self) -> int:
        """Epoch ms."""
        return epoch_ms(self._clock.now())

    def opening(self, call: Call, found: Found) -> tuple[str, Change]:
        """(id, the change that writes it). The same finding twice in one request is one case."""
        tenant, subject, now = call.tenant, call.subject, self.now()
        told = "\0".join((tenant, call.request_id, found.side, found.medium, found.category))
        identifier = id_from_bytes("cas", hashlib.sha256(told.encode()).digest()[:16])
        raw = json.dumps(found.content).encode("utf-8", "surrogatepass") if found.content else None
        sealed = self._fields.seal(tenant, subject, CONTENT, raw) if raw else None
        waits = found.action is not Action.FLAG
        row = {
            "id": identifier, "tenant": tenant, "subject": subject, "request": call.request_id, "side": found.side,
            "medium": found.medium, "category": found.category, "score": round(found.score * 1000),
            "action": found.action.value, "policy": found.policy, "content": sealed,
            "state": OPEN if waits else NOTED, "opened_at": now, "due_at": now + self._term(found) if waits else None,
        }  # fmt: skip

        def write(connection: Connection) -> None:
            if connection.execute(select(cases.c.id).where(cases.c.id == identifier)).first() is None:
                erased = fences.state(connection, tenant, subject) == ERASED  # meanwhile
                connection.execute(insert(cases), row | ({"subject": None, "content": None} if erased else {}))

        return identifier, write

    def queue(self, tenant: str, *, waiting: bool, limit: int) -> list[dict[str, Any]]:
        """Cases of a tenant without their content: those that wait by date, or the newest of all."""
        query = select(*_SHOWN).where(cases.c.tenant == tenant)
        query = (
            query.where(cases.c.state.in_((OPEN, APPEALED))).order_by(cases.c.due_at, cases.c.id)
            if waiting
            else query.order_by(cases.c.opened_at.desc(), cases.c.id)
        )
        with self._database.read() as connection:
            return [dict(one) for one in connection.execute(query.limit(limit)).mappings()]

    def of_person(self, tenant: str, subject: str, limit: int = 200, *, content: bool = False) -> list[dict[str, Any]]:
        """A person's own, newest first, with the words that were written about them. `content`: what was judged too."""
        query = select(cases).where(cases.c.tenant == tenant, cases.c.subject == subject)
        with self._database.read() as connection:
            found = connection.execute(query.order_by(cases.c.opened_at.desc(), cases.c.id).limit(limit)).mappings()
            rows = [dict(one) for one in found]
        labels = (STATEMENT, APPEAL, ANSWER, *((CONTENT,) if content else ()))
        return [self._read(row, labels) for row in rows]

    def opened(self, tenant: str, case_id: str, actor: str) -> dict[str, Any]:
        """A case with its content and its words, for a reviewer. Raises `NotFound`, `Denied` (own-case), `Gone`."""
        with self._database.read() as connection:
            row = _one(connection, tenant, case_id)
        _not_own(row, actor)
        return self._read(row, (CONTENT, STATEMENT, APPEAL, ANSWER))

    def decide(self, tenant: str, case_id: str, actor: str, decision: tuple[str, str, str]) -> dict[str, Any]:
        """Decide a case, or the appeal upon it. `decision`: (outcome, reason, words).

        Raises `NotFound`, `Denied` (own-case; same-decider for who decided before), `Conflict` (not-waiting).
        """
        outcome, reason, words = decision
        said_of = self._said(tenant, case_id, words)
        with self._database.write() as connection:
            row = _one(connection, tenant, case_id, lock=True)
            _not_own(row, actor)
            if row["state"] in (OPEN, NOTED):
                said = said_of[STATEMENT]
                values = {"state": DECIDED, "outcome": outcome, "reason": reason, "statement": said,
                          "decided_by": actor, "decided_at": self.now(), "due_at": None}  # fmt: skip
            elif row["state"] == APPEALED:
                if row["decided_by"] == actor:
                    raise Denied("Who decided first does not decide the appeal; ask another reviewer.",
                                 code="same-decider")  # fmt: skip
                said = said_of[ANSWER]
                values = {"state": CLOSED, "answer_outcome": outcome, "answer": said, "answered_by": actor,
                          "answered_at": self.now(), "due_at": None}  # fmt: skip
            else:
                raise Conflict("This case does not wait for a decision.", code="not-waiting")
            connection.execute(update(cases).where(cases.c.id == case_id).values(values))
            return _one(connection, tenant, case_id)

    def appeal(self, tenant: str, subject: str, case_id: str, words: str) -> dict[str, Any]:
        """A person objects, once. Raises `NotFound`, `Conflict` (appealed, appeal-late)."""
        sealed = self._fields.seal(tenant, subject, APPEAL, words.encode("utf-8", "surrogatepass"))
        with self._database.write() as connection:
            row = _one(connection, tenant, case_id, lock=True)
            if row["subject"] != subject:
                raise _unknown()
            if row["appealed_at"] is not None:
                raise Conflict("This case was appealed already; its answer shows here.", code="appealed")
            now = self.now()
            if now > (row["decided_at"] or row["opened_at"]) + self.periods.appeal_window_days * _DAY:
                raise Conflict("The time for an appeal is over.", code="appeal-late")
            values = {"state": APPEALED, "appeal": sealed, "appealed_at": now,
                      "due_at": now + self.periods.appeal_days * _DAY}  # fmt: skip
            connection.execute(update(cases).where(cases.c.id == case_id).values(values))
            return self._read(_one(connection, tenant, case_id), (STATEMENT, APPEAL))

    def rows(self, tenant: str | None = None) -> list[dict[str, Any]]:
        """What figures are counted from: category, action, state and outcomes of each case."""
        query = select(*_COUNTED) if tenant is None else select(*_COUNTED).where(cases.c.tenant == tenant)
        with self._database.read() as connection:
            return [dict(one) for one in connection.execute(query).mappings()]

    def sweep(self) -> int:
        """Drop cases whose time is over and for which nobody waits; how many. Of those that still wait, drop what
        was judged: where nobody reviews, it does not stay for ever."""
        ended = func.coalesce(cases.c.answered_at, cases.c.decided_at, cases.c.opened_at)
        before = self.now() - self.periods.case_days * _DAY
        over, since = ended < before, func.coalesce(cases.c.appealed_at, cases.c.opened_at)
        stale = (cases.c.state.in_((OPEN, APPEALED)), since < before, cases.c.content.is_not(None))
        with self._database.write() as connection:
            connection.execute(update(cases).where(*stale).values(content=None))
            return connection.execute(delete(cases).where(cases.c.state.not_in((OPEN, APPEALED)), over)).rowcount

    def _term(self, found: Found) -> int:
        urgent = found.category == HELP
        return self.periods.urgent_hours * _HOUR if urgent else self.periods.review_days * _DAY

    def _said(self, tenant: str, case_id: str, words: str) -> dict[str, bytes | None]:
        """Words for the person, as statement and as answer: sealed before the transaction, for a first key is one."""
        with self._database.read() as connection:
            row = _one(connection, tenant, case_id)
        return {label: self._sealed(row, label, words) for label in (STATEMENT, ANSWER)}

    def _sealed(self, row: dict[str, Any], label: str, words: str) -> bytes | None:
        """Words about a person under their key; nothing is kept about somebody who was erased."""
        if row["subject"] is None or not words:
            return None
        return self._fields.seal(row["tenant"], row["subject"], label, words.encode("utf-8", "surrogatepass"))

    def _read(self, row: dict[str, Any], labels: tuple[str, ...]) -> dict[str, Any]:
        """The row with these columns opened, the others left out."""
        found = {name: value for name, value in row.items() if name not in _BY_COLUMN}
        for name, label in _BY_COLUMN.items():
            sealed = row[name]
            wanted = sealed is not None and row["subject"] is not None and label in labels
            plain = self._fields.open(row["tenant"], row["subject"], label, bytes(sealed)) if wanted else None
            found[name] = plain.decode("utf-8", "replace") if plain is not None else None
        return found


_BY_COLUMN = {"content": CONTENT, "statement": STATEMENT, "appeal": APPEAL, "answer": ANSWER}
_SHOWN = [column for column in cases.columns if column.name not in {*_BY_COLUMN, "subject"}]
_COUNTED = (
    cases.c.category, cases.c.action, cases.c.state, cases.c.outcome, cases.c.answer_outcome, cases.c.due_at,
    cases.c.appealed_at,
)  # fmt: skip


def _one(connection: Connection, tenant: str, case_id: str, *, lock: bool = False) -> dict[str, Any]:
    query = select(cases).where(cases.c.id == case_id, cases.c.tenant == tenant)
    found = connection.execute(query.with_for_update() if lock else query).mappings().first()
    if found is None:
        raise _unknown()
    return dict(found)


def _not_own(row: dict[str, Any], actor: str) -> None:
    if row["subject"] == actor:
        raise Denied("Nobody decides about their own case; ask another reviewer.", code="own-case")
    if row["subject"] is None:
        raise Gone("This person was erased here; nothing of the case can be opened.", code="subject-erased")


def _unknown() -> NotFound:
    return NotFound("There is no such case; list them to see their ids.")
