"""Files of records, as doors may ask for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from troth.governance import messages as m
from troth.governance.attachments import Attachments, File
from troth.governance.operations import who
from troth.kernel.data_class import DataClass
from troth.kernel.operation import Binary, Call, Group, Route, operation

UPLOAD_BYTES: Final = 26 << 20
_ALL: Final = "/v1/registers/{form}/{record_id}/files"


@dataclass(frozen=True, slots=True)
class AttachmentOperations:
    """The files of the caller's tenant's records."""

    attachments: Attachments

    @operation("register.attach", group=Group.GOVERN, request=m.RecordAttach, data_class=DataClass.ACCOUNT,
               route=Route("POST", _ALL, body="multipart", status=201, max_bytes=UPLOAD_BYTES))  # fmt: skip
    def attach(self, call: Call, request: m.RecordAttach) -> m.FileShown:
        """Keep a file for a record, sealed in the vault."""
        kept = self.attachments.attach(who(call), request.form, request.record_id, request.file, about=request.about)
        call.note(register=request.form, object=request.record_id, bytes=kept.size, digest=kept.sha256)
        return _file(kept)

    @operation("register.files", group=Group.GOVERN, request=m.RecordNamed, command=("register", "files"),
               route=Route("GET", _ALL, body="none"), data_class=DataClass.ACCOUNT)  # fmt: skip
    def files(self, call: Call, request: m.RecordNamed) -> m.FilesShown:
        """List the files of a record."""
        found = self.attachments.all(who(call), request.form, request.record_id)
        call.note(register=request.form, object=request.record_id, count=len(found))
        return m.FilesShown(files=tuple(_file(one, here=here) for one, here in found))

    @operation("register.file", group=Group.GOVERN, request=m.FileNamed, data_class=DataClass.ACCOUNT,
               route=Route("GET", f"{_ALL}/{{object_id}}", body="none"))  # fmt: skip
    def file(self, call: Call, request: m.FileNamed) -> Binary:
        """Open a file of a record."""
        found, content = self.attachments.open(who(call), request.form, request.record_id, request.object_id)
        call.note(register=request.form, object=request.record_id, bytes=found.size, digest=found.sha256)
        return Binary(content, found.media_type, found.name)

    @operation("register.detach", group=Group.GOVERN, request=m.FileNamed, command=("register", "detach"),
               route=Route("DELETE", f"{_ALL}/{{object_id}}", body="none"), data_class=DataClass.ACCOUNT)  # fmt: skip
    def detach(self, call: Call, request: m.FileNamed) -> m.Detached:
        """Erase a file of a record; that it was there stays in the history."""
        self.attachments.detach(who(call), request.form, request.record_id, request.object_id)
        call.note(register=request.form, object=request.record_id)
        return m.Detached(id=request.object_id)


def _file(one: File, *, here: bool = True) -> m.FileShown:
    return m.FileShown(
        id=one.id, name=one.name, media_type=one.media_type, size=one.size, sha256=one.sha256, at=one.at,
        actor=one.actor, here=here,
    )  # fmt: skip
