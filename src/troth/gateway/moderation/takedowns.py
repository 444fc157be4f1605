"""Hashes of pictures that are taken down: by a source, for a reason, proposed by one operator and approved by another.

The list is the installation's and holds for every tenant, for what is sent and for what is made.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError as Duplicate

from troth.gateway.moderation import hashes
from troth.gateway.moderation.tables import takedowns
from troth.kernel.clock import Clock, epoch_ms
from troth.kernel.errors import Conflict, Denied, Invalid, NotFound
from troth.kernel.ids import new_id
from troth.storage.database import Database
from troth.storage.prepared import PreparedSelect

PROPOSED, APPROVED, WITHDRAWN = "proposed", "approved", "withdrawn"
MOST = 5000  # entries of one import
COLUMNS = ("hash", "illegal", "source", "reason")
_QUALITIES = {str(one) for one in range(hashes.LEAST_QUALITY, 101)}
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}\Z")
_LISTED = PreparedSelect(select(takedowns.c.hash, takedowns.c.id, takedowns.c.illegal).where(
    takedowns.c.state == APPROVED).order_by(takedowns.c.id))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `hash` in 64 hex digits; `source` and `reason` are tokens; times in epoch ms."""

    id: str
    hash: str
    illegal: bool
    source: str
    reason: str
    state: str
    proposed_by: str
    proposed_at: int
    approved_by: str | None = None
    approved_at: int | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A picture is on the list."""

    entry: str
    illegal: bool
    look: int = 0  # of `pictures.looks`


class Takedowns:
    """The list."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    def match(self, content: bytes) -> Match | None:
        """The entry that a frame of a picture is near to. Raises `Unavailable` (extra-missing): a list that cannot be
        asked stops every picture; `Invalid` for what is no picture."""
        rows = self._database.rows(_LISTED, {})
        if not rows:
            return None
        listed = {str(row[0]): Match(str(row[1]), bool(row[2])) for row in rows}
        for number, mine in enumerate(hashes.of_picture(content)):
            found = hashes.nearest(mine, listed)
            if found is not None:
                return replace(listed[found], look=number)
        return None

    def all(self, *, after: str | None = None, limit: int = 1000) -> list[Entry]:
        """A page of the list, by id."""
        query = select(takedowns).order_by(takedowns.c.id).limit(limit)
        with self._database.read() as connection:
            found = connection.execute(query if after is None else query.where(takedowns.c.id > after))
            return [Entry(**dict(one)) for one in found.mappings()]

    def propose(self, wanted: Iterable[tuple[str, bool, str, str]], actor: str) -> list[Entry]:
        """Put entries (hash, illegal, source, reason) on file; none stops anything yet.

        Raises `Invalid` (bad-hash), `Conflict` (hash-listed) for one that is on file: then none is added.
        """
        now, made = epoch_ms(self._clock.now()), list[Entry]()
        for text, illegal, source, reason in wanted:
            plain = hashes.written(text)
            if plain is None:
                raise Invalid(
                    "A hash is 64 hex digits, of a picture that shows something; correct the list.", code="bad-hash"
                )
            made.append(Entry(new_id("tkd"), plain, illegal, source, reason, PROPOSED, actor, now))
        try:
            with self._database.write() as connection:
                for one in made:
                    gone = (takedowns.c.hash == one.hash, takedowns.c.state == WITHDRAWN)
                    connection.execute(delete(takedowns).where(*gone))
                    connection.execute(insert(takedowns), {name: getattr(one, name) for name in one.__slots__})
        except Duplicate as error:
            raise Conflict("One of these hashes is on file already; leave it out.", code="hash-listed") from error
        return made

    def approve(self, entry_id: str, actor: str) -> Entry:
        """A second operator puts it in force. Raises `NotFound`, `Denied` (own-proposal), `Conflict` (not-waiting)."""
        with self._database.write() as connection:
            entry = _locked(connection, entry_id)
            if entry.state != PROPOSED:
                raise Conflict("This entry does not wait for an approval.", code="not-waiting")
            if entry.proposed_by == actor:
                raise Denied("Nobody approves what they proposed; ask another operator.", code="own-proposal")
            return self._changed(connection, entry_id, state=APPROVED, approved_by=actor,
                                 approved_at=epoch_ms(self._clock.now()))  # fmt: skip

    def withdraw(self, entry_id: str, actor: str) -> Entry:
        """Take it off the list. What is illegal is taken off by somebody who did not propose it. Raises as above."""
        with self._database.write() as connection:
            entry = _locked(connection, entry_id)
            if entry.illegal and entry.state == APPROVED and entry.proposed_by == actor:
                raise Denied("Somebody else takes this entry off; ask another operator.", code="own-proposal")
            return self._changed(connection, entry_id, state=WITHDRAWN)

    def _changed(self, connection: Connection, entry_id: str, **values: Any) -> Entry:
        connection.execute(update(takedowns).where(takedowns.c.id == entry_id).values(values))
        return _locked(connection, entry_id)


def as_csv(entries: Iterable[Entry]) -> bytes:
    """The list for other services: hash, illegal, source, reason."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((one.hash, str(one.illegal).lower(), one.source, one.reason) for one in entries)
    return out.getvalue().encode()


def of_csv(text: str) -> list[tuple[str, bool, str, str]]:
    """The entries of such a file; one more column, `quality`, is read if it is there, and at least 50 then.

    Raises `Invalid` (bad-list).
    """
    wrong = Invalid("The list is CSV with the columns hash, illegal, source and reason; correct it.", code="bad-list")
    try:
        rows = list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as error:
        raise wrong from error
    if not rows or len(rows) > MOST:
        raise wrong
    found = []
    for row in rows:
        if not _sound(row):
            raise wrong
        found.append((row["hash"], row["illegal"] == "true", row["source"], row["reason"]))
    return found


def _sound(row: dict[str, Any]) -> bool:
    """`row` as the csv module gives it: None for a field that is missing, the key None for what is too much."""
    quality = row.pop("quality", "100")
    if set(row) != set(COLUMNS) or None in row.values() or quality not in _QUALITIES:
        return False
    tokens = all(_TOKEN.match(row[name]) for name in ("source", "reason"))
    return tokens and row["illegal"] in ("true", "false")


def _locked(connection: Connection, entry_id: str) -> Entry:
    wanted = select(takedowns).where(takedowns.c.id == entry_id).with_for_update()
    found = connection.execute(wanted).mappings().first()
    if found is None:
        raise NotFound("There is no such entry; list them to see their ids.")
    return Entry(**dict(found))
