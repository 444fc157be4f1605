"""The auditor's room as doors may ask for it. Opening, closing and answering are moves of the registers `rooms` and
`room-questions`; here is what the auditor does, and nothing of it changes anything but a question.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

from troth.governance import shown
from troth.governance.messages import RecordShown
from troth.governance.operations import who
from troth.governance.room import messages as m
from troth.governance.room.evidence import RunSeen
from troth.governance.room.rooms import Rooms
from troth.governance.room.scope import Room
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation

_PAGE = 200


@dataclass(frozen=True, slots=True)
class RoomOperations:
    """For auditors of the caller's tenant, each in the rooms that were opened for them."""

    rooms: Rooms

    @operation("room.list", group=Group.ROOM, request=m.RoomList, command=("room", "mine"),
               route=Route("GET", "/v1/rooms", body="none"))  # fmt: skip
    def list(self, call: Call, request: m.RoomList) -> m.RoomsShown:  # noqa: ARG002
        """List the rooms that are open for you."""
        found = self.rooms.mine(who(call))
        call.note(count=len(found))
        return m.RoomsShown(rooms=tuple(_room(one) for one in found))

    @operation("room.show", group=Group.ROOM, request=m.RoomNamed, command=("room", "enter"),
               route=Route("GET", "/v1/rooms/{room_id}", body="none"), data_class=DataClass.ACCOUNT)  # fmt: skip
    def show(self, call: Call, request: m.RoomNamed) -> m.RoomOpened:
        """Show a room: its promises as they stand now, its registers and what was asked."""
        seen = self.rooms.show(who(call), request.room_id)
        call.note(object=request.room_id)
        promises = tuple(m.PromiseInRoom(**asdict(one)) for one in seen.promises)
        return m.RoomOpened(
            room=_room(seen.room), promises=promises, questions=tuple(shown.record(one) for one in seen.questions)
        )

    @operation("room.runs", group=Group.ROOM, request=m.RoomRuns, command=("room", "runs"),
               route=Route("GET", "/v1/rooms/{room_id}/checks/{check}/runs", body="none"))  # fmt: skip
    def runs(self, call: Call, request: m.RoomRuns) -> m.RunsInRoom:
        """List the runs of a check in the period of the room, all of them, page by page."""
        found = self.rooms.runs(who(call), request.room_id, request.check, first=request.first, last=request.last,
                                after=request.after)  # fmt: skip
        call.note(object=request.room_id, checks=request.check, count=len(found))
        following = found[-1].sequence if len(found) == _PAGE else None
        return m.RunsInRoom(runs=tuple(_run(one) for one in found), next=following)

    @operation("room.proof", group=Group.ROOM, request=m.RoomRun, command=("room", "proof"),
               route=Route("GET", "/v1/rooms/{room_id}/checks/{check}/runs/{sequence}/proof", body="none"))  # fmt: skip
    def proof(self, call: Call, request: m.RoomRun) -> m.RunProven:
        """The proof that a run stands in the log as it is shown, to be checked offline."""
        proven = self.rooms.proof(who(call), request.room_id, request.check, request.sequence)
        call.note(object=request.room_id, checks=request.check, index=proven.index)
        return m.RunProven(**asdict(proven))

    @operation("room.records", group=Group.ROOM, request=m.RoomRecords, command=("room", "records"),
               route=Route("GET", "/v1/rooms/{room_id}/registers/{form}", body="none"),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def records(self, call: Call, request: m.RoomRecords) -> m.RecordsInRoom:
        """List the records of a register as they stood at the end of the period of the room."""
        found, following = self.rooms.records(who(call), request.room_id, request.form, request.after)
        call.note(object=request.room_id, register=request.form, count=len(found))
        records = tuple(shown.record(one) for one in found)
        form = self.rooms.registers.form(call.tenant, request.form)
        labels = {name: one.label for name, one in form.fields.items()}
        return m.RecordsInRoom(form=form.name, title=form.title, labels=labels, records=records, next=following)

    @operation("room.sample", group=Group.ROOM, request=m.RoomSample, command=("room", "sample"),
               route=Route("POST", "/v1/rooms/{room_id}/checks/{check}/samples"))  # fmt: skip
    def sample(self, call: Call, request: m.RoomSample) -> m.SampleInRoom:
        """Draw runs of a check out of all of the period, so that neither you nor the house chooses them."""
        digest = hashlib.sha256(request.nonce.encode()).hexdigest()
        drawn = self.rooms.draw(who(call), request.room_id, request.check, nonce=request.nonce, size=request.size)
        call.note(object=request.room_id, checks=request.check, digest=digest, count=len(drawn.runs), root=drawn.root)
        runs = tuple(_run(one) for one in drawn.runs)
        return m.SampleInRoom(root=drawn.root, nonce=request.nonce, population=drawn.population, runs=runs)

    @operation("room.ask", group=Group.ROOM, request=m.RoomQuestion, command=("room", "ask"),
               route=Route("POST", "/v1/rooms/{room_id}/questions", status=201),
               data_class=DataClass.ACCOUNT)  # fmt: skip
    def ask(self, call: Call, request: m.RoomQuestion) -> RecordShown:
        """Ask the house something, or state a finding, which it closes by an action."""
        made = self.rooms.ask(who(call), request.room_id, kind=request.kind, promise=request.promise,
                              question=request.question)  # fmt: skip
        call.note(object=made.id, unit=request.room_id, kinds=request.kind)
        return shown.record(made)

    @operation("room.report", group=Group.ROOM, request=m.RoomPaper, command=("room", "report"),
               route=Route("GET", "/v1/rooms/{room_id}/reports/{paper}", body="none"))  # fmt: skip
    def report(self, call: Call, request: m.RoomPaper) -> Binary:
        """Take along what was found in the period of the room: oscal, pdf, or the bundle where the room includes it."""
        made, digest = self.rooms.take(who(call), request.room_id, request.paper)
        call.note(object=request.room_id, kinds=request.paper, digest=digest)
        return made


def _room(one: Room) -> m.RoomShown:
    return m.RoomShown(
        id=one.id,
        name=one.name,
        promises=tuple(sorted(one.promises)),
        registers=tuple(sorted(one.registers)),
        start=one.start,
        end=one.end,
        until=one.until,
        bundle=one.bundle,
    )


def _run(one: RunSeen) -> m.RunInRoom:
    return m.RunInRoom(**asdict(one))
