"""What a room opens, and the one place where that is decided. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from troth.governance.records import Record
from troth.kernel.errors import Denied, NotFound

ROOMS: Final = "rooms"  # the register that rooms are records of
QUESTIONS: Final = "room-questions"
AUDITORS: Final = frozenset({"auditor", "room-auditor"})  # roles by which somebody enters their rooms
INSIDE: Final = "room"  # the role of registers that nobody is given: whoever came in by the door has it
BUNDLE: Final = "bundle"
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Room:
    """A room, open or over. Times in epoch milliseconds: the period is [start, end), access ends at `until`."""

    id: str
    name: str
    auditor: str
    author: str
    promises: frozenset[str]
    registers: frozenset[str]
    start: int
    end: int
    until: int
    open: bool
    bundle: bool = False  # whether the report of the whole period may be taken along

    def require_promise(self, promise: str) -> None:
        """Raises Denied(outside-room)."""
        if promise not in self.promises:
            raise _outside("promise")

    def require_check(self, promises: Collection[str]) -> None:
        """A check is inside when it looks at a promise of the room. Raises Denied(outside-room)."""
        if not self.promises & set(promises):
            raise _outside("check")

    def require_register(self, form: str) -> None:
        """Raises Denied(outside-room)."""
        if form not in self.registers:
            raise _outside("register")

    def require_taking(self, paper: str) -> None:
        """The report of the whole period tells of every check, so the house says whether it goes along.

        Raises Denied(outside-room).
        """
        if paper == BUNDLE and not self.bundle:
            raise _outside("report")

    def span(self, first: date | None, last: date | None) -> tuple[int, int]:
        """From a day up to and with another, inside the period. Raises Denied(outside-room)."""
        start = self.start if first is None else _midnight(first)
        end = self.end if last is None else _midnight(last) + _DAY_MS
        if not self.start <= start < end <= self.end:
            raise _outside("period")
        return start, end


def room_of(record: Record) -> Room:
    """The room that a record stands for; its days are whole days in UTC."""
    told = record.values
    promises, registers = told.get("of_promises"), told.get("of_registers")
    return Room(
        record.id,
        str(told.get("name")),
        str(told.get("auditor")),
        str(told.get("author")),
        frozenset(promises if isinstance(promises, tuple) else ()),
        frozenset(registers if isinstance(registers, tuple) else ()),
        _midnight(told.get("period_from")),
        _midnight(told.get("period_to")) + _DAY_MS,
        _midnight(told.get("until")) + _DAY_MS,
        record.state == "open",
        told.get("bundle") is True,
    )


def entered(room: Room | None, person: str | None, roles: Collection[str], now: int) -> Room:
    """The room, for its auditor as long as it is open.

    Raises NotFound(room-not-found) for anybody else, and Denied(room-over) once it is closed, its time is over, or the
    person who opened it is who would read in it.
    """
    if room is None or person is None or room.auditor != person or AUDITORS.isdisjoint(roles):
        raise NotFound("You have no such room; list your rooms.", code="room-not-found")
    if not room.open or now >= room.until or room.author == person:
        raise Denied("This room is over; ask who opened it for another one.", code="room-over")
    return room


def _midnight(day: object) -> int:
    if not isinstance(day, date):  # a form that was changed: a room without its days opens nothing
        return 0
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _outside(what: str) -> Denied:
    return Denied(f"This {what} is outside of the room; ask for a room that includes it.", code="outside-room")
