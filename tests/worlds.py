"""Small real worlds for tests: a clock that moves by hand, a database in a folder, ciphers that really encrypt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from troth.kernel.caller import Authentication, Caller, Connection
from troth.kernel.details import Owner, SealedDetails
from troth.kernel.dispatch import Decision
from troth.kernel.errors import Unavailable
from troth.kernel.operation import Operation
from troth.kernel.record import Change, Entry
from troth.storage.database import Database, metadata


class MovableClock:
    """Starts at a fixed moment and moves only when told."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def forward(self, **delta: float) -> None:
        self._now += timedelta(**delta)


@dataclass
class ListRecorder:
    """Keeps entries, and the changes that come with them, in lists; `broken` makes it refuse, as a full disk would."""

    entries: list[Entry] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    broken: bool = False

    def record(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        if self.broken:
            raise Unavailable("no record", code="no-record")
        self.entries.append(entry)
        self.changes.extend(changes)

    def submit(self, entry: Entry, changes: Sequence[Change] = ()) -> Future[None]:
        done: Future[None] = Future()
        try:
            self.record(entry, changes)
        except Unavailable as error:
            done.set_exception(error)
        else:
            done.set_result(None)
        return done

    async def keep(self, entry: Entry, changes: Sequence[Change] = ()) -> None:
        self.record(entry, changes)

    def record_within(self, _connection: Any, entry: Entry) -> None:
        self.record(entry)


@dataclass
class RoleDecider:
    """Allows callers that carry the role named like the operation's group."""

    def decide(self, caller: Caller, operation: Operation) -> Decision:
        return Decision(operation.declaration.group.value in caller.roles, ("by-role",), "00" * 32)


@dataclass
class FaultList:
    """Collects the types of unexpected exceptions."""

    faults: list[str] = field(default_factory=list)

    def fault(self, error: BaseException, operation: str, request: str) -> None:
        self.faults.append(type(error).__name__)


def sqlite(folder: Path) -> Database:
    """A database with the whole schema in `folder`."""
    database = Database(f"sqlite:///{folder / 'test.db'}")
    metadata.create_all(database.engine)
    return database


def person(*roles: str, tenant: str = "ten_a", actor: str = "usr_a", assurance: int = 2) -> Caller:
    """A signed-in person on a TLS 1.3 connection."""
    return Caller(
        actor=actor,
        kind="user",
        tenant=tenant,
        subject=actor,
        roles=frozenset(roles),
        authentication=Authentication("password+totp", assurance, 1, "ses_a"),
        connection=Connection("TLSv1.3", "loopback"),
    )


class PlainSealer:
    """Implements `DetailSealer` without keys: what was sealed can be read back."""

    def seal(self, owner: Owner, details: Mapping[str, str]) -> SealedDetails | None:
        plain = json.dumps(dict(details)).encode()
        return SealedDetails(owner, hashlib.sha256(plain).hexdigest(), plain)

    def at_hand(self, owner: Owner) -> bool:
        return True
