"""Rooms: who enters which, and what is read and asked there. Rooms and questions are records of registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from troth.governance.moves import By
from troth.governance.records import Record
from troth.governance.registers import Registers
from troth.governance.room.evidence import Drawn, Looks, Papers, PromiseSeen, Proven, RunSeen
from troth.governance.room.scope import AUDITORS, INSIDE, QUESTIONS, ROOMS, Room, entered, room_of
from troth.kernel.clock import epoch_ms
from troth.kernel.errors import Denied, NotFound
from troth.kernel.operation import Binary

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Seen:
    """A room with its promises as they stand now, and what was asked in it."""

    room: Room
    promises: tuple[PromiseSeen, ...]
    questions: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Rooms:
    """What an auditor may do: every way in goes through `enter`."""

    registers: Registers
    looks: Looks
    papers: Papers

    def mine(self, by: By) -> tuple[Room, ...]:
        """The caller's rooms that are open, the first to end first."""
        now = epoch_ms(self.registers.clock.now())
        told = [room_of(one) for one in self.registers.records(by.tenant, ROOMS)]
        open_ = [one for one in told if one.open and now < one.until and one.auditor == by.subject != one.author]
        return tuple(sorted(open_, key=lambda one: (one.until, one.id))) if by.roles & AUDITORS else ()

    def enter(self, by: By, room: str) -> Room:
        """The one door. Raises NotFound(room-not-found), Denied(room-over)."""
        try:
            found = room_of(self.registers.show(_inside(by), ROOMS, room).record)
        except (NotFound, Denied):  # another tenant's, or who asks is no auditor: the door says the same to both
            found = None
        return entered(found, by.subject, by.roles, epoch_ms(self.registers.clock.now()))

    def show(self, by: By, room: str) -> Seen:
        """The room itself. Raises as `enter`."""
        inside = self.enter(by, room)
        asked = [one for one in self.registers.records(by.tenant, QUESTIONS) if one.values.get("room") == room]
        return Seen(inside, self.looks.promises(inside.promises), tuple(asked))

    def runs(
        self, by: By, room: str, check: str, *, first: date | None, last: date | None, after: int
    ) -> Sequence[RunSeen]:
        """The runs of a check, at most 200 behind a sequence. Raises as `enter`, and Denied(outside-room)."""
        inside = self.enter(by, room)
        inside.require_check(self.looks.covers(check))
        start, end = inside.span(first, last)
        return self.looks.runs(check, start, end, after=after, limit=_PAGE)

    def draw(self, by: By, room: str, check: str, *, nonce: str, size: int) -> Drawn:
        """A sample of the runs of a check. Raises as `runs`, Conflict(period-open), Invalid(bad-sample)."""
        inside = self.enter(by, room)
        inside.require_check(self.looks.covers(check))
        return self.looks.draw(check, inside.start, inside.end, nonce=nonce, size=size)

    def proof(self, by: By, room: str, check: str, sequence: int) -> Proven:
        """The proof of one run. Raises as `runs`, NotFound(run-not-found), Unavailable(no-proof)."""
        inside = self.enter(by, room)
        inside.require_check(self.looks.covers(check))
        found = self.looks.runs(check, inside.start, inside.end, after=sequence - 1, limit=1)
        if not found or found[0].sequence != sequence:
            raise NotFound("The period of the room has no such run; list its runs.", code="run-not-found")
        return self.looks.proof(found[0])

    def records(self, by: By, room: str, form: str, after: str | None) -> tuple[tuple[Record, ...], str | None]:
        """The records of a register as they stood at the end of the period, or stand now, at most 200 behind one.

        Left out is what ended before the period began. Raises as `enter`, and Denied(outside-room).
        """
        inside = self.enter(by, room)
        inside.require_register(form)
        now = epoch_ms(self.registers.clock.now())
        at = inside.end - 1 if inside.end <= now else None
        ended = {name for name, one in self.registers.form(by.tenant, form).states.items() if one.end}
        told = self.registers.records(by.tenant, form, at)
        standing = [one for one in told if one.changed_at >= inside.start or one.state not in ended]
        places = [number for number, one in enumerate(standing, 1) if one.id == after]
        begin = places[0] if places else 0
        page = standing[begin : begin + _PAGE]
        return tuple(page), page[-1].id if len(standing) > begin + _PAGE else None

    def take(self, by: By, room: str, paper: str) -> tuple[Binary, str]:
        """What was found in the period, as a file. Raises as `enter`, Denied(outside-room), and as `Papers.made`."""
        inside = self.enter(by, room)
        inside.require_taking(paper)
        now = epoch_ms(self.registers.clock.now())
        return self.papers.made(paper, (inside.start, inside.end), inside.promises, tenant=by.tenant, at=now)

    def ask(self, by: By, room: str, *, kind: str, promise: str | None, question: str) -> Record:
        """Ask, or state a finding. Raises as `enter`, Denied(outside-room), Invalid(bad-field)."""
        inside = self.enter(by, room)
        if promise is not None:
            inside.require_promise(promise)
        told = {"room": room, "kind": kind, "question": question}
        about = {} if promise is None else {"promise": promise}
        return self.registers.open(_inside(by), QUESTIONS, told | about)


def lasting(registers: Registers, tenant: str) -> dict[str, int]:
    """Until when (epoch ms) each auditor of a tenant has, or had, a room: the last day of it, or its closing before."""
    found: dict[str, int] = {}
    for record in registers.records(tenant, ROOMS):
        one = room_of(record)
        end = one.until if one.open else min(one.until, record.entered.get(record.state, record.changed_at))
        found[one.auditor] = max(found.get(one.auditor, 0), end)
    return found


def _inside(by: By) -> By:
    """In a room nobody has another role than that of the room, which nobody has outside of one."""
    return By(by.tenant, by.actor, by.subject, frozenset({INSIDE} if by.roles & AUDITORS else ()), by.call)
