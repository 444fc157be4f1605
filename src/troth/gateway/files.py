"""Files of one person: checked and cleaned by `intake`, sealed in the vault, gone when their time is over."""

from __future__ import annotations

from troth.gateway.intake import admit_file
from troth.gateway.limits.counting import brought
from troth.gateway.limits.metered import Metered
from troth.gateway.wire.files import CreateFile, FileObject, FileObjects, ListFiles, Purpose
from troth.kernel.clock import epoch_ms
from troth.kernel.data_class import DataClass
from troth.kernel.errors import NotFound
from troth.kernel.operation import Binary, Call
from troth.vault.objects import KeepRequest, ObjectInfo, Objects

_PURPOSES: tuple[Purpose, ...] = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_PREFIX = "file-"
_PAGE = 1000  # the vault's largest page


class Files:
    """OpenAI's file surface on the vault. The purpose is part of the object's kind, sealed with it."""

    def __init__(self, objects: Objects, metered: Metered | None = None) -> None:
        """`metered`: what counts requests and their bytes."""
        self._objects, self._metered = objects, metered

    def create(self, call: Call, request: CreateFile) -> FileObject:
        """Keep a file. Raises what `intake.admit_file`, `Objects.keep` and `Metered.doing` raise; nothing is kept then.

        What was looked at counts, whether it was kept or not.
        """
        if self._metered is None:
            return self._created(call, request)
        with self._metered.doing(call, "file.create", brought(len(request.file.content)), done="kept"):
            return self._created(call, request)

    def _created(self, call: Call, request: CreateFile) -> FileObject:
        upload = request.file
        admitted = admit_file(upload.filename, upload.media_type, upload.content, purpose=request.purpose)
        life = request.expires_after
        expires_at = None if life is None else epoch_ms(call.at) + life.seconds * 1000
        info = self._objects.keep(
            KeepRequest(
                tenant=call.tenant,
                subject=call.subject,
                data_class=DataClass.USER_GENERATED,
                kind=_kind(request.purpose),
                media_type=admitted.media_type,
                name=admitted.name[:255] or "file",
                content=admitted.content,
                expires_at=expires_at,
                request=call.request_id,
            )
        )
        call.note(object=info.id, bytes=info.size)
        return _file(info)

    def page(self, call: Call, request: ListFiles) -> FileObjects:
        """One page. `after` is the last id of the page before."""
        purposes = _PURPOSES if request.purpose is None else (request.purpose,)
        found = [info for purpose in purposes for info in self._all(call, purpose)]
        found.sort(key=lambda info: (info.created_at, info.id), reverse=request.order == "desc")
        ids = [info.id for info in found]
        if request.after is not None:
            if request.after not in ids:
                raise NotFound("The page before ended with another file; list from the start.", field="after")
            found = found[ids.index(request.after) + 1 :]
        page = [_file(info) for info in found[: request.limit]]
        return FileObjects(
            data=page,
            has_more=len(found) > request.limit,
            first_id=page[0].id if page else None,
            last_id=page[-1].id if page else None,
        )

    def show(self, call: Call, file_id: str) -> FileObject:
        """One file. Raises `NotFound` for what is no file of this person, `Gone` once erased or expired."""
        return _file(self._info(call, file_id))

    def content(self, call: Call, file_id: str) -> Binary:
        """Its bytes, as they were admitted."""
        info = self._info(call, file_id)
        _, content = self._objects.open(call.tenant, call.subject, file_id)
        call.note(object=info.id, bytes=info.size)
        return Binary(content, info.media_type, info.name)

    def delete(self, call: Call, file_id: str) -> None:
        """Delete it and everything derived from it."""
        info = self._info(call, file_id)
        self._objects.delete(call.tenant, call.subject, info.id, request=call.request_id)
        call.note(object=info.id)

    def _info(self, call: Call, file_id: str) -> ObjectInfo:
        info = self._objects.info(call.tenant, call.subject, file_id)
        if not info.kind.startswith(_PREFIX):
            raise NotFound("There is no such file; list yours to see their ids.")
        return info

    def _all(self, call: Call, purpose: Purpose) -> list[ObjectInfo]:
        found: list[ObjectInfo] = []
        after: str | None = None
        while True:
            page = self._objects.list(call.tenant, call.subject, kind=_kind(purpose), limit=_PAGE, after=after)
            found += page
            if len(page) < _PAGE:
                return found
            after = page[-1].id


def _kind(purpose: Purpose) -> str:
    return _PREFIX + purpose.replace("_", "-")


def _file(info: ObjectInfo) -> FileObject:
    purpose = next(one for one in _PURPOSES if _kind(one) == info.kind)
    return FileObject(
        id=info.id,
        bytes=info.size,
        created_at=info.created_at // 1000,
        expires_at=None if info.expires_at is None else info.expires_at // 1000,
        filename=info.name,
        purpose=purpose,
    )
